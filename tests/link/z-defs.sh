#!/bin/sh
# A shared library may leave symbols undefined; -z defs and --no-undefined forbid it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int elsewhere(void); int f(void) { return elsewhere(); }' >f.c
cc -fPIC -c f.c
cc -shared f.o -o f.so
equal "$(dynsymlines f.so elsewhere | cut -d' ' -f1,2,4)" "NOTYPE GLOBAL UND" "the undefined symbol"
expect_error 'elsewhere' cc -shared f.o -Wl,-z,defs -o g.so
expect_error 'elsewhere' cc -shared f.o -Wl,--no-undefined -o g.so
