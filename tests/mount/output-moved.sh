#!/bin/sh
# The symbolic link at -o is found where it was moved to, in whatever directory of the file system, under any name: it
# settles there, and gc keeps what it shows. What was removed, or replaced, after the move stays so.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

big_object prog word
link_file prog.o -o want

is_plain() {
	[ -f "$1" ] && [ ! -L "$1" ]
}

start_mount settle=never
mkdir -p bin lib/deep old
link prog.o -o tmp
mv tmp bin/x
link prog.o -o old/y
mv old/y lib/deep/z
mv lib/deep/z 'lib/a name (deleted)'
mv lib usr # and its directory
link prog.o -o back
mv back bin/back
mv bin/back back
link prog.o -o leaves-a-copy
cp -a leaves-a-copy copy
mv leaves-a-copy bin/left
link prog.o -o removed
mv removed bin/removed
rm bin/removed
link prog.o -o replaced
mv replaced bin/replaced
echo mine >new
mv new bin/replaced
link prog.o -o in-gone
mkdir gone
mv in-gone gone/in-gone
rm -r gone
run "$linkfs" gc >/dev/null
for f in bin/x 'usr/a name (deleted)' back; do
	on_mount "$f"
	same_bytes "$f" want
done
equal "$(info_of "$PWD/removed" state 2>/dev/null)" "" "what was removed after the move, after gc"
run "$linkfs" umount "$mnt"
for f in bin/x 'usr/a name (deleted)' back copy bin/left; do
	plain "$f"
	same_bytes "$f" want
done
equal "$(cat bin/replaced)" mine "what replaced it"
[ ! -e bin/removed ] || fail "what was removed came back"
[ ! -e gone ] || fail "a directory came back"
nothing_beside .

# After a restart, too; and when it is moved after that.
is_kept_at() {
	grep -qsF "$1" "$T"/cache/linkfs/outputs/*/*
}
start_mount settle=never
link prog.o -o before
mv before bin/before
link prog.o -o after
for f in before after; do
	await sh -c "grep -q 'restart_safe: yes' '$mnt/.linkfs/info$PWD/$f'"
done
await is_kept_at "$PWD/bin/before"
run "$linkfs" umount --no-settle "$mnt"
start_mount settle=never
run "$linkfs" gc >/dev/null
mv bin/before back # over another one
mv after bin/after
run "$linkfs" umount "$mnt"
for f in back bin/after; do
	plain $f
	same_bytes $f want
done
equal "$(find "$T/cache/linkfs/outputs" -type f | wc -l)" "$(find . -type l | wc -l)" "kept, and shown"

# In the background, and moved while it is made a plain file.
start_mount settle=200ms
link prog.o -o quiet
mv quiet bin/quiet
link prog.o -o busy
for i in 1 2 3 4 5 6 7 8; do
	mkdir -p "d$i"
	mv "$(find . -name 'busy*' ! -name '*.c')" "d$i/busy$i"
done
await is_plain bin/quiet
same_bytes bin/quiet want
await is_plain d8/busy8
same_bytes d8/busy8 want
equal "$(stat -c %y bin/quiet)" "$(stat -L -c %y "$mnt$PWD/quiet")" "its time"
run "$linkfs" umount "$mnt"
nothing_beside .
