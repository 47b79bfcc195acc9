#!/bin/sh
# The user service under a user's systemd: it is enabled and started, links are made on it, a stop makes plain files of them,
# a process that died is replaced, a wrong option is told and not tried again, and linkfs uninstall ends and disables it. In
# namespaces of its own, where systemd believes that it was booted.
# NEEDS: root unshare systemctl gcc linker /usr/lib/systemd/systemd
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
unit=$LINKFS_BUILD/lib/systemd/user/linkfs.service
[ -s "$unit" ] || skip "$unit is not built"
makes one
mkdir -p "$T/home/.config/systemd/user" "$T/home/.config/linkfs" "$T/run" "$T/usr/lib"
chmod 700 "$T/run"
# A copy, which linkfs uninstall takes for all there is.
cp -R "$LINKFS_BUILD/bin" "$LINKFS_BUILD/libexec" "$T/usr"
cp -R "$LINKFS_BUILD/lib/linkfs" "$T/usr/lib"
sed "s|=/[^ ]*/linkfs |=$T/usr/bin/linkfs |" "$unit" >"$T/home/.config/systemd/user/linkfs.service"
cat >inner.sh <<'END_OF_SCRIPT'
set -eu
fail() { echo "FAIL: $*" >&2; tail -n 40 "$T/systemd" >&2; exit 1; }
mount -t tmpfs none /run && mkdir -p /run/systemd/system
mount -t tmpfs none /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
/usr/lib/systemd/systemd --user --log-target=console >"$T/systemd" 2>&1 &
manager=$!
trap 'kill $manager; wait $manager || :' EXIT
user() { timeout 60 systemctl --user --no-pager "$@"; }
wait_for() { for _ in $(seq 200); do ! "$@" || return 0; sleep 0.1; done; return 1; }
is_running() { user is-system-running >"$T/state" 2>&1 || grep -q degraded "$T/state"; }
wait_for is_running || { cat "$T/state" "$T/systemd" >&2; exit 77; }
service=$HOME/.cache/linkfs/mnt
pid() { sed -n 's/^mount_pid: //p' "$service/.linkfs/stats" 2>/dev/null; }
linked() { LINKFS_MOUNT=$service gcc -B"$T/usr/libexec/linkfs" one.o -o "$1"; }

echo 'LINKFS_OPTIONS="-o settle=never,cache_size=64M"' >"$HOME/.config/linkfs/mount.env"
user enable --now linkfs
[ "$(user is-active linkfs)" = active ] || fail "it is not active"
grep -q "^cache_limit: $((64 << 20))$" "$service/.linkfs/stats" || fail "its options"
linked a
[ -L a ] && ./a >/dev/null || fail "a link"
user restart linkfs
[ -f a ] && [ ! -L a ] || fail "a restart has not made a plain file of it"
linked b
user stop linkfs
[ "$(user is-active linkfs)" = inactive ] || fail "it is not stopped: $(user status linkfs)"
[ ! -L b ] && ./b >/dev/null || fail "a stop has not made a plain file of it"
user start linkfs
old=$(pid)
kill -9 "$old"
is_new() { new=$(pid) && [ -n "$new" ] && [ "$new" != "$old" ]; }
wait_for is_new || fail "a process that died is not replaced"
user stop linkfs
echo 'LINKFS_OPTIONS="-o frob"' >"$HOME/.config/linkfs/mount.env"
! user start linkfs 2>/dev/null || fail "a wrong option is taken"
[ "$(user is-active linkfs)" = failed ] || fail "it is tried again: $(user status linkfs)"
user status linkfs >"$T/status" || :
grep -q 'status=2' "$T/status" || fail "its status: $(cat "$T/status")"
rm "$HOME/.config/linkfs/mount.env"
user reset-failed linkfs
user start linkfs
linked c
"$T/usr/bin/linkfs" uninstall >said
grep -q 'the user service is disabled' said || fail "uninstall: $(cat said)"
[ "$(user is-enabled linkfs)" != enabled ] && [ ! -e "$service" ] && [ ! -L c ] || fail "what uninstall left"
END_OF_SCRIPT
cat >outer.sh <<'END_OF_SCRIPT'
eval "$drop_copies"
# A control group of this test's own is all that systemd sees.
mkdir "$T/groups"
mount -t cgroup2 none "$T/groups" || exit 77
group=$T/groups/linkfs-test-$$
mkdir "$group" || exit 77
status=0
sh -c 'echo $$ >"$0/cgroup.procs" && exec unshare -m -C -p -f --mount-proc --propagation private --kill-child sh inner.sh' \
	"$group" || status=$?
for _ in $(seq 100); do
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || :
	[ -e "$group" ] || break
	sleep 0.1
done
umount "$T/groups"
exit "$status"
END_OF_SCRIPT
export T HOME="$T/home" XDG_RUNTIME_DIR="$T/run"
unset XDG_CACHE_HOME XDG_CONFIG_HOME LINKFS_MOUNT SUDO_USER DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET
status=0
timeout -k 5 300 unshare -m --propagation private sh outer.sh 2>err || status=$?
[ "$status" != 77 ] || skip "no systemd for a user can be started here: $(tail -n 1 err)"
[ "$status" = 0 ] || { cat err >&2; fail "status $status"; }
