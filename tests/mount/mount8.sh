#!/bin/sh
# mount(8) and umount(8) with the type linkfs: by the command line and by lines of an fstab, whose options for any file
# system are taken, and whose wrong ones are told. In a mount namespace where /sbin has the helpers.
# NEEDS: root unshare mount gcc linker
. "$(dirname "$0")/lib-output.sh"
sbin=$LINKFS_BUILD/sbin
[ -x "$sbin/mount.linkfs" ] || skip "$sbin/mount.linkfs is not built"
mkdir "$T/sbin" "$T/second"
ln -s "$(cd "$sbin" && pwd -P)/mount.linkfs" "$T/sbin"
ln -s "$(cd "$sbin" && pwd -P)/umount.fuse.linkfs" "$T/sbin"
makes one
cat >fstab <<END_OF_FSTAB
linkfs $mnt linkfs user,noauto,nofail,x-systemd.automount,cache_size=64M,cache_dir=$T/cache/linkfs 0 0
linkfs $T/second fuse.linkfs defaults,settle=never,cache_dir=$T/cache/second 0 0
wrong $T/second/a linkfs frob,cache_dir=$T/cache/linkfs 0 0
wrong $T/second/b linkfs ro,cache_dir=$T/cache/linkfs 0 0
END_OF_FSTAB
ln -s "$T/sbin/mount.linkfs" "$T/sbin/mount.fuse.linkfs"
cat >inner.sh <<'END_OF_SCRIPT'
set -eu
eval "$drop_copies"
mount -t overlay none -o "lowerdir=$T/sbin:$(readlink -f /sbin)" /sbin || exit 77
mount -t tmpfs none /run
mkdir /run/mount
fail() { echo "FAIL: $*" >&2; exit 1; }
mounted() { grep -q " $1 .* fuse.linkfs " /proc/self/mountinfo; }

# Options for user space are what makes umount look for a helper where it need not.
mount -t linkfs none "$mnt" -o "cache_dir=$T/cache/linkfs,settle=never,x-linkfs"
mounted "$mnt" || fail "mount -t"
LINKFS_MOUNT=$mnt gcc -B"$ld_dir" one.o -o one
[ -L one ] || fail "it is not on the mount"
(cd "$mnt" && ! umount "$mnt" 2>"$T/work/said") || fail "it is unmounted while it is in use"
grep -q 'linkfs: umount: .* in use' said || fail "not said: $(cat said)"
grep -q '(umount)' said || fail "the user is not named: $(cat said)"
! grep -q '(linkfs)' said || fail "it names itself: $(cat said)"
umount "$mnt"
[ ! -L one ] && ./one >/dev/null || fail "umount has not made a plain file of it"
mount -T fstab "$mnt"
grep -q "^cache_limit: $((64 << 20))$" "$mnt/.linkfs/stats" || fail "the options of fstab"
umount "$mnt"
! mounted "$mnt" || fail "umount"
mount -T fstab "$T/second"
mounted "$T/second" || fail "the type fuse.linkfs"
umount -l "$T/second"
! mounted "$T/second" || fail "umount -l"
! mount -T fstab "$T/second/a" 2>said || fail "a wrong option is taken"
grep -q 'frob: not an option: cache_dir' said || fail "not said: $(cat said)"
! mount -T fstab "$T/second/b" 2>said || fail "ro is taken"
grep -q 'ro: a linkfs is read-only but' said || fail "not said: $(cat said)"
! mounted "$T" || fail "left mounted"
END_OF_SCRIPT
export T mnt ld_dir
status=0
run unshare -m --propagation private sh inner.sh 2>err || status=$?
[ "$status" != 77 ] || skip "mounts in a namespace are not permitted: $(tail -n 1 err)"
[ "$status" = 0 ] || { cat err >&2; fail "status $status"; }
