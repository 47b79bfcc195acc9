#!/bin/sh
# Every call on every kind of file answers the errno of errno.table, and what must not change has not: as root, as
# another user whom allow_other lets in, as one whom nothing does.
# NEEDS: root setpriv
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-user.sh"
use_fake
use_users
check=$LINKFS_BUILD/tests/errno_table
table=$lib_dir/errno.table
cp /bin/true a
mkdir out
: >out/file
start_mount allow_other
add x a
add bad none.o
: >"$mnt/.linkfs/links/draft"
run "$check" "$table" root "$mnt" "$PWD/out" || fail "see above"
"$as" "$other" "$check" "$table" other "$mnt" "$PWD/out" || fail "see above"
run "$mnt/x" || fail "x does not run any more"
"$as" "$other" "$mnt/x" || fail "x does not run for another user"
equal "$(ls -A "$mnt" | tr '\n' ' ')" ".linkfs .o bad x " "names"
equal "$(ls -A "$mnt/.linkfs/links" | tr '\n' ' ')" "bad x " "recipes"
has '^"--chdir=' "$mnt/.linkfs/links/x"
stop_mount
start_mount
"$as" "$other" "$check" "$table" stranger "$mnt" "$PWD/out" || fail "see above"
