#!/bin/sh
# A user's mount: nobody else may look inside, not even root; with allow_other others may run what is there, and see
# nothing of .linkfs. What stands in the way of mounting is told.
. "$(dirname "$0")/lib-user.sh"
private_fuse
. "$(dirname "$0")/lib.sh"
use_fake
use_users
check=$LINKFS_BUILD/tests/errno_table
table=$lib_dir/errno.table
mkdir out
: >out/file
cp /bin/true a
cp /bin/sleep s
chown -R "$user" out "$mnt"

mount_as_user() {
	"$as" "$user" "$linkfs" mount -o "cache_dir=$T/home$user/linkfs${1:+,$1}"
	"$as" "$user" "$linkfs" status | grep -q 'process [0-9]' || fail "status"
}

expect_error "Permission denied" "$as" "$other" "$linkfs" mount
mount_as_user
"$as" "$user" "$linkfs" add x -- a
"$as" "$user" "$linkfs" add bad -- none.o
"$as" "$user" "$linkfs" add s -- s
"$as" "$user" sh -c ': >"$LINKFS_MOUNT/.linkfs/links/draft"'
"$as" "$user" "$mnt/x" || fail "x does not run"
"$as" "$user" "$check" "$table" owner "$mnt" "$PWD/out" || fail "see above"
run "$check" "$table" stranger "$mnt" "$PWD/out" || fail "root, see above"
"$as" "$other" "$check" "$table" stranger "$mnt" "$PWD/out" || fail "another user, see above"
expect_error "mount of user $user, and without -o allow_other" "$as" "$other" "$linkfs" status
expect_error "of user $user is mounted here already" "$as" "$other" "$linkfs" mount
expect_error "mount of user $user, who can end it" "$as" "$other" "$linkfs" umount
"$as" "$user" "$linkfs" umount
[ -z "$(mounts)" ] || fail "still mounted"

mount_as_user allow_other
"$as" "$other" "$check" "$table" other "$mnt" "$PWD/out" || fail "allow_other, see above"
"$as" "$other" "$mnt/s" 30 &
sleeper=$!
i=0
while ! grep -qs "$mnt" /proc/[0-9]*/maps && [ $i -lt 50 ]; do
	i=$((i + 1))
	sleep 0.1
done
expect_error 'by processes of other users' "$as" "$user" "$linkfs" umount
expect_error 'runs a program from it' "$linkfs" umount
kill "$sleeper"
wait "$sleeper" 2>/dev/null || :
pid=$("$as" "$user" sed -n 's/^mount_pid: //p' "$mnt/.linkfs/stats")
run "$linkfs" umount || fail "root's umount"
grep -qs '^State:.[^ZX]' "/proc/$pid/status" && fail "root's umount did not wait for the mount process"

grep -q ' /dev/fuse ' /proc/self/mountinfo || fail "this is not a /dev/fuse of our own"
if grep -q ' /etc/fuse.conf ' /proc/self/mountinfo; then
	: >/etc/fuse.conf
	expect_error 'user_allow_other' "$as" "$user" "$linkfs" mount -o allow_other
fi
chmod 600 /dev/fuse
expect_error '/dev/fuse' "$as" "$user" "$linkfs" mount
[ -z "$(mounts)" ] || fail "something is mounted"
