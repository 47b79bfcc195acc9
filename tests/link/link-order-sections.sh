#!/bin/sh
# SHF_LINK_ORDER sections follow the order of the text they describe, and go when that goes.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it keeps the section of dropped text"

cat >a.s <<'END'
	.section .text.unused,"ax",@progbits
unused:	ret
	.section .text.one,"ax",@progbits
	.globl one
one:	ret
	.section .text.two,"ax",@progbits
	.globl two
two:	ret
	.section meta,"ao",@progbits,.text.two
	.quad 2
	.section meta,"ao",@progbits,.text.one
	.quad 1
	.section meta,"ao",@progbits,.text.unused
	.quad 3
	.section .note.GNU-stack,"",@progbits
END
cat >m.c <<'END'
void one(void), two(void);
extern long __start_meta[], __stop_meta[];
int main(void) { one(); two(); return __stop_meta - __start_meta == 2 ? __start_meta[0] * 10 + __start_meta[1] : 99; }
END
cc a.s m.c -Wl,--gc-sections -o m
exits_with 12 ./m
check_elf m
