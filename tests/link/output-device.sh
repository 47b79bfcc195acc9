#!/bin/sh
# An output that is a device is written to, never replaced; a pipe gets the whole file.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" a.o -o /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
"$LD" a.o -o file
[ -s file ] || fail "no output"
ln -s /dev/null sink
"$LD" a.o -o sink
[ -c /dev/null ] || fail "/dev/null was replaced through a link"
is_linkfs || exit 0
mkfifo pipe
cat pipe >copy &
reader=$!
"$LD" a.o -o pipe || { kill "$reader"; fail "cannot write to a pipe"; }
wait "$reader"
[ -p pipe ] || fail "the pipe was replaced"
same copy file
