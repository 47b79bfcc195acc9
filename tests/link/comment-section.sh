#!/bin/sh
# .comment holds each compiler's line once; linkfs adds its own.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 0; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc f.c m.c -o m
readelf -p .comment m >c
equal "$(grep -c 'GCC: ' c)" 1 "copies of the compiler's line"
if is_linkfs; then has 'Linker: linkfs [0-9]+\.[0-9]+' c; fi
