#!/bin/sh
# -s leaves neither .symtab nor debug sections; -S leaves .symtab but no debug sections. Both run.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 drops .symtab for -S"

cat >a.c <<'END'
#include <stdio.h>
static int helper(int x) { return x + 1; }
int main(void) { printf("%d\n", helper(1)); return 0; }
END
cc -g -O0 a.c -o full
cc -g -O0 a.c -s -o s
cc -g -O0 a.c -Wl,-S -o d
for f in full s d; do
	run_is 2 ./$f
	readelf -SW $f >$f.sections
	check_elf $f
done
has '\.debug_info' full.sections
hasnt '\.debug_|\.symtab|\.strtab ' s.sections
hasnt '\.debug_' d.sections
has '\.symtab' d.sections
equal "$(symlines d helper | cut -d' ' -f1,2)" "FUNC LOCAL" "a local symbol under -S"
