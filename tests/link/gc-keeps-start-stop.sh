#!/bin/sh
# --gc-sections keeps sections whose name is a C identifier where __start_NAME or __stop_NAME is referred to from live
# code, and drops those nobody asks for.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "lld lets it go (-z start-stop-gc), mold keeps every such section"

cat >a.c <<'END'
#include <stdio.h>
__attribute__((section("wanted"), used)) static int w1 = 3;
__attribute__((section("wanted"), used)) static int w2 = 4;
extern int __start_wanted[], __stop_wanted[];
int main(void)
{
	int sum = 0;
	for (int *p = __start_wanted; p < __stop_wanted; p++)
		sum += *p;
	printf("%d %d\n", sum, (int)(__stop_wanted - __start_wanted));
	return 0;
}
END
echo '__attribute__((section("unwanted"), used)) int u = 5;' >b.c
cc a.c b.c -Wl,--gc-sections -o a
run_is "7 2" ./a
readelf -SW a >s
hasnt ' unwanted ' s
check_elf a
