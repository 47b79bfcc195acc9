#!/bin/sh
# -Map writes a map that names output sections, input files and symbols with their addresses; -M prints it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int data_here = 1; int main(void) { return 0; }' >a.c
cc -c a.c -o object-name.o
cc object-name.o -Wl,-Map,a.map -o a
has '\.text' a.map
has 'object-name\.o' a.map
has "$(sym a data_here | sed 's/^0*//').*data_here|data_here.*$(sym a data_here | sed 's/^0*//')" a.map
cc object-name.o -Wl,-M -o b >b.map
has 'data_here' b.map
expect_error 'no/such' cc object-name.o -Wl,-Map=no/such/map -o c
