#!/bin/sh
# A link that takes longer than a second shows on a terminal what it is at, and takes that away at the end; elsewhere
# nothing is shown. LINKFS_VERBOSE=1 tells of every link which way it goes and why, its inputs, and how long it took.
# NEEDS: gcc linker script
. "$(dirname "$0")/lib-output.sh"
TERM=xterm
export TERM
echo 'void _start(void) { for (;;); } char big[1 << 20] = "x";' >bare.c
gcc -c bare.c
escape=$(printf '\033')

# on_terminal FILE COMMAND: with a terminal, whose text goes to FILE.
on_terminal() {
	run script -qfec "stty cols 90; $2" /dev/null </dev/null >"$1"
}

mkdir a
mkfifo pipe pipe2 pipe3
start_mount settle=never
"$ld_dir/ld" bare.o -o first
# On the mount: the linker process stands still meanwhile. In file mode: an input that does not come. Not where it is not
# wanted, nor elsewhere than on a terminal.
stop_worker
on_terminal page "'$ld_dir/ld' bare.o -o a/../$(printf 'long%.0s' $(seq 25))name" &
mount_link=$!
on_terminal page1 "LINKFS_MOUNT= '$ld_dir/ld' pipe -o out" &
file_link=$!
on_terminal page2 "LINKFS_MOUNT= LINKFS_PROGRESS=0 '$ld_dir/ld' pipe2 -o out2" &
quiet=$!
LINKFS_MOUNT='' run "$ld_dir/ld" pipe3 -o out3 2>err &
other=$!
await grep -q 'name: \(nothing\|waiting for the mount\|waiting for the linker process\) (' page
await grep -q 'out: reading inputs ([0-9.]*s)' page1
go_on_worker
for p in pipe pipe2 pipe3; do cat bare.o >$p; done
for pid in $mount_link $file_link $quiet $other; do
	wait "$pid" || { cat -v page page1 page2 err >&2; fail "a link"; }
done
for page in page page1; do
	[ "$(tail -c 4 $page | od -An -c | tr -d ' ')" = '\r033[K' ] || fail "what is left: $(cat -v $page)"
	tr '\r' '\n' <$page | sed "s/$escape\[K//g" | awk 'length($0) > 90 { exit 1 }' || fail "too wide: $(cat -v $page)"
done
[ ! -s page2 ] && [ ! -s err ] || fail "shown where it is not wanted: $(cat -v page2 err)"
plain out

# The words.
LINKFS_VERBOSE=1
export LINKFS_VERBOSE
says_of() {	# ERE COMMAND...
	want=$1
	shift
	run "$@" 2>said || { cat said >&2; fail "$*"; }
	has "^linkfs: out: $want" said
	has '^linkfs: out: 1 input \(1\.0M\), linked in [0-9.]+ms, 1\.[0-9]M' said
	equal "$(wc -l <said)" 2 "lines about one link"
}
says_of "mount mode: $mnt/.o/[0-9a-f]*, as LINKFS_MOUNT asks" "$ld_dir/ld" bare.o -o out
says_of "mount mode: .*, as --linkfs=mount" "$ld_dir/ld" bare.o -o out --linkfs=mount
says_of 'file mode: --linkfs=file asks for it' "$ld_dir/ld" bare.o -o out --linkfs=file
says_of 'file mode: LINKFS_MODE=file asks' env LINKFS_MODE=file "$ld_dir/ld" bare.o -o out
says_of 'file mode: LINKFS_MOUNT is not set' env LINKFS_MOUNT= "$ld_dir/ld" bare.o -o out
says_of 'file mode: .*no linkfs is mounted' env LINKFS_MOUNT=/proc "$ld_dir/ld" bare.o -o out
has 'written in [0-9.]+ms' said
