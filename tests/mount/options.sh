#!/bin/sh
# Bad command lines and mount points are said, and nothing is mounted.
. "$(dirname "$0")/lib.sh"
use_fake
expect_error 'existing directory' "$linkfs" mount "$T/none"
: >file
expect_error 'not a directory' "$linkfs" mount file
expect_error 'not an option' "$linkfs" mount -x "$mnt"
expect_error 'not an option' "$linkfs" mount -o nonsense "$mnt"
expect_error 'wants a value' "$linkfs" mount -o
expect_error 'expected at least 1M' "$linkfs" mount -o cache_size=12 "$mnt"
expect_error 'expected at least 1M' "$linkfs" mount -o cache_size=big "$mnt"
expect_error 'expected 1 to' "$linkfs" mount -o threads=0 "$mnt"
expect_error 'expected a time' "$linkfs" mount -o link_timeout=0 "$mnt"
expect_error 'expected a time' "$linkfs" mount -o fill_timeout=soon "$mnt"
expect_error 'expected a number' "$linkfs" mount -o watches=some "$mnt"
expect_error 'expected never' "$linkfs" mount -o settle=soon "$mnt"
expect_error 'lies in the mount' "$linkfs" mount -o "cache_dir=$mnt/cache" "$mnt"
rm -r "$mnt/cache" 2>/dev/null || :
expect_error 'only one mount point' "$linkfs" mount "$mnt" "$mnt"
expect_error 'not a command' "$linkfs" frobnicate
"$linkfs" --version | grep -q '^linkfs [0-9]' || fail "--version"
[ -z "$(mounts)" ] || fail "something is mounted"
start_mount settle=never,threads=2,cache_size=500M
equal "$(stat_of cache_limit)" 524288000 "cache_limit"
