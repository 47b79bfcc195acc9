#!/bin/sh
# An input on the mount itself is an error, found without entering the mount: also through links and by another name.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add x a
mkdir d
ln -s "$mnt" d/to
ln -s d/to/x near
for input in "$mnt/x" d/to/x near "$mnt/../mnt/x" "$mnt" "$mnt/none"; do
	add y "$input"
	expect_error 'Input/output error' cat "$mnt/y"
	has 'cannot open: Resource deadlock avoided' "$mnt/.linkfs/log/y"
done
echo "--chdir=$mnt x" >"$mnt/.linkfs/links/z"
expect_error 'Input/output error' cat "$mnt/z"
equal "$(cat "$mnt/x")" hello "the mount lives"
equal "$(stat_of worker_restarts)" 0 "and so does the linker process"
