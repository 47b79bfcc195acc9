#!/bin/sh
# Something mounted over a directory on the way to an input is seen at the very next stat, and so is its end.
# NEEDS: root
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-fresh.sh"
use_fake
mkdir -p d/in other/in
printf below >d/in/a
printf mounted-over >other/in/a
at_exit='umount -q -l d'
mount --bind d d 2>err || skip "can't mount: $(cat err)"
umount d
start_mount
add x d/in/a
now_gives x below "before"
quiet x
mount --bind other d || fail "mount --bind"
now_gives x mounted-over "with something mounted over"
quiet x
printf 'written below' >new && mv new other/in/a
now_gives x 'written below' "what is mounted there changes"
quiet x
umount -l d || fail "umount" # the input in use keeps it busy
now_gives x below "without"
quiet x

# A mount that nobody uses gives its number to the next, which by its looks is the same.
mkdir -p p/q/other second e
printf from-second >second/libz.a
mount --bind p/q/other e
at_exit='umount -q -l d e'
add z -Le -Lsecond -lz
now_gives z from-second "nothing is there"
quiet z
umount e && mv p away && mkdir -p p/q/other && printf from-e >p/q/other/libz.a && mount --bind p/q/other e
now_gives z from-e "another directory of that name is mounted"
quiet z
