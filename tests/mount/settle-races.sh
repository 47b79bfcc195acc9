#!/bin/sh
# What is done to an output while it is being made a plain file wins: a write through the symbolic link, another name.
# The linker process is stopped for that long.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

for name in written truncated renamed; do
	big_object $name $name
	link_file $name.o -o want.$name
done
start_mount settle=300ms
mount=$(stat_of mount_pid)

# begin NAME: it is linked, and being made a plain file, which hangs.
begin() {
	link "$1.o" -o "$1"
	stop_worker
	await is_filling
	on_mount "$1"
}

# A temporary file stands beside it, without a name.
is_filling() {
	find "/proc/$mount/fd" -lname "$PWD/#*" 2>/dev/null | grep -q .
}

begin renamed
mv renamed real
go_on_worker
await test ! -L real
cmp real want.renamed || fail "what was renamed meanwhile has other bytes"
[ ! -e renamed ] || fail "the old name came back"

begin truncated
echo mine >truncated
go_on_worker
await test ! -L truncated
equal "$(cat truncated)" mine "what was written meanwhile"

begin written
printf tail >>written &
writer=$!
sleep 0.3
go_on_worker
wait $writer || fail "the write failed"
printf tail >>want.written
await test ! -L written
await cmp -s written want.written

nothing_beside .
