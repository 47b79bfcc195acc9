#!/bin/sh
# Fat LTO objects are linked by their machine code.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -flto -ffat-lto-objects -c f.c m.c
cc -fno-lto m.o f.o -fno-use-linker-plugin -o m
exits_with 1 ./m
readelf -SW m >s
hasnt '\.gnu\.lto' s
