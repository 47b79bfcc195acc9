#!/bin/sh
# linkfs check tells who linked what below a directory; linkfs doctor finds links that lead nowhere, makes them again or
# removes them, and what is wrong with the set-up.
# NEEDS: gcc linker objcopy prlimit
. "$(dirname "$0")/lib-output.sh"
echo 'void _start(void) { for (;;); } char big[1 << 20] = "x";' >bare.c
gcc -c bare.c
rm bare.c
doctor() {
	want_status=$1
	shift
	status=0
	CC="gcc -nostdlib" run "$linkfs" doctor "$@" >out 2>err || status=$?
	[ "$status" = "$want_status" ] || { cat out err >&2; fail "status $status: doctor $*"; }
}
# Linkers: what is installed, what is in $PATH, what each compiler calls. Before the first mount all is in order, too.
ours=$(cd "$LINKFS_BUILD" && pwd -P)
real_ld=$(command -v ld)
env -u LINKFS_MOUNT CC="gcc -Wall" "$linkfs" doctor >out || { cat out >&2; fail "before the first mount"; }
has "^note .*no linkfs is mounted at $XDG_CACHE_HOME/linkfs/mnt" out
[ ! -e "$XDG_CACHE_HOME/linkfs" ] || fail "doctor leaves something"
has "^ok .*linkfs [0-9.]+ is complete in $ours\$" out
has "^note .*ld.linkfs is not in .PATH: .*$ours/bin/ld.linkfs" out
has "^ok .*ld in .PATH is $real_ld \(GNU ld" out
has "^ok .*gcc -Wall calls .*ld.* \(GNU ld .*linkfs run -- COMMAND, or -B$ours/libexec/linkfs" out
LINKFS_MOUNT=$mnt CC="gcc" "$linkfs" doctor >out
has '^note .*gcc calls .*, though LINKFS_MOUNT is set: linkfs run' out
CC="gcc -B$ours/libexec/linkfs" PATH="$ours/bin:$PATH" "$linkfs" doctor >out
has "^ok .*ld.linkfs in .PATH is $ours/bin/ld.linkfs" out
has "^ok .*gcc -B.* calls $ours/libexec/linkfs/ld, which is ld.linkfs" out
"$linkfs" run --linkfs=file -- "$linkfs" doctor >out
has "^ok .*ld in .PATH is $ours/libexec/linkfs/run/ld" out
has "^ok .*what ld.linkfs can.t make is made by $real_ld\$" out
has "^ok .*gcc calls $ours/libexec/linkfs/run/ld, which is ld.linkfs" out
mkdir -p other empty
printf '#!/bin/sh\necho linkfs 99\n' >other/ld.linkfs
chmod +x other/ld.linkfs
printf '#!/bin/sh\necho "$0.none"\n' >other/gcc
chmod +x other/gcc
! PATH="$PWD/other:$PATH" "$linkfs" doctor >out || fail "a compiler without a linker is in order"
has "^note .*ld.linkfs in .PATH is $PWD/other/ld.linkfs \(linkfs 99\), of another installation" out
has "^bad .*gcc calls $PWD/other/gcc.none: No such file.*: install binutils" out
CC=no-such-cc PATH="$PWD/empty" LINKFS_LD="$PWD/none" "$linkfs" doctor >out || :
has '^note .*there is no ld in .PATH: .*install binutils' out
has '^note .*no-such-cc: there is no such program' out
has "^bad .*LINKFS_LD=$PWD/none: No such file.*: unset it" out
PATH="$ours/libexec/linkfs/run" "$linkfs" doctor >out || : # a user lacks fusermount3 there
has '^note .*nobody makes: there is no other ld in .PATH' out
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null && command -v setpriv >/dev/null && command -v fusermount3 >/dev/null; then
	chmod a+x "$T"
	unshare -m sh -c "$drop_copies"' mount -t tmpfs none /etc && exec setpriv --reuid 65534 --clear-groups "$0" doctor' \
		"$linkfs" >out || :
	has '^bad .*/etc/mtab: No such file.* as root: ln -s /proc/self/mounts /etc/mtab' out
fi
rm -r other empty
mkdir part
cp -R "$ours/bin" part
part/bin/linkfs doctor >out && fail "part of an installation is in order"
has "^bad .*part/libexec/linkfs/ld: No such file.*not installed completely" out
rm -r part

