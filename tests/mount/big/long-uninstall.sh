#!/bin/sh
# linkfs uninstall: what was installed goes, and what it made stays, as plain files; a mount in use stops all of it; mounts
# of another linkfs are left alone.
# NEEDS: gcc cmake linker
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
[ -s "$LINKFS_BUILD/cmake_install.cmake" ] || skip "not configured by CMake"
[ -w "$LINKFS_BUILD" ] || skip "cmake --install writes into $LINKFS_BUILD"
start_mount # of the build's own linkfs
makes one
# A home whose listing is compared, and a prefix that has something of others.
mkdir -p "$T/home" "$T/usr/bin" "$T/usr/share/doc"
echo other >"$T/usr/bin/other"
export HOME="$T/home"
unset XDG_CACHE_HOME XDG_CONFIG_HOME LINKFS_MOUNT SUDO_USER
listing() { find "$T/home" "$T/usr" ! -type d -printf '%P\n' -o -printf '%P/\n' | sort; }
listing >before
install_it() {
	cmake --install "$LINKFS_BUILD" --prefix "$T/usr" >log 2>&1 || { cat log >&2; fail "cmake --install"; }
}
gone() {
	listing >after
	diff before after || fail "it is not as it was before"
}
installed=$T/usr/bin/linkfs

# Nothing of it was used; installed twice.
install_it
install_it
run "$installed" uninstall >out
gone

# A mount in the default place, one elsewhere, an enabled directory.
install_it
mkdir mnt2 cache2 tree
at_exit=end_default
end_default() { [ ! -x "$installed" ] || timeout 20 "$installed" umount >/dev/null 2>&1 || :; }
run "$installed" mount -o settle=never
run "$installed" mount -o "cache_dir=$PWD/cache2,settle=never" "$PWD/mnt2"
run "$installed" enable tree
run env "LINKFS_MOUNT=$HOME/.cache/linkfs/mnt" gcc -B"$T/usr/libexec/linkfs" one.o -o one
run "$installed" run --mount="$PWD/mnt2" -- gcc one.o -o two
[ -L one ] && [ -L two ] || fail "they are not on the mounts"
status=0
(cd "$HOME/.cache/linkfs/mnt" && run "$installed" uninstall >"$T/work/out" 2>"$T/work/err") || status=$?
equal "$status" 1 "the status with a mount in use"
has 'it is in use' err
has 'nothing is removed: end what uses the mount' err
[ -x "$installed" ] && [ -d "$HOME/.config/linkfs" ] || fail "something is removed"
run "$installed" uninstall >out
has 'is unmounted, and what it showed is plain files' out
gone
for file in one two; do
	plain $file
	says ./$file one
done
[ ! -e cache2 ] || fail "left of a cache directory: $(find cache2)"
[ "$(grep -c " $mnt " /proc/self/mountinfo)" = 1 ] || fail "another linkfs was ended"

# Outputs of a mount that was killed become plain files, too; --user leaves the program.
install_it
run "$installed" run -o settle=never -- gcc one.o -o three
kept() { find "$HOME/.cache/linkfs/outputs" -type f | grep -q .; }
await kept
kill -9 "$(sed -n 's/^mount_pid: //p' "$HOME/.cache/linkfs/mnt/.linkfs/stats")"
run "$installed" uninstall --user >out
plain three
says ./three one
[ -x "$installed" ] && [ ! -e "$HOME/.cache" ] || fail "--user"
run "$installed" uninstall >out
gone
expect_error 'expected nothing, or --user' "$linkfs" uninstall everything
