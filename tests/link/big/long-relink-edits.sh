#!/bin/sh
# Five hundred random edits, with five seeds: every output has the bytes of a link from nothing.
# NEEDS: python3
. "$(dirname "$0")/../lib.sh"
is_linkfs || skip "keeps a linker in process"
[ -x "$LINKFS_BUILD/tests/relinker" ] || skip "$LINKFS_BUILD/tests/relinker is not built"
for seed in 11 12 13 14 15; do
	mkdir "program$seed"
	python3 "$lib_dir/edits.py" "$LINKFS_BUILD/tests/relinker" "$LD" "$T/work/program$seed" $seed 100 || fail "an edit"
done
