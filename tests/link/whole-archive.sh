#!/bin/sh
# --whole-archive takes every member, --no-whole-archive ends it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >reg.c <<'END'
extern int n;
__attribute__((constructor)) static void add(void) { n++; }
END
echo 'extern int n; __attribute__((constructor)) static void add(void) { n += 10; }' >reg2.c
echo 'int n; int main(void) { return n; }' >m.c
cc -c reg.c reg2.c m.c
ar rc lib1.a reg.o
ar rc lib2.a reg2.o
cc m.o lib1.a lib2.a -o none
exits_with 0 ./none
cc m.o -Wl,--whole-archive lib1.a -Wl,--no-whole-archive lib2.a -o one
exits_with 1 ./one
cc m.o -Wl,--whole-archive lib1.a lib2.a -Wl,--no-whole-archive -o both
exits_with 11 ./both
