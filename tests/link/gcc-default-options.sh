#!/bin/sh
# Every option that gcc, g++ and clang of Debian 12 pass by default or for their link modes is accepted.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
for o in --build-id --eh-frame-hdr "-m elf_x86_64" --hash-style=gnu \
	--hash-style=both --as-needed --no-as-needed "-dynamic-linker /lib64/ld-linux-x86-64.so.2" -pie -no-pie -static \
	"-pie --no-dynamic-linker -z text" -shared -Bstatic -Bdynamic -dn -dy "--start-group --end-group" \
	"--push-state --pop-state" -export-dynamic --export-dynamic -E "-z relro" "-z now" -s -S -nostdlib "-L/x -L /y" \
	"-rpath /x" "-soname x" "-e _start" "-u x" -O1 -v "-o a2" --sysroot=/ --no-undefined; do
	"$LD" $o a.o -o a 2>err >out || { cat err >&2; fail "not accepted: $o"; }
	[ -s a ] || fail "no output with $o"
	rm a
	hasnt 'unknown|unrecognized|warning' err
done
