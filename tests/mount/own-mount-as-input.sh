#!/bin/sh
# A live link is an input of another, read without entering the mount: also through links and by another name. It is
# fresh before who reads it, however many stand between; a circle is an error, and so is the mount itself, and what is not
# there.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add x a
mkdir d
ln -s "$mnt" d/to
ln -s d/to/x near
printf first >b
for input in "$mnt/x" d/to/x near "$mnt/../mnt/x" "$mnt/none/../x"; do
	add y "$input" b
	equal "$(cat "$mnt/y")" hellofirst "a link that reads $input"
	printf first >b.new && mv b.new b
done
made=$(info_of y generation)
equal "$(info_of y generation)" "$made" "made again for nothing"

# At the third hand, and through an edit of the recipe in the middle.
add z "$mnt/y"
equal "$(cat "$mnt/z")" hellofirst "third hand"
printf HELLO >a.new && mv a.new a
equal "$(cat "$mnt/z")" HELLOfirst "an input of what it reads changed"
add y b "$mnt/x"
equal "$(cat "$mnt/z")" firstHELLO "the recipe of what it reads changed"
pids=
for i in 1 2 3 4; do
	cat "$mnt/z" "$mnt/y" "$mnt/x" >"many$i" &
	pids="$pids $!"
done
for pid in $pids; do wait "$pid" || fail "one of many at once"; done
equal "$(cat many? | wc -c)" $((4 * (10 + 10 + 5))) "all at once"

# Circles.
add self "$mnt/self"
expect_error 'Input/output error' cat "$mnt/self"
has 'made from it' "$mnt/.linkfs/log/self"
add x a "$mnt/z"
expect_error 'Input/output error' cat "$mnt/x"
expect_error 'Input/output error' cat "$mnt/z"
cat "$mnt/.linkfs/log/x" "$mnt/.linkfs/log/y" "$mnt/.linkfs/log/z" >logs
has 'made from it' logs
add x a
equal "$(cat "$mnt/z")" firstHELLO "after the circle was undone"
"$linkfs" rm x
expect_error 'Input/output error' cat "$mnt/z"
has 'x' "$mnt/.linkfs/log/y"
add x a

add y "$mnt"
expect_error 'Input/output error' cat "$mnt/y"
has 'cannot open: Is a directory' "$mnt/.linkfs/log/y"
add y "$mnt/none"
expect_error 'Input/output error' cat "$mnt/y"
has 'cannot open: No such file or directory' "$mnt/.linkfs/log/y"
echo "--chdir=$mnt x" >"$mnt/.linkfs/links/z"
expect_error 'Input/output error' cat "$mnt/z"
equal "$(cat "$mnt/x")" HELLO "the mount lives"
equal "$(stat_of worker_restarts)" 0 "and so does the linker process"
