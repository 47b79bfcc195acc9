#!/bin/sh
# -dynamic-linker names PT_INTERP's program; the last one wins.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >a.c
ln -s /lib64/ld-linux-x86-64.so.2 loader
cc a.c -Wl,-dynamic-linker,"$PWD/loader" -o a
./a
readelf -lW a >l
has "Requesting program interpreter: $PWD/loader" l
check_elf a
