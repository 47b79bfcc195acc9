#!/bin/sh
# README.md from its first line, on a Debian 12 with nothing but what every Debian has: its packages are installed by the
# script, linkfs is built, a program of one's own is linked, edited and linked again, and linkfs uninstall leaves nothing. In
# a folder, a mount namespace, and as root there; the time of each part is told.
# NEEDS: root debootstrap unshare linker
: "${LINKFS_TEST_PATIENCE:=1800}"
. "$(dirname "$0")/../lib.sh"
[ -z "${LINKFS_SANITIZE:-}" ] || skip "it builds a linkfs of its own, the same for each build"
source=$(cd "${LINKFS_SOURCE:-$lib_dir/../..}" && pwd)
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
[ "$mirror" ] || skip "apt knows no mirror of Debian 12"
root=$T/root

took() { # WHAT COMMAND...
	what=$1 start=$(date +%s)
	shift
	"$@" || return
	echo "$what: $(($(date +%s) - start)) s"
}
took "a fresh Debian" debootstrap --variant=minbase bookworm "$root" "$mirror" >log 2>&1 || {
	tail -n 3 log
	skip "debootstrap makes no Debian here"
}
tail -n 1 log
cp /etc/resolv.conf "$root/etc/"
ln -sf /proc/self/mounts "$root/etc/mtab"
mkdir "$root/root/linkfs"
(cd "$source" && find . -path ./.git -prune -o -path ./build -prune -o -type f -print0 | tar -c --null -T - -f -) |
	tar -x -C "$root/root/linkfs"
cat >"$root/root/follow.sh" <<'END_OF_SCRIPT'
set -eu
block() { # N: the Nth to be copied
	awk -v want="$1" '/^```sh$/ { n++; on = n == want; next } /^```/ { on = 0 } on' /root/linkfs/README.md
}
listing() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /root/linkfs \) -prune -o -printf '%p %y %l\n' | sort
}
took() {
	what=$1 start=$(date +%s)
	shift
	"$@"
	echo "$what: $(($(date +%s) - start)) s"
}
block 1 >/tmp/1
block 2 >/tmp/2
block 3 >/tmp/3
cd /root/linkfs
grep -q install-packages /tmp/1 && grep -q '^linkfs run' /tmp/2 && grep -q '^linkfs uninstall' /tmp/3
while IFS= read -r line; do
	start=$(date +%s)
	eval "$line" >/tmp/log 2>&1 || { tail -n 30 /tmp/log; exit 1; }
	echo "$line: $(($(date +%s) - start)) s"
done </tmp/1
listing >/tmp/before
took "a program of one's own" sh -eu /tmp/2
took "rid of it" sh -eu /tmp/3
listing >/tmp/after
diff /tmp/before /tmp/after >/tmp/diff || :
[ "$(cut -d' ' -f 2 /tmp/diff | grep / | tr '\n' ' ')" = "/root/hello /root/hello/hello /root/hello/hello.c " ] || { cat /tmp/diff; exit 1; }
[ ! -L /root/hello/hello ] && [ "$(/root/hello/hello)" = "hello again, from a file nobody wrote" ]
END_OF_SCRIPT
cat >inner.sh <<'END_OF_SCRIPT'
set -eu
eval "$drop_copies"
mount -t proc none "$1/proc"
mount -t tmpfs -o mode=755 none "$1/dev"
for d in null zero full random urandom tty; do
	: >"$1/dev/$d"
	mount --bind "/dev/$d" "$1/dev/$d"
done
mknod -m 666 "$1/dev/fuse" c 10 229
ln -s /proc/self/fd "$1/dev/fd"
exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh /root/follow.sh
END_OF_SCRIPT
status=0
unshare -m -p -f --propagation private --kill-child sh inner.sh "$root" >out 2>&1 || status=$?
cat out
[ "$status" = 0 ] || fail "status $status"
