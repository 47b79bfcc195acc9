#!/bin/sh
# One report per undefined symbol, with at most three places and the number of those left out; every symbol is reported.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

for n in 1 2 3 4 5; do
	echo "int missing_thing(void); int other_thing(void); int f$n(void) { return missing_thing() + $n; }" >place$n.c
done
echo 'int other_thing(void); int main(void) { return other_thing(); }' >m.c
cc -c place1.c place2.c place3.c place4.c place5.c m.c
expect_error 'missing_thing' cc place1.o place2.o place3.o place4.o place5.o m.o -o a
has 'other_thing' err
is_linkfs || [ "$peer" = lld ] || exit 0
equal "$(grep -c 'undefined symbol.*missing_thing' err)" 1 "reports of missing_thing"
equal "$(grep -o 'place[1-5]' err | sort -u | wc -l)" 3 "places told"
has '\b2\b.*more' err
