#!/bin/sh
# Bytes are right in any order, from several threads at once, by pread and through mappings, cold and warm.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 9000001 a
pattern 5000003 b
cat a b a >want
start_mount
for seed in 1 2 3; do
	add "x$seed" a b a
	LINKFS_TEST_SEED=$seed same_bytes "$mnt/x$seed" want
	same_bytes "$mnt/x$seed" want
	equal "$(info_of "x$seed" filled_bytes)" "$(stat -c %s want)" "every byte made once"
done
add y b a
cat b a | run cmp - "$mnt/y" || fail "read from start to end"
