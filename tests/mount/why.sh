#!/bin/sh
# linkfs why: which input caused the relink, why a file, which inputs are copied and not leased; of outputs on the mount, of
# plain files, of live links, by any of their names; linkfs info and log take the same names.
# NEEDS: gcc linker ar
. "$(dirname "$0")/lib-output.sh"
echo 'void _start(void) { for (;;); } char big[1 << 20] = "x";' >bare.c
echo 'int other;' >other.c
gcc -c bare.c other.c
why() {
	run "$linkfs" why "$@" >out || fail "why $*"
}
make_it() {
	"$ld_dir/ld" "$@" 2>err || { cat err >&2; fail "ld $*"; }
}

# Without a mount the file tells.
make_it bare.o -o out.file
why out.file
has 'a plain file, linked by linkfs [0-9.]+' out
has 'where none is mounted.*: it was linked in file mode' out
gcc -nostdlib -static bare.o -o by-other 2>/dev/null
expect_error 'linkfs did not link it: ' "$linkfs" why by-other
expect_error 'neither an executable nor a shared object' "$linkfs" why bare.c
expect_error 'none: No such file' "$linkfs" why none
expect_error 'expected .*FILE' "$linkfs" why
expect_error 'no linkfs is mounted here' "$linkfs" info out.file

start_mount settle=never
make_it bare.o other.o -o prog
why prog
has 'linked on the mount, ok' out
has 'why it was linked: first link' out
has 'its inputs: 2, 2 leased, 0 copied' out
make_it bare.o other.o -o prog
why prog
has 'linked: ld.linkfs ran again, with the same inputs' out
make_it bare.o other.o -o prog -z now
why prog
has 'linked: the command line changed' out
gcc -c -O2 other.c && touch -d @1000000000 other.o
make_it bare.o other.o -o prog -z now
why prog
has 'linked: other.o changed$' out
echo 'int more;' >more.c
gcc -c more.c
touch -d @1000000001 bare.o other.o
make_it bare.o other.o more.o -o prog -z now
why "$PWD/../work/prog"
has 'linked: bare.o changed, and 2 more$' out
mkdir first second
ar rc second/libx.a other.o
make_it bare.o -Lfirst -Lsecond -lx -o prog
ar rc first/libx.a other.o
make_it bare.o -Lfirst -Lsecond -lx -o prog
why prog
has 'linked: first/libx.a appeared' out
mkdir elsewhere
(cd elsewhere && make_it ../bare.o -o ../prog)
why prog
has 'linked: ld.linkfs ran in another directory' out

# By its other names, and those of what is about it.
for name in "$(readlink prog)" "$mnt$PWD/prog" "$PWD/prog"; do
	why "$name"
	has 'linked on the mount, ok' out
	equal "$(run "$linkfs" info "$name" | sed -n 's/^id: //p')" "$(info_of "$PWD/prog" id)" "info $name"
	run "$linkfs" log "$name" >out
	[ ! -s out ] || fail "the log of $name"
done
mv prog renamed
why renamed
has 'renamed: linked on the mount, ok' out
cp -d renamed copied
make_it bare.o -o prog
why copied
has 'but this is an older output of that -o' out

# An input that is open for writing, or is written to later, is copied.
cp other.o open.o
exec 7>>open.o
make_it bare.o open.o -o prog
why prog
has 'its inputs: 2, 1 leased, 1 copied' out
has 'copied, not leased: open.o: it was open for writing' out
exec 7>&-
(echo >>bare.o)
await sh -c '"$0" why prog | grep -q "copied, not leased: bare.o: somebody opened it to write to it"' "$linkfs"

# Plain files: settled, and then changed; made in file mode, for a reason.
gcc -c bare.c
run "$linkfs" materialize prog
make_it bare.o -o small
LINKFS_VERBOSE=1 make_it /dev/fd/7 -o small-file 7<bare.o
why small-file
has 'a plain file, linked in file mode' out
has 'why a file: .*names a descriptor of this process' out
cp by-other small-file
why small-file
has 'but what stands there now was linked by another linker' out

# Live links.
add live bare.o
cat "$mnt/live" >/dev/null
why live
has 'live: a live link, ok' out
has 'linked: first link' out
touch -d @1000000002 bare.o
cat "$mnt/live" >/dev/null
why "$mnt/live"
has 'linked: bare.o changed' out
add failing missing.o
why failing
has 'a live link, failed' out
run "$linkfs" log >out
has '^==> failing \(failed\)' out
has 'missing.o' out
grep -q 'live' out && fail "a log that is empty is shown"
expect_error 'knows of no such link' "$linkfs" log none
expect_error 'knows of no such link' "$linkfs" info by-other
stop_mount
ln -s "$mnt/.o/0123456789abcdef$PWD/gone" gone
expect_error 'gone: it leads to .*, where no linkfs is mounted' "$linkfs" why gone
