#!/bin/sh
# Two strong definitions are an error that names the symbol and both files, once; -z muldefs takes the first.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int twice(int x) { return 1; } int main(void) { return twice(0); }' >a.c
echo 'int twice(int x) { return 2; }' >b.c
cc -c a.c b.c
expect_error 'twice' cc a.o b.o -o m
has '(duplicate symbol|multiple definition).*twice|twice.*(duplicate|multiple)' err
has 'a\.o' err
has 'b\.o' err
if is_linkfs; then
	equal "$(grep -Ec '(duplicate symbol|multiple definition)' err)" 1 "reports"
	has 'ld(\.linkfs)?: error|linkfs: ' err
fi
cc a.o b.o -Wl,-z,muldefs -o m
exits_with 1 ./m
