#!/bin/sh
# What a program's start read before an edit is in the kernel's cache after it, with the first byte that anybody reads: right
# bytes, and no requests for them.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-start.sh"

start_code 600 'i % 2'
echo 'int answer = 1;' >edited.c && gcc -c edited.c
start_mount
add_linked p gcc code.o edited.o -o p
run "$mnt/p" || fail "the program"
first=$(stat_of reads)
echo 'int answer[20] = {2};' >edited.c && gcc -c edited.c -o new.o && mv new.o edited.o
exec 3<"$mnt/p" # the kernel drops pages of what it forgets, as it may where a look at the inputs takes long
head -c 1 <&3 >/dev/null
is_stored() {
	[ "$(stat_of stored_bytes)" -gt $((600 * 4096 * 8 / 10)) ]
}
wait_until is_stored || fail "stored_bytes: $(stat_of stored_bytes)"
is_quiet() {
	before=$(stat_of stored_bytes) && sleep 0.1 && [ "$(stat_of stored_bytes)" = "$before" ]
}
wait_until is_quiet || fail "it does not end: $(stat_of stored_bytes)"
before=$(stat_of reads)
run "$mnt/p" || fail "the program after the edit"
reads=$(($(stat_of reads) - before))
[ $((reads * 5)) -lt "$first" ] || fail "$reads requests after the edit, $first before"
exec 3<&-
gcc -B"$LINKFS_BUILD/libexec/linkfs/" code.o edited.o -o plain
same_bytes "$mnt/p" plain
