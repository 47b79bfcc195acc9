#!/bin/sh
# Several different errors of one link are reported together: undefined symbols of two objects and a duplicate.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they stop at the first kind"

echo 'int missing_one(void); int twice(void) { return 0; } int a(void) { return missing_one(); }' >a.c
echo 'int missing_two(void); int twice(void) { return missing_two(); } int main(void) { return 0; }' >b.c
cc -c a.c b.c
expect_error 'twice' cc a.o b.o -o m
[ "$peer" = mold ] || has missing_one err
[ "$peer" = mold ] || has missing_two err
if is_linkfs; then equal "$(grep -c 'undefined symbol' err)" 2 "undefined symbols reported with the duplicate"; fi
