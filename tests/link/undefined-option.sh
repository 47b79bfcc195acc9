#!/bin/sh
# -u NAME extracts the archive member that defines NAME, though nobody else refers to it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'extern int n; int hook(void) { return 1; } __attribute__((constructor)) static void set(void) { n = 4; }' >h.c
echo 'int n; int main(void) { return n; }' >m.c
cc -c h.c m.c
ar rc libh.a h.o
cc m.o libh.a -o a
exits_with 0 ./a
cc m.o libh.a -Wl,-u,hook -o b
exits_with 4 ./b
cc m.o libh.a -Wl,--undefined=hook -o c
exits_with 4 ./c
cc m.o libh.a -Wl,-u,not_anywhere -o d
exits_with 0 ./d
