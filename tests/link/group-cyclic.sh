#!/bin/sh
# --start-group searches its archives until nothing new is found. (linkfs and lld treat any order as one group.)
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int b1(void); int a1(void) { return b1() + 1; } ' >a1.c
echo 'int a2(void) { return 10; }' >a2.c
echo 'int a2(void); int b1(void) { return a2() + 2; }' >b1.c
echo 'int a1(void); int main(void) { return a1(); }' >m.c
cc -c a1.c a2.c b1.c m.c
ar rc liba.a a1.o a2.o
ar rc libb.a b1.o
cc m.o -Wl,--start-group liba.a libb.a -Wl,--end-group -o m
exits_with 13 ./m
cc m.o -Wl,'-(' libb.a liba.a -Wl,'-)' -o m2
exits_with 13 ./m2
