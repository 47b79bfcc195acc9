#!/bin/sh
# --dependency-file writes a rule for make that names every input, with an empty rule for each.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they do not protect spaces"

echo 'int main(void) { return 0; }' >'a b.c'
cc -c 'a b.c' -o 'a b.o'
cc 'a b.o' -Wl,--dependency-file=a.d -o a
grep -q '^a:' a.d || fail "no rule for the output"
grep -q 'a\\ b\.o' a.d || fail "the input with a space is not protected"
grep -q '^a\\ b\.o:$' a.d || fail "the input has no rule of its own"
make -q -f a.d a || fail "make does not understand it, or thinks that the output is old"
