#!/bin/sh
# A live link that reads an output which was touched is linked once: nobody wrote to it.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

echo 'int one(void) { return 1; }' >lib.c
echo 'int one(void); int main(void) { return one() - 1; }' >main.c
gcc -fPIC -c lib.c && gcc -c main.c
start_mount settle=never
link -shared lib.o -o libone.so
touch libone.so
on_mount libone.so
add_linked prog gcc main.o "$PWD/libone.so"
links_well prog
links_made 0 stat "$mnt/prog"
