#!/bin/sh
# valgrind names functions, files and lines of an output, finds what is wrong in it, and nothing else.
# NEEDS: linker gcc valgrind
: "${LINKFS_TEST_PATIENCE:=300}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-tools.sh"
cat >inner.c <<'END'
#include <stdlib.h>
int inner(int value)
{
	char *block = malloc(8);
	int bad = value > 50 ? block[8] : 0;
	if (value <= 100)
		free(block);
	return value * 2 + (bad & 0);
}
END
three_programs

# checked DIR ARG...: what memcheck says of prog ARG... there, without process ids and addresses.
checked() {
	(cd "$1" && shift && run valgrind --leak-check=full --error-exitcode=9 --log-file="$T/log" ./prog 1 "$@") >says 2>err
	status=$?
	sed -E 's/==[0-9]+==//; s/0x[0-9A-F]+/ADDRESS/g; /^ Parent PID/d' "$T/log" >"$T/log.same"
	return $status
}

cold
for state in cold warm; do
	$state
	for dir in plain out "$mnt"; do
		checked $dir || { cat "$T/log" >&2; fail "memcheck complains in $dir, $state"; }
		has 'ERROR SUMMARY: 0 errors' "$T/log"
		checked $dir 2 && fail "memcheck finds nothing in $dir, $state"
		has 'Invalid read of size 1' "$T/log"
		has 'at ADDRESS: inner \(inner\.c:5\)' "$T/log.same"
		has 'by ADDRESS: outer \(main\.c:7\)' "$T/log.same"
		has 'by ADDRESS: main \(main\.c:13\)' "$T/log.same"
		checked $dir 2 3 4 && fail "memcheck finds no leak in $dir, $state"
		has '8 bytes in 1 blocks are definitely lost' "$T/log"
		has 'by ADDRESS: inner \(inner\.c:4\)' "$T/log.same"
		[ $dir = plain ] && cp "$T/log.same" want
		cmp -s want "$T/log.same" || { diff want "$T/log.same" >&2; fail "memcheck says something else in $dir, $state"; }
	done
done

(cd out && run valgrind -q --tool=callgrind --callgrind-out-file="$T/calls" ./prog) >says 2>err || { cat err >&2; fail callgrind; }
run callgrind_annotate "$T/calls" >calls
has 'main\.c:main' calls
