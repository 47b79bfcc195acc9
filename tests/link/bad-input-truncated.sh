#!/bin/sh
# An input that another program truncates while the link is made, after it was opened: an error, not a bus error.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they die of it"

printf '\t.globl _start\n_start: ret\n\t.data\n\t.zero 300000, 1\n' >a.s
printf '\t.globl f\nf: ret\n' >b.s
gcc -c a.s b.s
mkfifo pipe

# Opening the pipe for writing waits until the linker opens it, which is when it has a.o.
"$LD" -o out a.o pipe 2>err &
linker=$!
exec 3>pipe
: >a.o
cat b.o >&3
exec 3>&-
status=0
wait "$linker" || status=$?
equal "$status" 1 "wrong exit status: $(cat err)"
has 'error: .*(truncated|changed)' err
[ ! -e out ] || fail "an output was made of an input that is gone"
