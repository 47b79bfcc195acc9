#!/bin/sh
# In INPUT and GROUP names may be separated by commas and put in quotes.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they take no commas"

echo 'int f(void) { return 1; }' >f.c
echo 'int g(void) { return 2; }' >g.c
echo 'int f(void), g(void); int main(void) { return f() + g(); }' >m.c
cc -c f.c g.c m.c
echo 'INPUT("f.o", g.o)' >in.script
cc m.o ./in.script -o m
exits_with 3 ./m
