#!/bin/sh
# --gc-sections does not keep code because debug information refers to it; what is dropped reads as a tombstone.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
int dropped_function(int x) { return x; }
int main(void) { return 0; }
END
cc -g -ffunction-sections a.c -Wl,--gc-sections -o a
./a
[ -z "$(sym a dropped_function)" ] || fail "debug information keeps the function"
readelf --debug-dump=info a >info 2>&1
has 'dropped_function' info
grep -A 8 'dropped_function' info | sed -n 's/.*DW_AT_low_pc *: *//p' | head -n 1 >low
has '^(0x)?(0+|1|f+)$' low
