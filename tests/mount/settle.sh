#!/bin/sh
# Outputs become plain files with the same bytes, mode and times: when the mount is quiet, by name, and before umount;
# under whatever name stands in the directory by then. What was put in their place stays.
# NEEDS: linker gcc
. "$(dirname "$0")/lib.sh"

printf 'const char data[5 << 20] = { 1 };\nint main(void) { return data[1]; }\n' >big.c
gcc -c big.c
gcc -B"$LINKFS_BUILD/libexec/linkfs" big.o -o want
unset LINKFS_MODE
link() { gcc -B"$LINKFS_BUILD/libexec/linkfs" big.o -o "$1"; }

start_mount settle=500ms
(umask 027 && link quiet)
[ -L quiet ] || fail "what was just linked is no symbolic link"
cp -p --attributes-only "$(readlink quiet)" attributes
wait_until test ! -L quiet || fail "it did not settle"
cmp quiet want || fail "the settled file has other bytes"
equal "$(stat -c '%a %y' quiet)" "$(stat -c '%a %y' attributes)" "mode and times"
equal "$(stat -c %a quiet)" 750 "mode"
equal "$(sed -n 's/^state: //p' "$mnt/.linkfs/info$PWD/quiet")" settled "state"
"$linkfs" umount "$mnt"

start_mount settle=never
link a && mv a moved
link b && cp -a b copied
link c && rm c && echo mine >c
mkdir dir && link dir/d && mv dir renamed
link e && rm -r e
mkdir gone && link gone/g && rm -r gone
"$linkfs" umount "$mnt"
for f in moved b copied renamed/d; do
	[ -f $f ] && [ ! -L $f ] && cmp $f want || fail "$f is no plain file with those bytes"
done
equal "$(cat c)" mine "what was put in its place"
[ ! -e a ] && [ ! -e e ] || fail "something came back"
equal "$(find . -name '.linkfs*')" "" "left behind"

start_mount settle=never
link f && mkdir -p in/side && mv f in/side/f
"$linkfs" materialize in want
[ ! -L in/side/f ] && cmp in/side/f want || fail "materialize"
link g
chmod 700 g && touch -d '2020-01-01 00:00:00' g
"$linkfs" umount --no-settle "$mnt"
[ -L g ] && [ ! -e g ] || fail "--no-settle settled it, or it is still there"
