#!/bin/sh
# linkfs add makes a link, rm removes it, and the names are seen in the mount and in .linkfs.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
cp /bin/true one
cp /bin/echo 'two words'
add a one
add b 'two words'
add "c d" --fake-size=100000 'two words'
equal "$(ls "$mnt" | tr '\n' ' ')" "a b c d " "names in the mount"
for folder in links log info map; do
	equal "$(ls "$mnt/.linkfs/$folder" | tr '\n' ' ')" "a b c d " "names in $folder"
done
equal "$(stat_of links)" 3 "links"
run "$mnt/a" || fail "a does not run"
equal "$(run "$mnt/b" it works)" "it works" "b runs"
equal "$(stat -c %s "$mnt/c d")" 100000 "size of c d"
expect_error 'not a name for a link' "$linkfs" add x/y -- one
expect_error 'not a name for a link' "$linkfs" add .linkfs -- one
expect_error 'expected .*NAME -- LD-ARGS' "$linkfs" add x one
run "$linkfs" rm b
[ ! -e "$mnt/b" ] || fail "b is still there"
[ ! -e "$mnt/.linkfs/links/b" ] || fail "the recipe of b is still there"
expect_error 'there is no such link' "$linkfs" rm b
equal "$(stat_of links)" 2 "links after rm"
run "$linkfs" status >status.out
grep -q '^a  *ok  *live ' status.out || fail "status does not name a"
