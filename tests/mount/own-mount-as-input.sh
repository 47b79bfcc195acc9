#!/bin/sh
# A live link as an input of another is an error, found without entering the mount: also through links and by another
# name. So is the mount itself, and what is not there.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add x a
mkdir d
ln -s "$mnt" d/to
ln -s d/to/x near
for input in "$mnt/x" d/to/x near "$mnt/../mnt/x" "$mnt" "$mnt/none/../x"; do
	add y "$input"
	expect_error 'Input/output error' cat "$mnt/y"
	has 'cannot open: Resource deadlock avoided' "$mnt/.linkfs/log/y"
done
add y "$mnt/none"
expect_error 'Input/output error' cat "$mnt/y"
has 'cannot open: No such file or directory' "$mnt/.linkfs/log/y"
echo "--chdir=$mnt x" >"$mnt/.linkfs/links/z"
expect_error 'Input/output error' cat "$mnt/z"
equal "$(cat "$mnt/x")" hello "the mount lives"
equal "$(stat_of worker_restarts)" 0 "and so does the linker process"
