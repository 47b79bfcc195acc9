#!/bin/sh
# A thread-local reference to a symbol that is an ordinary variable elsewhere is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold lld" "they do not check"

echo 'extern __thread int mixed_up; int main(void) { return mixed_up; }' >a.c
echo 'int mixed_up = 1;' >b.c
cc -c a.c b.c
expect_error 'mixed_up' cc a.o b.o -o a
