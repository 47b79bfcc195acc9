#!/bin/sh
# -l looks through -L in order, prefers the .so in each directory, and -Bstatic takes only the archive.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir d1 d2
echo 'const char *who(void) { return "shared"; }' >s.c
echo 'const char *who(void) { return "archive"; }' >r.c
echo 'const char *who(void) { return "second"; }' >r2.c
cat >a.c <<'END'
#include <stdio.h>
const char *who(void);
int main(void) { puts(who()); return 0; }
END
cc -c r.c r2.c a.c
cc -fPIC -shared s.c -o d1/libwho.so
ar rc d1/libwho.a r.o
ar rc d2/libwho.a r2.o
cc a.o -Ld1 -Ld2 -lwho -Wl,-rpath,"$PWD/d1" -o a
run_is shared ./a
cc a.o -Ld2 -Ld1 -lwho -o a
run_is second ./a
cc a.o -L d1 -Wl,-Bstatic -lwho -Wl,-Bdynamic -o a
run_is archive ./a
