#!/bin/sh
# A changed input gives a new generation, a new inode, at the very next look; who holds the old one keeps its bytes.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 3000000 a
cp a a.first
start_mount
add x a
ino=$(stat -c %i "$mnt/x")
gen=$(info_of x generation)
equal "$(stat -c %i "$mnt/x")" "$ino" "the inode stays while nothing changes"
exec 7<"$mnt/x"
i=0
while [ $i -lt 20 ]; do # replaced, as compilers do
	i=$((i + 1))
	echo "generation $i" >a.new
	mv a.new a
	equal "$(cat "$mnt/x")" "generation $i" "a replaced input"
done
while [ $i -lt 40 ]; do # overwritten in place
	i=$((i + 1))
	echo "generation $i, in place" >a
	equal "$(cat "$mnt/x")" "generation $i, in place" "an overwritten input"
done
[ "$(stat -c %i "$mnt/x")" != "$ino" ] || fail "the same inode"
[ "$(info_of x generation)" != "$gen" ] || fail "the same generation"
has '^relink_reason: a changed' "$mnt/.linkfs/info/x"
run cmp - a.first <&7 || fail "the old generation"
exec 7<&-
rm a
expect_error 'Input/output error' cat "$mnt/x"
