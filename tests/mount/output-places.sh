#!/bin/sh
# What may stand at -o, and what becomes of it: replaced where it is a file or a symbolic link, written to where it is a
# device or a pipe, refused where it is a directory or lies on the mount.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one two
link_file one.o -o one.file
start_mount settle=never

# A regular file, also one that is not ours to write; its other names keep it.
echo text >file
ln file other
chmod 400 file
links_made 1 link one.o -o file
on_mount file
equal "$(cat other)" text "the other name of what stood at -o"

# Symbolic links are replaced, never followed: to a file, to nothing, to a directory that is not there, in a circle.
echo precious >target
ln -s target to-file
ln -s nothing to-nothing
ln -s no/such/place dangling
ln -s circle circle
for name in to-file to-nothing dangling; do
	link one.o -o $name
	on_mount $name
	says ./$name one
done
equal "$(cat target)" precious "what a symbolic link at -o pointed to"
[ ! -e nothing ] || fail "a link was written through a dangling symbolic link"

# The directory may be named through symbolic links.
mkdir -p real/dir
ln -s real/dir short
link one.o -o short/prog
says real/dir/prog one
equal "$(readlink real/dir/prog | sed "s|.*/.o/[^/]*||")" "$PWD/real/dir/prog" "the path below the ID"

# Directories, and directories that are not there.
mkdir dir
for name in dir dir/ absent/prog file/prog; do
	link_fails "$name" one.o -o $name
done
[ -d dir ] || fail "dir was replaced"

# Devices and pipes are written to.
links_made 0 link one.o -o /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
mkfifo pipe
run cat pipe >from-pipe &
reader=$!
links_made 0 link one.o -o pipe
wait "$reader"
[ -p pipe ] || fail "the pipe was replaced"
cmp from-pipe one.file || fail "what came through the pipe"

# On the mount itself nothing can be put.
for name in prog .o/prog .linkfs/prog "$(readlink file | sed "s|$mnt/||")"; do
	link_fails 'mount|[Rr]ead-only|Permission denied|not permitted' one.o -o "$mnt/$name"
	link_fails 'lies in the mount|mount' one.o -o "$mnt/$name" -Wl,--linkfs=mount
done
says ./file one
nothing_beside .
