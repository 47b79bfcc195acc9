#!/bin/sh
# Where auto mode makes a file it says why, under LINKFS_VERBOSE=1 and in the mount's info; --linkfs=mount is an error then.
# NEEDS: gcc root unshare chroot linker
. "$(dirname "$0")/lib-output.sh"
makes one
echo 'void _start(void) { for (;;); }' >bare.c
gcc -c bare.c
LINKFS_VERBOSE=1
export LINKFS_VERBOSE

# is_file ERE ARG...: auto mode makes the file `out`, and says why; mount mode refuses for the same reason.
is_file() {
	ere=$1
	shift
	rm -f out
	run "$@" bare.o -o out 2>said || { cat said >&2; fail "auto mode: $*"; }
	plain out
	grep -Eq "file mode: .*($ere)" said || { cat said >&2; fail "what is said is not: $ere"; }
	rm -f out
	expect_error "linkfs=mount: .*($ere)" "$@" bare.o -o out --linkfs=mount
	[ ! -e out ] && [ ! -L out ] || fail "mount mode left a file"
}
told() {
	has "$1" "$mnt/.linkfs/info$PWD/out"
	has '^mode: file' "$mnt/.linkfs/info$PWD/out"
}

is_file 'no linkfs is mounted' "$ld_dir/ld"
LINKFS_MOUNT=$T/none is_file 'No such file|no linkfs is mounted' "$ld_dir/ld"
LINKFS_MOUNT=/proc is_file 'no linkfs is mounted' "$ld_dir/ld"
start_mount settle=never
links_made 1 run "$ld_dir/ld" bare.o -o out 2>said
on_mount out
has 'mount mode: .*/.o/' said
has '^mode: mount' "$mnt/.linkfs/info$PWD/out"

# The mount point by its other names; standard streams that are closed.
ln -s "$mnt" symbolic
for name in "$mnt/" ../mnt symbolic; do
	LINKFS_MOUNT=$name
	links_made 1 run "$ld_dir/ld" bare.o -o out
done
LINKFS_MOUNT=$mnt
for mode in file mount; do
	"$ld_dir/ld" bare.o -o out.$mode --linkfs=$mode <&- >&- 2>&-
done
cmp out.file out.mount || fail "with closed streams the bytes are others"
mkdir gone
(cd gone && rmdir ../gone && "$ld_dir/ld" "$T/work/bare.o" -o "$T/work/out" 2>"$T/said")
has 'file mode: the current directory: No such file' "$T/said"
plain out

# Unasked: the mode is file.
for asked in LINKFS_MOUNT= LINKFS_MODE='file'; do
	env "$asked" "$ld_dir/ld" bare.o -o out
	plain out
done
run "$ld_dir/ld" --linkfs=file bare.o -o out
plain out
run env LINKFS_MODE=mount "$ld_dir/ld" bare.o -o out
on_mount out
run env LINKFS_MODE=mount "$ld_dir/ld" --linkfs=file bare.o -o out
plain out
expect_error 'expected auto, file or mount' "$ld_dir/ld" --linkfs=maybe bare.o -o out
expect_error 'expected auto, file or mount' env LINKFS_MODE=maybe "$ld_dir/ld" bare.o -o out

# What is no program.
run "$ld_dir/ld" -r bare.o -o out 2>said || :
has 'file mode: .*neither an executable nor a shared object' said
told 'neither an executable'
expect_error 'linkfs=mount: .*neither an executable' "$ld_dir/ld" -r bare.o -o out --linkfs=mount

# Another mount namespace, another root.
is_file 'another root directory or mount namespace' unshare -m "$ld_dir/ld"
told 'another root directory'
mkdir root
for dir in bin lib lib64 usr proc dev tmp; do
	[ -e "/$dir" ] || continue
	mkdir "root/$dir"
	mount --bind "/$dir" "root/$dir" # without other tests' mounts below: it would keep those in use
done
[ ! -d "root$mnt" ] || mount --bind "$mnt" "root$mnt"
at_exit='unmount_root'
unmount_root() {
	umount -l "$T/work/root$mnt" 2>/dev/null || :
	for dir in bin lib lib64 usr proc dev tmp; do umount -l "$T/work/root/$dir" 2>/dev/null; done
}
cat >in-root <<END2
#!/bin/sh
cd '$PWD' && exec '$ld_dir/ld' "\$@"
END2
chmod +x in-root
case $ld_dir in
/tmp/* | /usr/*) # seen in there, too
	is_file 'another root directory|no linkfs is mounted|dead' chroot "$PWD/root" "$PWD/in-root"
	;;
esac
unmount_root
at_exit=:

# Names that mean something else to another process.
run "$ld_dir/ld" /dev/stdin -o out <bare.o 2>said
has 'file mode: .*descriptor of this process' said
plain out

mkfifo pipe
cat bare.o >pipe &
run "$ld_dir/ld" pipe -o out 2>said
has 'file mode: .*pipe: is a pipe' said
plain out
told 'pipe: is a pipe'

# A mount whose process was killed, and one that nobody mounted any more.
kill -9 "$(stat_of mount_pid)"
await sh -c '! ls "$1" 2>/dev/null' - "$mnt"
is_file 'not connected|dead' "$ld_dir/ld"
run "$linkfs" umount "$mnt"
is_file 'no linkfs is mounted' "$ld_dir/ld"
