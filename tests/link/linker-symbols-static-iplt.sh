#!/bin/sh
# __rela_iplt_start and _end bracket the IRELATIVE relocations in a static executable and nothing in a static PIE.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
extern char __rela_iplt_start[] __attribute__((weak)), __rela_iplt_end[] __attribute__((weak));
int main(void) { printf("%d\n", __rela_iplt_end - __rela_iplt_start > 0); return 0; }
END
cc -static a.c -o a
run_is 1 ./a
readelf -rW a >r
bytes=$((0x$(sym a __rela_iplt_end) - 0x$(sym a __rela_iplt_start)))
equal "$bytes" $(($(grep -c IRELATIV r) * 24)) "bytes between them"
cc -static-pie a.c -o b
run_is 0 ./b
