#!/bin/sh
# -v and --version print a name and succeed; -v alone needs no input; build systems find "GNU ld" or "compatible".
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

"$LD" -v >v
"$LD" --version >version
hasnt '^$' v
if is_linkfs; then
	has 'linkfs [0-9]+\.[0-9]+' v
	has 'linkfs [0-9]+\.[0-9]+' version
	has 'GNU ld|compatible with GNU' version
fi
echo 'int main(void) { return 0; }' >a.c
cc a.c -Wl,-v -o a >out 2>&1
./a
