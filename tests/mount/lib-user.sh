# shellcheck shell=sh
# lib-user.sh: for tests with more than one user; sourced after lib.sh, as root.
#
# `as UID COMMAND...` runs it as an ordinary user, who need not exist, without groups and with a home of its own below
# $T. Where such a user has to mount, `private_fuse`, called before lib.sh is sourced, starts the test anew in a mount
# namespace of its own, in which everybody may open /dev/fuse and ask fusermount3 for allow_other.

user=65534 # mounts
other=65533

# reachable: can ordinary users get at what was built?
reachable() {
	setpriv --reuid=$user --regid=$user --clear-groups test -x "$linkfs" || skip "ordinary users can't reach $linkfs"
	chmod 755 "$T" "$T/work" "$T/mnt"
}

as() {
	uid=$1
	shift
	[ -d "$T/home$uid" ] || { mkdir "$T/home$uid" && chown "$uid" "$T/home$uid"; }
	setpriv --reuid="$uid" --regid="$uid" --clear-groups env HOME="$T/home$uid" XDG_CACHE_HOME="$T/home$uid/cache" \
		TMPDIR="$T/home$uid" timeout -k 5 60 "$@"
}

private_fuse() {
	[ -z "${LINKFS_TEST_PRIVATE:-}" ] || return 0
	reason=$(no_private_fuse)
	[ -z "$reason" ] || { echo "SKIP: $reason"; exit 77; }
	LINKFS_TEST_PRIVATE=1 exec unshare -m --propagation private sh -euc "$make_private" "$0"
}

# shellcheck disable=SC2016 # for the inner shell
make_private='
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
