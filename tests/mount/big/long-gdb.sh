#!/bin/sh
# gdb shows of an output what it shows of a plain file; runs what is there after a relink, whether the old program runs by
# then or not, and goes on with a program that was replaced, or settled, under its hands.
# NEEDS: linker gcc gdb
: "${LINKFS_TEST_PATIENCE:=300}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-tools.sh"
three_programs
sed -i '2i while [ "$(stat -L -c %Y out/prog "$T/mnt/prog" | sort -n | tail -n 1)" -ge "$(date +%s)" ]; do sleep 0.1; done' edit
export T
cold
for state in cold warm; do
	$state
	for dir in plain out "$mnt"; do
		debug "$dir" 'break inner.c:4' run 'print doubled' bt 'x/s data' 'info symbol inner' 'info line inner' 'disassemble inner'
		backtrace_in gdb.out
		has '\$1 = 42' gdb.out
		has '<data>:.*"data"' gdb.out
		has '^inner in section .text' gdb.out
		sed 's/of \/.*//; /argv=0x/d' gdb.out >got
		[ $dir != plain ] || cp got want
		cmp -s want got || { diff want got >&2; fail "gdb says something else in $dir, $state"; }
	done
done

for before in kill 'echo running\n' "shell '$linkfs' materialize '$PWD/out/prog'"; do
	for dir in out "$mnt"; do
		cp "$T/inner.c" inner.c
		gcc -g -c inner.c
		cold
		debug "$dir" 'break inner.c:4' run 'print doubled' "$before" "shell cd '$PWD' && sh ./edit" run bt next 'print doubled'
		has '\$1 = 42' gdb.out
		backtrace_in gdb.out
		has '4	.*int doubled = value \* 3;' gdb.out
		has '\$2 = 63' gdb.out
	done
done

# Who does not run it anew goes on with what runs.
for dir in out "$mnt"; do
	cp "$T/inner.c" inner.c
	gcc -g -c inner.c
	cold
	debug "$dir" 'break inner.c:4' run "shell cd '$PWD' && sh ./edit" bt 'print doubled' 'break printf' continue bt continue
	backtrace_in gdb.out
	has '\$1 = 42' gdb.out
	has '^data 42' gdb.out
done
