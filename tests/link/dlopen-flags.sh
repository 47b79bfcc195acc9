#!/bin/sh
# -z nodelete, -z origin, -z initfirst and the like set their bits in DT_FLAGS_1.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 0; }' >l.c
cc -fPIC -shared l.c -Wl,-z,nodelete -Wl,-z,origin -Wl,-z,nodlopen -o l.so
readelf -dW l.so >d
has 'FLAGS_1.*NODELETE' d
has 'FLAGS_1.*NOOPEN' d
has 'FLAGS_1.*ORIGIN' d