mkdir tree
doctor 0 tree
has '^ok .*/dev/fuse' out
has '^note .*no linkfs is mounted at .*: linkfs mount starts one' out
has '^ok .*limits: ' out
has '^note .*makes no program|^note .*does not link with linkfs' out
has '^ok +0 symbolic links' out
start_mount settle=never
for name in one two three; do "$ld_dir/ld" bare.o -o tree/$name; done
env LINKFS_MODE=file "$ld_dir/ld" bare.o -o tree/four
gcc -nostdlib -static bare.o -o tree/five
objcopy --add-section .comment=/dev/stdin --remove-section .comment tree/five tree/lld 2>/dev/null <<END || cp tree/five tree/lld
x
END
printf 'GCC: x\0Linker: LLD 99.0.1 (a commit)\0' >comment
objcopy --remove-section .comment tree/five && objcopy --add-section .comment=comment tree/five tree/lld
head -c 100 tree/four >tree/cut-off
printf '\177ELF\377\377\377\377' >tree/rubbish
cp bare.o tree/object
ln -s four tree/alias
run "$linkfs" check tree >out
has '^tree/one +mount +linkfs [0-9.]+$' out
has '^tree/four +file +linkfs [0-9.]+$' out
has '^tree/five +file +not named' out
has '^tree/lld +file +LLD 99\.0\.1$' out
has '^4 by linkfs [0-9.]+: 3 on a mount, 1 plain file$' out
has '^1 by LLD 99.0.1$' out
grep -q '^tree/\(object\|rubbish\|alias\)' out && fail "what nobody linked: $(cat out)"
run "$linkfs" check --summary tree >out
grep -q '^tree' out && fail "a summary with files"
expect_error 'none: No such file' "$linkfs" check none
expect_error 'expected .*DIR' "$linkfs" check
doctor 0 tree
has '^ok .*the mount at .* answers' out
has '^ok .*of this version' out
has '^ok .*cache_dir .* free' out
has '^ok +3 symbolic links below tree' out
CC="gcc -nostdlib -B$ld_dir/" run "$linkfs" doctor tree >out
has '^ok .*gcc links with linkfs [0-9.]+ in tree' out
[ -z "$(find tree -name '.linkfs*')" ] || fail "left behind"

# A directory without permission, when there is one who needs it.
if [ "$(id -u)" != 0 ]; then
	mkdir tree/closed && chmod 0 tree/closed
	expect_error 'tree/closed: it can.t be looked at' "$linkfs" check tree
	expect_error 'tree/closed: it can.t be looked at' "$linkfs" doctor tree
	rmdir tree/closed
fi

# An ID that is gone: made again by the command line that the newest of that -o had; else removed.
id=$(info_of "$PWD/tree/one" id)
ln -sf "$mnt/.o/0123456789abcdef$PWD/tree/one" tree/one
ln -sf "$mnt/.o/0123456789abcdef$PWD/tree/none" tree/two
doctor 1 tree
has '^bad .*tree/one: the mount does not know it any more' out
has '^note +2 of 3 are dangling' out
run "$linkfs" check tree >out
has '^tree/one +dangling' out
has '^2 dangling' out
doctor 1 --relink tree
has 'linked again: .*tree/one' out
has 'tree/two: the mount does not remember its command line' err
on_mount tree/one
[ "$(info_of "$PWD/tree/one" id)" != "$id" ] || fail "not linked again"
doctor 0 --remove tree
has 'removed: .*tree/two' out
[ ! -L tree/two ] || fail "not removed"
on_mount tree/three
expect_error 'expected a directory' "$linkfs" doctor --remove
expect_error 'expected .*DIR' "$linkfs" doctor a b

# What can't come back after a restart, since an input changed, is linked again.
safe() { [ "$(info_of "$PWD/tree/three" restart_safe)" = yes ]; }
await safe
id=$(info_of "$PWD/tree/three" id)
run "$linkfs" umount --no-settle "$mnt"
start_mount settle=never
run "$linkfs" status >out
has '/tree/three +ok +mount +1\.0M +0% ' out
run "$linkfs" umount --no-settle "$mnt"
touch -d @1000000000 bare.o
start_mount settle=never
doctor 1 tree
has '^bad .*tree/three: the mount does not know it any more' out
doctor 0 --relink tree
has 'linked again: .*tree/three' out
[ "$(info_of "$PWD/tree/three" id)" != "$id" ] || fail "not linked again"

# The mount died, and ended.
kill -9 "$(stat_of mount_pid)"
await sh -c '! ls "$0" 2>/dev/null' "$mnt"
doctor 1 tree
has '^bad .*the mount at .* is dead' out
has '^bad .*tree/three: .*the mount is dead' out
run "$linkfs" umount "$mnt"
doctor 1 tree
has '^bad .*tree/three: .*no linkfs is mounted there' out
chmod go+w "$XDG_CACHE_HOME/linkfs"
doctor 1
has '^bad .*cache_dir .* can be written to by others' out
run prlimit --nofile=100 "$linkfs" doctor >out || :
has '^note .*RLIMIT_NOFILE is 100' out
chmod go-w "$XDG_CACHE_HOME/linkfs"
doctor 0 --remove tree
[ ! -L tree/three ] || fail "not removed"
