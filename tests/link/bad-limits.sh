#!/bin/sh
# Limits of the process: file size, memory, descriptors. An error that says so, no signal, and nothing left behind.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "their messages differ"

printf '\t.globl _start\n_start: ret\n\t.data\n\t.zero 300000, 1\n' >a.s
gcc -c a.s
echo old >out

limited() {	# what, limit, command...
	what=$1
	limit=$2
	shift 2
	(ulimit "$what" "$limit" && exec "$@")
}

expect_error 'out: cannot write the output: File too large' limited -f 100 "$LD" -o out a.o
equal "$(cat out)" old "the old output was touched"
[ -z "$(ls -A | grep linkfs- || :)" ] || fail "a temporary file was left behind"

for i in $(seq 20); do cp a.o "a$i.o"; done
expect_error 'Too many open files' limited -n 12 "$LD" --allow-multiple-definition -o out a?.o a??.o

if [ -z "${LINKFS_SANITIZE:-}" ]; then
	# Whatever the least is that it can run in, below it there must be a message; no thread is no error.
	for kb in 6000 8000 10000 15000 20000 30000 60000; do
		status=0
		limited -v "$kb" "$LD" -o out a.o 2>err || status=$?
		[ "$status" -lt 126 ] || [ "$status" = 127 ] || { cat err >&2; fail "ulimit -v $kb: killed: $status"; }
		[ "$status" = 0 ] || [ -s err ] || fail "ulimit -v $kb: no message"
	done
fi
"$LD" -o out a.o
check_elf out
