#!/bin/sh
# --no-relax leaves GOT loads as they are, and plain GOTPCREL (no X) is never rewritten; both work.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "they rewrite plain GOTPCREL too"

cat >a.s <<'END'
	.globl get
get:	movq data@GOTPCREL(%rip), %rax
	movl (%rax), %eax
	ret
	.globl data
	.data
data:	.long 5
	.section .note.GNU-stack,"",@progbits
END
echo 'int get(void); int main(void) { return get(); }' >m.c
cc -c m.c
cc -c a.s
cc a.o m.o -Wl,--no-relax -o m
exits_with 5 ./m
disas m get >d
has 'mov +0x[0-9a-f]+\(%rip\),%rax' d
cc -c -Wa,-mrelax-relocations=no a.s -o b.o
cc b.o m.o -o m
exits_with 5 ./m
disas m get >d
has 'mov +0x[0-9a-f]+\(%rip\),%rax' d
check_elf m
