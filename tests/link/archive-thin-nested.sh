#!/bin/sh
# A thin archive made from a regular one names its members as ARCHIVE:OFFSET; one made from a thin one lists the
# objects. Both are followed.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir in
echo 'int f(void) { return 6; }' >f.c
echo 'int g(void) { return 1; }' >g.c
echo 'int f(void), g(void); int main(void) { return f() + g(); }' >m.c
cc -c f.c g.c
ar rcT in/thin.a f.o
ar rcT outer1.a in/thin.a g.o
cc m.c outer1.a -o m
exits_with 7 ./m
[ "$peer" = lld ] && exit 0	# it does not read ARCHIVE:OFFSET
[ "$peer" = mold ] && exit 0	# nor does this one
ar rc in/regular.a f.o
(cd in && ar rcT ../outer2.a regular.a ../g.o)
cc m.c outer2.a -o m
exits_with 7 ./m
