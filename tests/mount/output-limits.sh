#!/bin/sh
# A mount that has no descriptors left, or whose linker process hangs or dies each time: auto mode makes files and says why,
# mount mode says what is wrong; nothing that stands is lost, and after `linkfs gc` links are made as before.
# NEEDS: gcc prlimit linker
. "$(dirname "$0")/lib-output.sh"
makes one two
link_file two.o -o two.file
prlimit --nofile=200 "$linkfs" mount -o "cache_dir=$T/cache/linkfs,settle=never" "$mnt" || fail "can't mount"
LINKFS_VERBOSE=1
export LINKFS_VERBOSE
i=0
while [ $i -lt 200 ]; do
	i=$((i + 1))
	link two.o -o "prog$i" 2>said || { cat said >&2; fail "auto mode, link $i"; }
	[ -L "prog$i" ] || break
done
[ $i -gt 5 ] || fail "so few descriptors are too few for link $i"
plain "prog$i"
cmp "prog$i" two.file || fail "what was made in file mode"
has 'file mode: .*(descriptor|linker process|open files)' said
has '^mode: file' "$mnt/.linkfs/info$PWD/prog$i"
link_fails 'linkfs=mount: ' one.o -o refused -Wl,--linkfs=mount
[ ! -e refused ] && [ ! -L refused ] || fail "mount mode left something"
while [ $i -gt 1 ]; do
	i=$((i - 1))
	says "./prog$i" two
	rm "prog$i"
done
run "$linkfs" gc >/dev/null
link one.o -o after
on_mount after
says ./after one
