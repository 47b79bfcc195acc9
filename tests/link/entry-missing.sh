#!/bin/sh
# Without _start in an executable there is a message about the entry symbol; a shared library needs none.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it takes the start of .text"

cat >a.s <<'END'
	.globl f
f:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" a.o -o a >err 2>&1 || :
has '_start|entry' err
"$LD" -shared a.o -o a.so >err 2>&1
hasnt . err
readelf -hW a.so >h
has 'Entry point address: *0x0$' h
