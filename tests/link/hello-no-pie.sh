#!/bin/sh
# A position-dependent dynamic executable: ET_EXEC, an interpreter, runs.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
int main(int argc, char **argv) { (void)argv; printf("hello %d\n", argc); return 0; }
END
cc -O2 -fno-pie -no-pie a.c -o a
run_is "hello 1" ./a
readelf -hW a >h
has 'Type: +EXEC' h
readelf -lW a >l
has 'Requesting program interpreter: /lib64/ld-linux-x86-64.so.2' l
check_elf a
