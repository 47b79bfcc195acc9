#!/bin/sh
# A full disk, a directory that may not be written or that goes away during the link: an error, with nothing left behind
# and what was there intact. The mount goes on.
# NEEDS: gcc root setpriv linker
. "$(dirname "$0")/lib-output.sh"
makes one
big_object big one
mkdir small
at_exit='unmount_small'
unmount_small() { umount -l "$T/work/small" 2>/dev/null; }
mount -t tmpfs -o size=64k,nr_inodes=8 tmpfs small || skip "tmpfs can't be mounted"

for settle in never 500ms; do
	start_mount "settle=$settle"
	link one.o -o first

	# One block is left: enough for a symbolic link, too little for a file.
	dd if=/dev/zero of=small/fill bs=4k 2>/dev/null || :
	truncate -s -4096 small/fill
	if [ $settle = never ]; then
		link one.o -o small/prog
		says small/prog one
	else
		link_fails 'No space left' one.o -o small/prog
		link big.o -o small/big
		says small/big one
		wait_until grep -qs 'No space left' "$mnt/.linkfs/log$PWD/small/big" ||
			fail "no log of what could not be settled"
		says small/big one
		on_mount small/big
		expect_error 'No space left' "$linkfs" materialize small/big
		rm small/big
	fi
	rm -f small/prog small/fill
	run "$linkfs" gc >/dev/null # which still holds the symbolic link
	# No inode is left.
	for i in 1 2 3 4 5 6 7; do : 2>/dev/null >small/$i || :; done
	link_fails 'No space left' one.o -o small/prog
	[ ! -e small/prog ] && [ ! -L small/prog ] || fail "a failed link left something"
	rm -f small/*

	# A directory that is removed during the link, one that turns read-only.
	stop_worker
	mkdir gone
	link one.o -o gone/prog 2>said &
	linker=$!
	await is_linking "$PWD/gone/prog"
	rmdir gone
	go_on_worker
	wait "$linker" && fail "linked into a directory that is gone"
	has 'gone/prog: .*No such file' said
	[ ! -e gone ] || fail "the directory is back"
	mount -o remount,ro small
	link_fails 'Read-only' one.o -o small/prog
	mount -o remount,rw small
	nothing_beside .
	says ./first one
	link one.o -o after
	says ./after one
	stop_mount
done
umount small
at_exit=:

# Not ours to write, by a user who is not root.
mkdir -m 755 closed
chmod 711 "$T" "$T/work"
chmod 644 one.o
setpriv --reuid 65534 --regid 65534 --clear-groups sh -c ': <one.o' 2>/dev/null || skip "the rest: no access for other users here"
if setpriv --reuid 65534 --regid 65534 --clear-groups "$ld_dir/ld" one.o -e main --unresolved-symbols=ignore-all \
	-o closed/prog 2>said; then
	fail "linked into a directory that is not ours"
fi
has 'closed/prog: .*Permission denied' said
