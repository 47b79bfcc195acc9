#!/bin/sh
# Equal strings of several objects are stored once, of 1-, 2- and 4-byte characters; pointers into their middle hold.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

for n in 1 2; do
	cat >$n.c <<END
#include <wchar.h>
const char *narrow$n(void) { return "a rather particular string"; }
const char *middle$n(void) { return "a rather particular string" + 9; }
const wchar_t *wide$n(void) { return L"wide string"; }
const unsigned short *two$n(void) { return u"two-byte string"; }
END
done
cat >m.c <<'END'
#include <stdio.h>
#include <wchar.h>
const char *narrow1(void), *narrow2(void), *middle1(void), *middle2(void);
const wchar_t *wide1(void), *wide2(void);
const unsigned short *two1(void), *two2(void);
int main(void)
{
	printf("%s|%s|%ls|%c%c %d%d%d%d\n", narrow1(), middle2(), wide2(), two1()[0], two2()[14], narrow1() == narrow2(),
	       middle1() == middle2(), wide1() == wide2(), two1() == two2());
	return 0;
}
END
cc -O1 1.c 2.c m.c -o m
run_is "a rather particular string|particular string|wide string|tg 1111" ./m
equal "$(strings -a m | grep -c '^a rather particular string$')" 1 "copies of the string"
check_elf m
