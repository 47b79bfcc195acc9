#!/bin/sh
# An object cut off at any of fifty places is an error that names it; never a crash, never an output.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they take a file without section headers for an empty object"

cat >a.c <<'END'
#include <stdio.h>
static const char *names[] = {"one", "two"};
int main(int argc, char **argv) { printf("%s %s\n", names[argc - 1], argv[0]); return 0; }
END
cc -g -c a.c -o good.o
size=$(stat -c %s good.o)
i=0
while [ $i -lt 50 ]; do
	head -c $((size * i / 50)) good.o >cut.o
	[ $i = 0 ] && ! is_linkfs || expect_error 'cut\.o' "$LD" cut.o -o out
	[ ! -e out ] || fail "an output was made from $((size * i / 50)) of $size bytes"
	i=$((i + 1))
done
