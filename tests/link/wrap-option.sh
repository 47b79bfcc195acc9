#!/bin/sh
# --wrap=NAME: references to NAME go to __wrap_NAME, those to __real_NAME to NAME.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; }' >f.c
echo 'int __real_f(void); int __wrap_f(void) { return __real_f() + 10; }' >w.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c w.c m.c
cc m.o f.o w.o -Wl,--wrap=f -o m
exits_with 11 ./m
