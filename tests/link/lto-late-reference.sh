#!/bin/sh
# What compiled code calls and nobody mentioned before: machine code is extracted; intermediate code comes too late, told so.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "each has its own rule"

# The compiler turns the loop into a call of memset, which no object mentions.
echo 'char buf[4096]; __attribute__((noipa)) void clear(char *p, unsigned n) { for (unsigned i = 0; i < n; i++) p[i] = 0; }' >m.c
echo 'void start(void) { clear(buf, 4096); for (;;); }' >>m.c
echo 'void *memset(void *p, int c, unsigned long n) { for (volatile char *q = p; n--; q++) *q = c; return p; }' >memset.c
gcc -flto -O3 -c m.c
gcc -O1 -fno-builtin -c memset.c && ar rc native.a memset.o
cc -flto -O3 -nostdlib -static -e start m.o native.a -o prog
readelf -sW prog | grep -q ' memset$' || skip "this compiler makes no call of memset here"
gcc -flto -O1 -fno-builtin -c memset.c && gcc-ar rc late.a memset.o
expect_error 'late\.a\(memset\.o\).*-u SYMBOL' cc -flto -O3 -nostdlib -static -e start m.o late.a -o prog
cc -flto -O3 -nostdlib -static -e start -Wl,-u,memset m.o late.a -o prog
