#!/bin/sh
# Symbols of 5,000 letters, sections and files with long names.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

name=$(awk 'BEGIN { for (i = 0; i < 500; i++) printf "abcdefghij" }')
cat >l.s <<END
	.globl $name
	.section .text.$name,"ax",@progbits
$name:	mov \$3, %eax
	ret
	.section .note.GNU-stack,"",@progbits
END
printf 'int %s(void);\nint main(void) { return %s(); }\n' $name $name >m.c
cc -shared l.s -o libl.so
cc m.c ./libl.so -o m
exits_with 3 ./m
cc m.c l.s -o m
exits_with 3 ./m
check_elf m libl.so
