#!/bin/sh
# cpack makes a Debian package, which lintian has nothing against; what is in it works where it is unpacked: the linker, a
# mount, the pages, the completion.
# NEEDS: cpack dpkg-deb dpkg-shlibdeps gcc linker
. "$(dirname "$0")/../lib.sh"
[ -z "${LINKFS_SANITIZE:-}" ] || skip "a sanitizer's build is not packed"
[ -s "$LINKFS_BUILD/CPackConfig.cmake" ] || skip "not configured by CMake"
unset LINKFS_MODE
cpack -G DEB -B "$T/pack" --config "$LINKFS_BUILD/CPackConfig.cmake" >log 2>&1 || { cat log >&2; fail "cpack"; }
deb=$(echo "$T"/pack/linkfs_*.deb)
[ -s "$deb" ] || fail "no package"

dpkg-deb -f "$deb" >control
has '^Package: linkfs$' control
has '^Depends: .*fuse3.*libc6.*libelf1.*libfuse3' control
dpkg-deb -e "$deb" scripts
equal "$(ls scripts | tr '\n' ' ')" "control md5sums " "what is in it for dpkg"
mkdir root
dpkg-deb -x "$deb" root
[ -z "$(find root -path '*include*' -o -name '*.a')" ] || fail "it has the library"
for page in man1/linkfs.1 man1/ld.linkfs.1 man5/linkfs.5 man8/mount.linkfs.8; do
	gzip -dc "root/usr/share/man/$page.gz" >page || fail "$page"
	has '^\.TH' page
done
gzip -dc root/usr/share/man/man1/ld.linkfs.1.gz >page
has 'gcc .*/usr/libexec/linkfs' page
[ -x root/usr/libexec/linkfs/uninstall ] || fail "linkfs uninstall is not in it"
[ ! -e root/usr/share/linkfs/installed ] || fail "it has the list of another installation"
(cd root && md5sum --quiet -c ../scripts/md5sums) || fail "sums"
grep -q '^ExecStart=/usr/bin/linkfs mount' root/usr/lib/systemd/user/linkfs.service || fail "the unit"

bin=$PWD/root/usr/bin
equal "$("$bin/linkfs" --version)" "linkfs $(dpkg-deb -f "$deb" Version)" "its version"
"$bin/ld.linkfs" --version | grep -q '^linkfs ' || fail "the linker's version"
echo 'int main(void) { return 7; }' >seven.c
gcc -B"$PWD/root/usr/libexec/linkfs" -o seven seven.c
status=0
./seven || status=$?
equal "$status" 7 "what it linked"
run "$bin/linkfs" run --linkfs=file -- gcc -o eight seven.c
"$bin/linkfs" check eight | grep -q 'file *linkfs ' || fail "linkfs run"
"$bin/linkfs" check seven | grep -q 'file *linkfs ' || fail "check"
run "$PWD/root/usr/sbin/mount.linkfs" none "$mnt" -o "cache_dir=$T/cache/linkfs"
add seven-live seven.c 2>/dev/null
"$bin/linkfs" status | grep -q '^seven-live ' || fail "status"
"$bin/linkfs" umount "$mnt"

if command -v lintian >/dev/null 2>&1; then
	as_root=
	[ "$(id -u)" != 0 ] || as_root=--allow-root
	# shellcheck disable=SC2086 # an option or none
	lintian $as_root --fail-on error,warning "$deb" >lint 2>&1 || { cat lint >&2; fail "lintian"; }
else
	echo "lintian is not installed: not asked"
fi
