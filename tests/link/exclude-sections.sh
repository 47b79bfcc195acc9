#!/bin/sh
# Sections flagged SHF_EXCLUDE do not reach the output.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .left.out,"e",@progbits
	.ascii "left out"
	.section .note.GNU-stack,"",@progbits
END
echo 'int main(void) { return 0; }' >m.c
cc a.s m.c -o m
readelf -SW m >s
hasnt 'left\.out' s
