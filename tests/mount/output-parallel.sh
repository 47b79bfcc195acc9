#!/bin/sh
# Twenty links at once, half of them of the same output: each is right, the last one wins, nothing is left over.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one two
link_file one.o -o one.file
link_file two.o -o two.file
for settle in never 5s; do
	start_mount "settle=$settle"
	i=0 pids=
	while [ $i -lt 10 ]; do
		i=$((i + 1))
		if [ $((i % 2)) = 0 ]; then word=one; else word=two; fi
		link $word.o -o "out$i" &
		pids="$pids $!"
		link $word.o -o same &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid" || fail "a link"; done
	equal "$(stat_of links_made)" 20 "links on the mount"
	i=0
	while [ $i -lt 10 ]; do
		i=$((i + 1))
		if [ $((i % 2)) = 0 ]; then word=one; else word=two; fi
		run cmp "out$i" $word.file || fail "out$i"
	done
	case $(run ./same) in
	one) run cmp same one.file ;;
	two) run cmp same two.file ;;
	*) fail "what -o of ten links says" ;;
	esac
	nothing_beside .
	stop_mount
	rm -f out* same
done
