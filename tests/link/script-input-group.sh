#!/bin/sh
# A file that is a linker script stands for the files it names: INPUT, GROUP, AS_NEEDED, -lNAME, comments,
# OUTPUT_FORMAT; names are looked for beside the script and in the search path.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir d
echo 'int f(void) { return 1; }' >f.c
echo 'int g(void) { return 2; }' >g.c
echo 'int h(void) { return 4; }' >h.c
echo 'int unused(void) { return 8; }' >u.c
echo 'int f(void), g(void), h(void); int main(void) { return f() + g() + h(); }' >m.c
cc -c f.c g.c h.c m.c
ar rc d/libg.a g.o
ar rc d/libh.a h.o
cc -fPIC -shared -Wl,-soname,libu.so u.c -o d/libu.so
cp f.o d/f.o
cat >d/libscript.so <<'END'
/* GNU ld script
   of a library */
OUTPUT_FORMAT(elf64-x86-64)
INPUT ( f.o "libg.a" )
GROUP ( -lh AS_NEEDED ( libu.so ) )
END
cc m.o -Ld -lscript -o m
exits_with 7 ./m
needed m >n
hasnt libu n
cc m.o d/libscript.so -Ld -o m
exits_with 7 ./m
