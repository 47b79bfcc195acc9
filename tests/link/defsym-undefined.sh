#!/bin/sh
# --defsym with an expression that names an unknown symbol is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 crashes"

echo 'int main(void) { return 0; }' >m.c
cc -c m.c
expect_error 'unheard_of' cc m.o -Wl,--defsym=x=unheard_of -o m
