#!/bin/sh
# Objects between --start-lib and --end-lib are linked only when needed, as archive members are.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for bfd "the GNU ld of Debian 12 has no --start-lib"

echo 'int need(void) { return 3; }' >u.c
echo 'extern int n; __attribute__((constructor)) static void add(void) { n += 10; }' >v.c
echo 'int n; int need(void); int main(void) { return n + need(); }' >m.c
cc -c u.c v.c m.c
cc m.o -Wl,--start-lib u.o v.o -Wl,--end-lib -o a
exits_with 3 ./a
cc m.o -Wl,--start-lib u.o -Wl,--end-lib v.o -o b
exits_with 13 ./b
