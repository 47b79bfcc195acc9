#!/bin/sh
# Local exec code cannot go into a shared library: an error that names file and symbol and suggests -fPIC.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo '__thread int own = 5; int get(void) { return own; }' >a.c
cc -O1 -fno-pie -ftls-model=local-exec -c a.c
expect_error 'own' cc -shared a.o -o a.so
has 'a\.o' err
has 'TPOFF32' err
has 'fPIC|shared' err
