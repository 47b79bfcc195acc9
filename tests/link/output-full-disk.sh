#!/bin/sh
# A full disk is a message and leaves no half-made output.
# NEEDS: cc root
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they die of SIGBUS"

mkdir small
mount -t tmpfs -o size=64k none small 2>/dev/null || skip "cannot mount a tmpfs"
at_exit="umount $PWD/small"
cat >a.s <<'END'
	.globl _start
_start:	ret
	.data
	.fill 400000, 1, 7
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
expect_error '[Nn]o space left on device' "$LD" a.o -o small/out
equal "$(ls -A small)" "" "files left on the full disk"
