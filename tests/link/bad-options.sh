#!/bin/sh
# Options that ask for what cannot be: names defined by each other, addresses beyond the last.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "their messages differ"

printf '\t.globl _start\n_start: ret\n\t.quad a\n' >a.s
gcc -c a.s

# An expression may name what a later one defines, but not itself.
"$LD" --defsym=a=b+1 --defsym=b=c --defsym=c=0x10 -o forward a.o
equal "$(sym forward a)" 0000000000000011 "a forward reference in --defsym"
expect_error '--defsym .*: is defined by itself' "$LD" --defsym=a=b+1 --defsym=b=a -o cycle a.o

expect_error 'beyond the end of the address space' "$LD" --defsym=a=0 --image-base=0xfffffffffffff000 -o wrap a.o
expect_error '/dev/zero: cannot read: File too large' "$LD" -o zero a.o /dev/zero
