#!/bin/sh
# Recipes survive umount, with their times: outputs do not look younger than before. Another mount point has its own.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
touch -d '2001-02-03 04:05:06' a
start_mount
add "with blank" a
add gone a
mtime=$(stat -c %Y "$mnt/with blank")
run "$linkfs" rm gone
stop_mount
start_mount
equal "$(ls "$mnt")" "with blank" "names"
equal "$(stat_of generations)" 0 "nothing is linked before it is looked at"
equal "$(cat "$mnt/with blank")" hello "bytes"
equal "$(stat -c %Y "$mnt/with blank")" "$mtime" "mtime"
mkdir "$T/other"
run "$linkfs" mount -o "cache_dir=$T/cache/linkfs" "$T/other"
equal "$(ls "$T/other")" "" "links of another mount"
run "$linkfs" umount "$T/other"
