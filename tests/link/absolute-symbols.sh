#!/bin/sh
# Absolute symbols keep their value: they are not moved with a position-independent output.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl absolute, get, pointer
	absolute = 0x1234
get:	mov $absolute, %eax
	ret
	.data
pointer: .quad absolute
	.section .note.GNU-stack,"",@progbits
END
echo 'int get(void); extern long pointer; int main(void) { return get() == 0x1234 && pointer == 0x1234 ? 0 : 1; }' >m.c
for mode in "-fno-pie -no-pie" "-fPIE -pie"; do
	cc $mode a.s m.c -o m
	./m
	equal "$(symlines m absolute | cut -d' ' -f4)" ABS "its section"
	check_elf m
done
