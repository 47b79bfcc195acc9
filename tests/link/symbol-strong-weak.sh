#!/bin/sh
# A strong definition beats a weak one in either order; of two weak ones the first wins.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; }' >strong.c
echo '__attribute__((weak)) int f(void) { return 2; }' >weak1.c
echo '__attribute__((weak)) int f(void) { return 3; }' >weak2.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c strong.c weak1.c weak2.c m.c
link_gives() {
	want=$1
	shift
	cc "$@" -o a
	exits_with "$want" ./a
}
link_gives 1 m.o strong.o weak1.o
link_gives 1 m.o weak1.o strong.o
link_gives 1 weak2.o weak1.o strong.o m.o
link_gives 2 m.o weak1.o weak2.o
link_gives 3 weak2.o weak1.o m.o
