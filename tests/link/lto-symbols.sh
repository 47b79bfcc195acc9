#!/bin/sh
# Symbols that are missing, or defined twice, are errors as among machine code; a reference that is optimised away is none.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for lld "it does not take GCC's plugin"

echo 'int missing(void); int main(void) { return missing(); }' >m.c
echo 'int main(void) { return 1; }' >again.c
echo 'int missing(void); static int dead(void) { return missing(); } int main(int c, char **v) { return 0 && v && c ? dead() : 3; }' >dead.c
gcc -flto -O2 -c m.c again.c dead.c
gcc -O2 -c again.c -o native.o
expect_error 'undefined (symbol|reference).*missing' cc -flto -O2 m.o -o prog
[ ! -e prog ] || fail "a file was left"
! is_linkfs || hasnt '/tmp/' err
expect_error '(duplicate symbol|multiple definition).*main' cc -flto -O2 dead.o again.o -o prog
has 'dead\.o' err
has 'again\.o' err
expect_error '(duplicate symbol|multiple definition).*main' cc -flto -O2 native.o dead.o -o prog
cc -flto -O2 dead.o -o prog
exits_with 3 ./prog
