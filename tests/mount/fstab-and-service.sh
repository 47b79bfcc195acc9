#!/bin/sh
# mount.linkfs makes the mount that a line of fstab describes, umount.fuse.linkfs ends it; a service manager is told when a
# mount in the foreground answers; the unit is one that systemd takes.
# NEEDS: python3
. "$(dirname "$0")/lib.sh"
helper=$LINKFS_BUILD/sbin/mount.linkfs
[ -x "$helper" ] || skip "$helper is not built"

run "$helper" none "$mnt" -o "rw,nosuid,nodev,noexec,noauto,user=me,x-systemd.automount,cache_dir=$T/cache/linkfs,settle=never,cache_size=64M"
equal "$(stat_of cache_limit)" $((64 << 20)) "the limit"
tr '\0' ' ' <"/proc/$(stat_of mount_pid)/cmdline" >cmdline
has "cache_dir.$T/cache/linkfs.settle.never.cache_size.64M $mnt" cmdline
expect_error 'is mounted here already' "$helper" none "$mnt"
run "$LINKFS_BUILD/sbin/umount.fuse.linkfs" "$mnt" -f
[ -z "$(mounts)" ] || fail "still mounted"
run "$helper" none "$mnt" -f -o defaults
[ -z "$(mounts)" ] || fail "-f mounts"
expect_error 'ro: a linkfs is read-only but' "$helper" none "$mnt" -o ro
expect_error 'expected a source' "$helper" none
expect_error '-o colour: not an option' "$helper" none "$mnt" -o colour
if [ "$(id -u)" = 0 ]; then
	expect_error 'setuid=nobody-at-all: there is no such user' "$helper" none "$mnt" -o setuid=nobody-at-all
else
	expect_error 'only root can give' "$helper" none "$mnt" -o setuid=root
fi

# READY=1 comes when the mount answers, and not before.
cat >wait_ready.py <<'END'
import os, socket, subprocess, sys
name, linkfs, cache, mnt = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + name[1:] if name[0] == "@" else name)
s.settimeout(30)
p = subprocess.Popen([linkfs, "mount", "-f", "-o", "cache_dir=" + cache, mnt], env=dict(os.environ, NOTIFY_SOCKET=name))
assert s.recv(100) == b"READY=1"
assert os.path.exists(mnt + "/.linkfs/stats")
assert subprocess.call([linkfs, "umount", mnt]) == 0 and p.wait(30) == 0
END
for name in "$T/notify" "@linkfs-test-$$"; do
	run python3 wait_ready.py "$name" "$linkfs" "$T/cache/linkfs" "$mnt" || fail "READY on $name"
done
(NOTIFY_SOCKET=$T/none exec "$linkfs" mount -f -o "cache_dir=$T/cache/linkfs" "$mnt") 2>err &
pid=$!
wait_until test -e "$mnt/.linkfs/stats" || fail "a mount without a service manager"
stop_mount
wait "$pid" || fail "it did not end well"

unit=$LINKFS_BUILD/lib/systemd/user/linkfs.service
grep -q '^ExecStart=/.*/linkfs mount -f ' "$unit" || fail "the unit does not start linkfs"
if command -v systemd-analyze >/dev/null 2>&1; then
	sed "s|=/[^ ]*/linkfs |=$linkfs |" "$unit" >linkfs.service
	run env XDG_RUNTIME_DIR="$T" systemd-analyze --user --man=no verify ./linkfs.service >out 2>&1 || { cat out >&2; fail "the unit"; }
	! grep -q 'linkfs.service' out || fail "the unit: $(cat out)"
fi
