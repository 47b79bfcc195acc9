#!/bin/sh
# A PIE and a shared library are linked at address zero; a position-dependent program at 0x400000, as tools expect.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >a.c
first() { readelf -lW "$1" | awk '$1 == "LOAD" { print $3; exit }'; }
cc -fPIE -pie a.c -o pie
cc -fPIC -shared a.c -o a.so
cc -fno-pie -no-pie a.c -o fixed
equal "$(first pie) $(first a.so)" "0x0000000000000000 0x0000000000000000" "base addresses"
case $peer in
linkfs | bfd) equal "$(first fixed)" 0x0000000000400000 "base of a position-dependent program" ;;
esac
