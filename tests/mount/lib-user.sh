# shellcheck shell=sh
# lib-user.sh: for tests with more than one user; sourced after lib.sh, as root.
#
# `use_users` makes the script "$as": `"$as" UID COMMAND...` runs it as an ordinary user, who need not exist, without
# groups and with a home of its own below $T. Where such a user has to mount, `private_fuse`, called before lib.sh is
# sourced, starts the test anew in a mount namespace of its own, in which everybody may open /dev/fuse and ask
# fusermount3 for allow_other.

user=65534 # mounts
other=65533

use_users() {
	setpriv --reuid=$user --regid=$user --clear-groups test -x "$linkfs" || skip "ordinary users can't reach $linkfs"
	chmod 755 "$T" "$T/work" "$T/mnt"
	as=$T/as
	cat >"$as" <<-END
		#!/bin/sh
		uid=\$1 home=$T/home\$1
		shift
		[ -d "\$home" ] || { mkdir "\$home" && chown "\$uid" "\$home"; }
		HOME=\$home XDG_CACHE_HOME=\$home/cache TMPDIR=\$home
		export HOME XDG_CACHE_HOME TMPDIR
		exec setpriv --reuid="\$uid" --regid="\$uid" --clear-groups timeout -k 5 60 "\$@"
	END
	chmod +x "$as"
}

private_fuse() {
	[ -z "${LINKFS_TEST_PRIVATE:-}" ] || return 0
	reason=$(no_private_fuse)
	[ -z "$reason" ] || { echo "SKIP: $reason"; exit 77; }
	LINKFS_TEST_PRIVATE=1 exec unshare -m --propagation private sh -euc "$make_private" "$0"
}

# shellcheck disable=SC2016 # for the inner shell
make_private='
	# Copies of the mounts of other tests would keep them alive here.
	awk "\$9 ~ /linkfs/ || \$10 ~ /linkfs/ { print \$5 }" /proc/self/mountinfo | while read -r mount; do
		umount -l "$mount" || :
	done
	dir=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-dev.XXXXXX")
	mount -t tmpfs -o mode=755 linkfs-test "$dir"
	mknod -m 666 "$dir/fuse" c 10 229
	echo user_allow_other >"$dir/fuse.conf"
	mount --bind "$dir/fuse" /dev/fuse
	[ ! -e /etc/fuse.conf ] || mount --bind "$dir/fuse.conf" /etc/fuse.conf
	umount -l "$dir"
	rmdir "$dir"
	exec "$0"'

# no_private_fuse: why not; nothing when all is well.
no_private_fuse() {
	try_device='mount -t tmpfs none /mnt && mknod /mnt/fuse c 10 229 && : <>/mnt/fuse'
	if [ "$(id -u)" != 0 ]; then
		echo "needs root, to become several users"
	elif ! command -v fusermount3 >/dev/null || ! command -v setpriv >/dev/null; then
		echo "fusermount3 or setpriv is not installed"
	elif ! unshare -m --propagation private sh -c "$try_device" 2>/dev/null; then
		echo "/dev/fuse can't be made anew in a mount namespace of its own"
	fi
}
