#!/bin/sh
# --eh-frame-hdr makes the section and PT_GNU_EH_FRAME; without it (calling the linker itself) there is none.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it always makes the header"

cat >a.s <<'END'
	.globl _start
_start:	.cfi_startproc
	ret
	.cfi_endproc
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" --eh-frame-hdr a.o -o with
"$LD" a.o -o without
readelf -lSW with >l
has 'GNU_EH_FRAME' l
has '\.eh_frame_hdr' l
readelf -lSW without >l
hasnt 'GNU_EH_FRAME|eh_frame_hdr' l
has '\.eh_frame' l
check_elf with without
