#!/bin/sh
# A common symbol against a weak definition: GNU ld and lld take the common one, in either order.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "it takes the weak definition"

echo 'int shared_name; int *a(void) { return &shared_name; }' >a.c
echo '__attribute__((weak)) int shared_name = 5;' >w.c
echo 'int *a(void); int main(void) { return *a(); }' >m.c
cc -fcommon -c a.c m.c
cc -c w.c
for order in "a.o w.o" "w.o a.o"; do
	cc m.o $order -o m
	exits_with 0 ./m
done
