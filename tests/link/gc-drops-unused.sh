#!/bin/sh
# --gc-sections drops functions and data that nothing reaches, with their symbols and FDEs; without it they stay.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
int unused_data[100] = {1};
int *unused_function(void) { return unused_data; }
int used_data = 5;
int used_function(void) { return used_data; }
int main(void) { return used_function(); }
END
cc -O0 -ffunction-sections -fdata-sections -c a.c
cc a.o -o all
cc a.o -Wl,--gc-sections -o gc
exits_with 5 ./gc
[ -n "$(sym all unused_function)" ] || fail "kept symbols are missing"
[ -z "$(sym gc unused_function)" ] || fail "unused_function is still there"
[ -z "$(sym gc unused_data)" ] || fail "unused_data is still there"
[ -n "$(sym gc used_data)" ] || fail "used_data is gone"
fdes() { readelf --debug-dump=frames "$1" 2>/dev/null | grep -c ' FDE '; }
[ "$(fdes gc)" -lt "$(fdes all)" ] || fail "$(fdes gc) FDEs remain of $(fdes all)"
check_elf gc
