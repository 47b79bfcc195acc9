#!/bin/sh
# .gnu.warning.SYMBOL sections warn whoever uses the symbol, and do not fail the link.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they do not print such warnings"

cat >a.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void) { char b[100]; return tmpnam(b) == 0; }
END
cc -c a.c -w
cc a.o -o a 2>err
has 'tmpnam' err
./a
