#!/bin/sh
# A missing library is an error that names it and, from linkfs, every directory that was searched.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir here there
echo 'int main(void) { return 0; }' >a.c
cc -c a.c
expect_error 'nosuchlib' cc a.o -Lhere -Lthere -lnosuchlib -o a
if is_linkfs; then
	has 'here' err
	has 'there' err
	equal "$(grep -c nosuchlib err)" 1 "reports of the one missing library"
fi
[ ! -e a ] || fail "an output was made"
