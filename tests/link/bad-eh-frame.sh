#!/bin/sh
# Call frames that only a hostile or broken tool makes: refused with their place, or harmless.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they refuse less, or crash"

# frames NAME SECTION-FLAGS BEFORE-FDE FDE-START AFTER: an object with one CIE and one FDE.
frames() {
	cat >"$1.s" <<END
	.globl _start, x
_start:	ret
	.section .rodata.cst8,"aM",@progbits,8
.Lc:	.quad 1
	.data
x:	.quad 0
	.section .eh_frame,$2
.Lcie:	.long 12, 0
	.byte 1, 0, 1, 8, 16, 0, 0, 0
$3
	.long 24
	.long . - .Lcie
	$4
	.long 4
	.byte 0, 0, 0x48, 0x8b, 0x05, 0, 0, 0, 0, 0, 0, 0
	.long 0
$5
	.section .note.GNU-stack,"",@progbits
END
	gcc -c "$1.s"
}

# What would be an instruction to relax in code is none in a record.
frames relax '"a",@progbits' '.Lafter:' '.long _start - .' '.reloc .Lafter + 21, R_X86_64_REX_GOTPCRELX, x - 4'
"$LD" --eh-frame-hdr -o relax relax.o
case $(section_hex relax .eh_frame) in
*488b05*) ;;
*) fail "the record was relaxed as if it were code: $(section_hex relax .eh_frame)" ;;
esac

# A field that lies in no record, or in two.
frames between '"a",@progbits' '	.long 0
.Lafter:	.reloc . - 4, R_X86_64_PC32, x' '.long _start - .' ''
expect_error 'between\.o:\(\.eh_frame\+0x10\): relocation does not lie in one' "$LD" -o between between.o
frames across '"a",@progbits' '.Lafter:' '.long _start - .' '.reloc .Lafter + 26, R_X86_64_PC32, x'
expect_error 'across\.o:\(\.eh_frame\+0x2a\): relocation does not lie in one' "$LD" -o across across.o

# A record of merged constants.
frames merged '"a",@progbits' '.Lafter:' '.long .Lc - .' ''
expect_error 'merged\.o:\(\.eh_frame\+0x18\): call frame record of what cannot be code' "$LD" -o merged merged.o

# An address that the loader would have to write, in records that move and are shared.
frames dynamic '"aw",@progbits' '.Lafter:' '.long _start - .' '.reloc .Lafter + 20, R_X86_64_64, x'
expect_error 'dynamic\.o:\(\.eh_frame\+0x24\): .* needs a dynamic relocation in \.eh_frame' "$LD" -pie -o dynamic dynamic.o

# No bytes, as in a file of debugging information; not allocated.
printf '\t.globl _start\n_start: ret\n\t.section .eh_frame,"a",@nobits\n\t.zero 64\n' >nobits.s
printf '\t.globl _start\n_start: ret\n\t.section .eh_frame,"",@progbits\n\t.quad _start\n' >loose.s
gcc -c nobits.s loose.s
"$LD" --eh-frame-hdr -o nobits nobits.o
"$LD" --eh-frame-hdr -o loose loose.o
check_elf nobits loose
