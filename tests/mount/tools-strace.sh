#!/bin/sh
# strace sees a program that is linked lazily do what it does as a plain file, and where in it.
# NEEDS: linker gcc strace
. "$(dirname "$0")/lib-tools.sh"
three_programs

# calls DIR: the system calls of prog there, and the functions of prog they come from, without what differs each time.
calls() {
	(cd "$1" && run strace -fk -e trace=execve,mmap,mprotect,write,exit_group -o "$T/calls" ./prog) >says 2>strace.err || {
		cat strace.err >&2
		grep -q 'ptrace.*not permitted' strace.err && skip "ptrace is not permitted"
		fail "strace in $1"
	}
	equal "$(cat says)" "data 42" "what it says below strace in $1"
	sed -E "s/^[0-9]+ +//; s|[^ (]*/prog\(|prog(|; s/0x[0-9a-f]+/ADDRESS/g; s/[0-9]+ vars/VARS/; /^ > prog/! { /^ >/d; }" "$T/calls"
}

calls plain >want
for call in 'execve("./prog", ' 'write(1, "data 42\n", 8) ' 'prog(main+' 'exit_group(0)'; do
	grep -qF -- "$call" want || { cat want >&2; fail "strace of a plain file does not tell: $call"; }
done
cold
for state in cold warm; do
	$state
	for dir in out "$mnt"; do
		calls $dir >got
		cmp -s got want || { diff want got >&2; fail "another answer in $dir, $state"; }
	done
done
