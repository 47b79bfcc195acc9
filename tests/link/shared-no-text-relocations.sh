#!/bin/sh
# A library of ordinary PIC code has no DT_TEXTREL, and its text is shared untouched.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
#include <stdio.h>
extern int outside;
static int inside;
int *pointers[] = {&outside, &inside};
void f(void) { printf("%d %d\n", outside, inside); }
END
cc -O2 -fPIC -shared l.c -o l.so
readelf -dW l.so >d
hasnt 'TEXTREL' d
check_elf l.so
