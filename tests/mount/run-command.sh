#!/bin/sh
# linkfs run: the command is itself: status, signals, environment, standard streams; a run within a run; the mount that is
# started for it, by several at once; errors of its own.
# NEEDS: gcc readelf linker
. "$(dirname "$0")/lib-run.sh"
makes one

# Without a mount.
status_of() {
	status=0
	run "$@" >out 2>err || status=$?
	echo $status
}
equal "$(status_of "$linkfs" run --linkfs=file -- sh -c 'exit 7')" 7 "the status"
equal "$(status_of "$linkfs" run --linkfs=file -- sh -c 'kill -TERM $$')" 143 "the status after a signal"
equal "$(status_of "$linkfs" run --linkfs=file -- ./nothing)" 127 "of what is not there"
has 'run: ./nothing: No such file' err
equal "$(status_of "$linkfs" run --linkfs=file -- "$T")" 126 "of what can't be executed"
equal "$(status_of "$linkfs" run)" 125 "without a command"
equal "$(status_of "$linkfs" run --frob -- true)" 125 "with a wrong option"
has 'frob: not an option' err
equal "$(status_of "$linkfs" run --linkfs=maybe true)" 125 "with a wrong mode"
equal "$(status_of "$linkfs" run --linkfs=file echo a -- b)$(cat out)" "0a -- b" "the command's own arguments"
equal "$(status_of env LINKFS_MODE=perhaps "$linkfs" run true)" 125 "with a wrong mode in the environment"
equal "$("$linkfs" run --linkfs=file -- "$linkfs" run -- sh -c 'echo $LINKFS_MODE')" file "the mode of a run within a run"
equal "$(echo in | "$linkfs" run --linkfs=file -- cat)" in "the standard streams"
! grep "$mnt" /proc/self/mountinfo || fail "file mode started a mount"

asan=ASAN_OPTIONS=verify_asan_link_order=0 # where linkfs itself is built with that
# What is preloaded already stays, and comes first; so does the rest of the lists.
equal "$(status_of env PATH="$PWD:$PATH" COMPILER_PATH=/a:/b LD_PRELOAD=libm.so.6 $asan "$linkfs" run --linkfs=file -- env)" 0 "env"
names=$ld_dir/run lib=$LINKFS_BUILD/lib/linkfs/run/liblinkfs-run.so
for line in "PATH=$names:$PWD:$PATH" "COMPILER_PATH=$names:/a:/b" "LD_PRELOAD=libm.so.6:$lib" "LINKFS_MODE=file"; do
	grep -qxF "$line" out || { cat out >&2; fail "the environment lacks $line"; }
done
# A run within a run changes nothing but what it is told.
cp out once
equal "$(status_of env PATH="$PWD:$PATH" COMPILER_PATH=/a:/b LD_PRELOAD=libm.so.6 $asan "$linkfs" run --linkfs=file -- \
	"$linkfs" run --linkfs=file -- env)" 0 "a run within a run"
sort once >once.s
sort out | diff - once.s || fail "a run within a run has another environment"

# A mount that can't be: no command is run, and it is said what can be done.
for bad in "$T/none" "$T/one.c"; do
	equal "$(status_of "$linkfs" run --mount="$bad" -- touch ran)" 125 "with the mount $bad"
	has 'run --linkfs=file' err
done
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	equal "$(status_of unshare -m sh -c "$drop_copies mount --bind /dev/null /dev/fuse && exec '$linkfs' run -- touch ran")" 125 "without /dev/fuse"
	has 'run --linkfs=file' err
	equal "$(status_of unshare -m sh -c "$drop_copies mount --bind /dev/null /dev/fuse && exec '$linkfs' run --linkfs=file -- gcc one.o -o one.file")" \
		0 "file mode without /dev/fuse"
	linked_by linkfs one.file
fi
[ ! -e ran ] || fail "the command was run without a mount"

# Several at once: one mount. Its process keeps nothing of the build's open, and has the last word nowhere.
pids=
for i in 1 2 3 4; do
	"$linkfs" run -- gcc one.o -o "one.$i" >"out.$i" 2>&1 &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
for i in 1 2 3 4; do
	linked_by linkfs "one.$i"
	[ ! -s "out.$i" ] || { cat "out.$i" >&2; fail "something is said"; }
done
equal "$(grep -c " $mnt " /proc/self/mountinfo)" 1 "mounts"
equal "$(stat_of links_made)" 4 "links on the mount"
stop_mount
exec 9>held
equal "$("$linkfs" run -- sh -c 'echo $LINKFS_MOUNT $LINKFS_MODE' 2>&1 | cat)" "$mnt auto" "what the command knows"
exec 9>&-
! ls -l "/proc/$(stat_of mount_pid)/fd" | grep -F "$T/work" || fail "the mount holds a file of the build's"
stop_mount

# Mount options are for the mount that is started; one that is there keeps its own, and says so.
equal "$(status_of "$linkfs" run -o settle=never -ocache_size=64M -- gcc one.o -o one)" 0 "mount options"
equal "$(stat_of cache_limit)" $((64 << 20)) "the limit"
on_mount one
[ ! -s err ] || { cat err >&2; fail "something is said"; }
equal "$(status_of "$linkfs" run -o settle=never,cache_size=64M -- true)" 0 "the same options once more"
[ ! -s err ] || { cat err >&2; fail "something is said of the same options"; }
equal "$(status_of "$linkfs" run -o settle=1s -- sh -c 'exit 9')" 9 "other options"
has 'run: -o settle=1s: without effect on the mount at .*, which is there already: linkfs umount ends it' err
equal "$(status_of "$linkfs" run -o frob=1 -- touch ran)" 125 "a wrong mount option"
has '-o frob: not an option: cache_dir' err
equal "$(status_of "$linkfs" run -o)" 125 "-o without options"
has 'run: -o: it wants mount options' err
equal "$(status_of "$linkfs" run --linkfs=file -o settle=1s touch ran)" 125 "mount options without a mount"
has 'file mode has no mount' err
[ ! -e ran ] || fail "the command was run with wrong options"
stop_mount

# A mount whose process died is replaced; another place can be named.
lrun true
kill -9 "$(stat_of mount_pid)"
await sh -c '! ls "$1" 2>/dev/null' - "$mnt"
lrun gcc one.o -o one
linked_by linkfs one
mkdir "$T/other"
equal "$("$linkfs" run --mount="$T/other" -- "$linkfs" run -- sh -c 'echo $LINKFS_MOUNT')" "$T/other" "the mount of a run within a run"

# Programs with an address sanitizer of their own.
if gcc -fsanitize=address one.o -o asan 2>/dev/null; then
	equal "$(lrun ./asan)" one "what a program with a sanitizer says"
fi
