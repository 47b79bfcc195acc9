#!/bin/sh
# linkfs enable: below such a directory auto mode means the mount, without a word in the environment; the list is the
# user's own, and nobody else's is believed.
# NEEDS: gcc readelf linker
. "$(dirname "$0")/lib-output.sh"
start_mount settle=never
list=$T/config/linkfs/enabled
unset LINKFS_MOUNT
big_object big one
mkdir -p tree/sub 'tr ee' treetop "$T/cache/linkfs"
ln -s "$PWD/tree" by-name
run "$linkfs" enable >out
[ ! -s out ] || fail "something is enabled"
link big.o -o tree/big
plain tree/big

# One on this mount, one on the default one, where nothing is mounted.
run "$linkfs" enable --mount="$mnt" by-name 'tr ee'
run "$linkfs" enable --mount="$mnt" tree
printf '%s on %s\n' "$PWD/tr ee" "$mnt" "$PWD/tree" "$mnt" >want
run "$linkfs" enable | diff - want || fail "the list"
equal "$(stat -c %a "$list")" 600 "the mode of the list"
run "$linkfs" enable treetop 2>said
has 'nothing is mounted' said
for place in tree/big tree/sub/big by-name/big 'tr ee/big'; do
	link big.o -o "$place"
	on_mount "$place"
done
LINKFS_VERBOSE=1 link big.o -o treetop/big 2>said
has 'file mode: .*no linkfs is mounted' said
plain treetop/big
LINKFS_VERBOSE=1 link big.o -o big 2>said
plain big
has 'file mode: LINKFS_MOUNT is not set, and -o lies below no directory of linkfs enable' said
run env LINKFS_MODE=file gcc -B"$ld_dir/" big.o -o tree/sub/file
plain tree/sub/file

# Not believed.
chmod g+w "$list"
LINKFS_VERBOSE=1 link big.o -o tree/sub/big2 2>said
has 'others may write it' said
plain tree/sub/big2
expect_error 'others may write it' "$linkfs" enable
chmod g-w "$list"
if [ "$(id -u)" = 0 ]; then
	chown 1 "$list"
	expect_error "not this user's own file" "$linkfs" enable treetop
	chown 0 "$list"
fi

run "$linkfs" disable tree 'tr ee'
link big.o -o tree/big
plain tree/big
expect_error 'is not enabled' "$linkfs" disable tree
rmdir 'tr ee' 2>/dev/null || rm -r 'tr ee' treetop
run "$linkfs" disable "$PWD/treetop"
run "$linkfs" enable >out
[ ! -s out ] || fail "something is still enabled"
expect_error 'No such file' "$linkfs" enable none
expect_error 'not a directory' "$linkfs" enable big
# Several at once.
pids=
for i in 1 2 3 4 5 6; do
	mkdir "d$i"
	"$linkfs" enable --mount="$mnt" "d$i" &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
equal "$("$linkfs" enable | wc -l)" 6 "how many are enabled"
nothing_beside "$T/config"
