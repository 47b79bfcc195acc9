#!/bin/sh
# Beyond cache_size ranges are given back and made again: slower, never wrong, never more than the limit at rest.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 9000001 a
start_mount cache_size=1M
add x a
add y a
same_bytes "$mnt/x" a
same_bytes "$mnt/y" a
[ "$(stat_of evictions)" -gt 0 ] || fail "nothing was given back"
[ "$(stat_of cache_bytes)" -le 1048576 ] || fail "the limit is exceeded: $(stat_of cache_bytes)"
