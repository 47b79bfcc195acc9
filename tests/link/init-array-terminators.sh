#!/bin/sh
# DT_INIT_ARRAY and DT_FINI_ARRAY give address and size of exactly the output sections.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__attribute__((constructor)) static void c(void) {}
__attribute__((destructor)) static void d(void) {}
int main(void) { return 0; }
END
cc a.c -o a
tag() { readelf -dW a | sed -n "s/.*($1) *\(0x[0-9a-f]*\|[0-9]*\).*/\1/p"; }
equal $(($(tag INIT_ARRAY))) $((0x$(section a .init_array addr))) "DT_INIT_ARRAY"
equal "$(tag INIT_ARRAYSZ)" 16 "DT_INIT_ARRAYSZ"
equal $(($(tag FINI_ARRAY))) $((0x$(section a .fini_array addr))) "DT_FINI_ARRAY"
equal "$(tag FINI_ARRAYSZ)" 16 "DT_FINI_ARRAYSZ"
check_elf a
