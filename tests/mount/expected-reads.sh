#!/bin/sh
# After an edit the program starts as the version before did: what that one was read for is made in few large pieces, and not
# much more than that.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-start.sh"

start_code 1000 'i < 200'
echo 'int answer = 1;' >edited.c && gcc -c edited.c
start_mount
add_linked p gcc code.o edited.o -o p
fills=0
# start: fills, and bytes made, of a start of the program.
start() {
	run "$mnt/p" || fail "the program"
	now=$(stat_of fills)
	made_fills=$((now - fills)) made_bytes=$(info_of p filled_bytes)
	fills=$now
}
start
first_fills=$made_fills first_bytes=$made_bytes
echo 'int answer[20] = {2};' >edited.c && gcc -c edited.c -o new.o && mv new.o edited.o
start
[ $((made_fills * 2)) -lt "$first_fills" ] || fail "$made_fills fills after the edit, $first_fills before"
[ "$made_bytes" -le $((first_bytes * 13 / 10)) ] || fail "$made_bytes bytes made after the edit, $first_bytes before"
size=$(info_of p size)
[ "$made_bytes" -lt $((size / 2)) ] || fail "$made_bytes of $size bytes were made"
