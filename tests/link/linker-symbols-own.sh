#!/bin/sh
# A program's own definition of end, edata or etext is no conflict; __start_ and __stop_ of a missing section are zero
# when weak.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
int end = 3, edata = 4;
int etext(void) { return 5; }
extern char __start_nothing[] __attribute__((weak)), __stop_nothing[] __attribute__((weak));
int main(void) { return end + edata + etext() + (__start_nothing != __stop_nothing); }
END
cc -O0 a.c -o a
exits_with 12 ./a
