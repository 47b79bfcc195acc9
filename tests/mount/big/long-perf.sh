#!/bin/sh
# perf counts what runs from an output by its functions, callers and lines, and goes on doing so after a relink.
# NEEDS: linker gcc perf
: "${LINKFS_TEST_PATIENCE:=300}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-tools.sh"
run perf record -q -e cpu-clock -o trial.data true >trial 2>&1 ||
	skip "perf may not count here: $(grep -m 1 . trial)"
three_programs -fno-omit-frame-pointer

# counted DIR NAME: prog runs there for 0.1 s or more of a CPU.
counted() {
	(cd "$1" && run perf record -q -e cpu-clock -F 2000 -g -o "$T/$2" ./prog 30000000) >says 2>err || {
		cat err >&2
		fail "perf record in $1"
	}
	equal "$(cat says)" "data 2460000000" "what it says below perf in $1"
}

# reported NAME: by the functions it consists of, whatever its files are by now.
reported() {
	run perf report -i "$T/$1" --stdio --no-children -g none -F overhead,dso,sym >report 2>err || { cat err >&2; fail "perf report"; }
	for function in inner outer main; do
		has "^ +[0-9.]+% +prog +\[\.\] $function *$" report
	done
	! grep -E 'prog .*0x' report || fail "perf report has addresses and not functions"
	run perf buildid-list -i "$T/$1" >ids
	has "^$build_id .*/prog$" ids
}

build_id=$(readelf -n plain/prog | sed -n 's/.*Build ID: //p')
[ -n "$build_id" ] || fail "plain/prog has no build-id"
cold
for state in cold warm; do
	$state
	for dir in out "$mnt"; do
		counted $dir data
		reported data
		run perf script -i "$T/data" -F ip,sym --no-inline 2>/dev/null | tr -s '\n\t ' ' ' >chains
		has 'inner [0-9a-f]+ outer [0-9a-f]+ main ' chains
		run perf report -i "$T/data" --stdio --no-children -g none -F overhead,srcline >lines 2>/dev/null
		has ' inner\.c:3( |$)' lines
		run perf annotate -i "$T/data" --stdio -s inner >annotated 2>/dev/null
		has 'int doubled = value \* 2;' annotated
	done
done

cold
counted out before
sed -i 's/inner/renamed/' inner.c main.c
gcc -g -fno-omit-frame-pointer -c main.c inner.c
link $objects -o out/prog
rm "$mnt/.linkfs/links/prog"
run "$linkfs" gc >"$T/gc"
reported before
