#!/bin/sh
# Sections whose bytes are all zero once the loader's words are left to it have the bytes of file mode, and so do those that only
# look like it: with a word that is absolute, imported or weak, or that the input does not leave zero.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
cat >t.s <<'END_S'
	.macro table name
	.section .data.rel.ro.\name, "aw", @progbits
	.globl \name
	.p2align 3
\name:
	.endm
	table blank
	.quad f, blank, 0, local+4
	table absolute
	.quad f, number, 0
	table imported
	.quad f, puts, 0
	table weak
	.quad f, nobody, 0
	table number_in_it
	.quad f, 42
	table odd
	.quad f, 0
	.byte 0, 0, 0
	table more
	.quad f, g, more
	.weak nobody
	.data
local:	.quad 1, 2
END_S
cat >main.c <<'END_C'
#include <stdio.h>
extern const unsigned long blank[], absolute[], imported[], weak[], number_in_it[], odd[], more[];
int f(void) { return 5; }
int g(void) { return 6; }
int main(void)
{
	int fs = 0;
	const unsigned long *all[] = { blank, absolute, imported, weak, number_in_it, odd, more };
	for (int i = 0; i < 7; i++)
		fs += ((int (*)(void))all[i][0])();
	return printf("%d %lx %d %lx %lu %d\n", fs, absolute[1], imported[1] != 0, weak[1], number_in_it[1],
		      more[2] == (unsigned long)more) < 0;
}
END_C
gcc -O1 -fPIC -c main.c t.s
start_mount
for edit in 1 2 3; do
	for kind in "-pie -Wl,--defsym=number=0x123$edit" "-shared -Wl,--defsym=number=7 -Wl,--unresolved-symbols=ignore-all" \
		"-no-pie -Wl,--defsym=number=f+$edit" "-pie -Wl,--defsym=number=f+$edit"; do
		# shellcheck disable=SC2086 # a list of words
		gcc -B"$LINKFS_BUILD/libexec/linkfs" $kind main.o t.o -o file || fail "file mode $kind"
		name=p$(echo "$kind" | cksum | cut -d' ' -f1)
		# shellcheck disable=SC2086
		add_linked "$name" gcc $kind main.o t.o -o file
		same_bytes "$mnt/$name" file
		case $kind in -pie*0x123*) equal "$("$mnt/$name")" "35 123$edit 1 0 42 1" "what the program found" ;; esac
	done
	printf '\t.section .data.rel.ro.a%d, "aw"\n\t.quad main\n' "$edit" >>t.s
	gcc -c t.s -o t.new && mv t.new t.o # which moves what lies behind it
done
