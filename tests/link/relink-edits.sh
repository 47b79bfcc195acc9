#!/bin/sh
# Forty random edits of a program, each linked by a linker that stays: every output has the bytes of a link from nothing.
# NEEDS: python3
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "keeps a linker in process"
[ -x "$LINKFS_BUILD/tests/relinker" ] || skip "$LINKFS_BUILD/tests/relinker is not built"
mkdir program
python3 "$lib_dir/edits.py" "$LINKFS_BUILD/tests/relinker" "$LD" "$T/work/program" 1 40 || fail "an edit"
