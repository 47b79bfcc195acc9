#!/bin/sh
# --push-state saves, --pop-state restores: --as-needed, --whole-archive and -Bstatic.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 does not save -Bstatic"

mkdir d
echo 'int unused(void) { return 1; }' >s.c
echo 'extern int n; __attribute__((constructor)) static void add(void) { n++; }' >r.c
echo 'int n; int main(void) { return n; }' >m.c
cc -fPIC -shared s.c -Wl,-soname,libs.so -o d/libs.so
cc -c r.c m.c
ar rc d/libr.a r.o
cc m.o -Ld -Wl,--no-as-needed,--push-state,--as-needed,--whole-archive,-Bstatic -lr -Wl,--pop-state -lr -ls \
	-Wl,-rpath,"$PWD/d" -o a
needed a >n
has '^libs\.so$' n
exits_with 1 ./a
expect_error 'pop-state|push' "$LD" --pop-state m.o -o b
