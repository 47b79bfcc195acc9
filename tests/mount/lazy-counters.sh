#!/bin/sh
# Bytes nobody reads are not made: a stat makes none, one page a few, all of them each once.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 4000000 a
start_mount
add x a a a
equal "$(stat -c %s "$mnt/x")" 12000000 "size"
equal "$(info_of x filled_bytes)" 0 "a stat makes no bytes"
equal "$(stat_of cache_bytes)" 0 "and keeps none"
[ "$(stat -c %b "$mnt/x")" -ge 8 ] || fail "st_blocks says it is empty: tar -S would archive zeros"
run dd if="$mnt/x" of=/dev/null bs=4096 skip=1000 count=1 2>/dev/null
filled=$(info_of x filled_bytes)
[ "$filled" -gt 0 ] || fail "nothing counted"
[ "$filled" -lt 600000 ] || fail "one page made $filled bytes"
[ "$(info_of x relocs_applied)" -lt "$(info_of x relocs_total)" ] || fail "relocations"
cat "$mnt/x" >/dev/null
cat "$mnt/x" >/dev/null
equal "$(info_of x filled_bytes)" 12000000 "each byte once"
equal "$(stat_of filled_bytes)" 12000000 "and so in the sum"
reads=$(stat_of reads)
cat "$mnt/x" >/dev/null
equal "$(stat_of reads)" "$reads" "warm reads are the kernel's"
