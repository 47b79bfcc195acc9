#!/bin/sh
# -z now sets DF_BIND_NOW and DF_1_NOW, and the PLT's slots become read-only; -z lazy does not.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
int main(int argc, char **argv) { (void)argv; printf("%d\n", argc); return 0; }
END
cc a.c -Wl,-z,now -o now
cc a.c -Wl,-z,lazy -o lazy
readelf -dW now >dyn
has 'FLAGS.*BIND_NOW' dyn
has 'FLAGS_1.*NOW' dyn
readelf -dW lazy >dyn
hasnt 'NOW' dyn
run_is 1 ./now
run_is 1 ./lazy
LD_BIND_NOW=1 run_is 1 ./lazy
check_elf now lazy
