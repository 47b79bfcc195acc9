#!/bin/sh
# A static executable: no interpreter, no dynamic section, runs; glibc's own IFUNCs, TLS and init arrays work.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <string.h>
int main(void) { errno = 2; printf("hello %zu %s\n", strlen("static"), strerror(errno)); return 0; }
END
cc -O2 -static a.c -o a
run_is "hello 6 No such file or directory" ./a
readelf -lW a >l
hasnt 'INTERP|DYNAMIC' l
has ' TLS ' l
check_elf a
