#!/bin/sh
# When a link fails, the old output stays as it was, and no temporary file is left behind.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they remove the old output first"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cat >b.s <<'END'
	.globl _start
_start:	call nothing
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s b.s
"$LD" a.o -o out
cp -p out before
expect_error nothing "$LD" b.o -o out
same out before
equal "$(stat -c %i:%Y out | cut -d: -f2)" "$(stat -c %Y before)" "the time of the old output"
rm -f err stdout.txt before
equal "$(ls -A | tr '\n' ' ')" "a.o a.s b.o b.s out " "files left behind"
