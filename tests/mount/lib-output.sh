# shellcheck shell=sh
# lib-output.sh: what the tests of ld.linkfs on the mount share, on top of lib.sh, which it sources: links are handed to
# the mount as a build would hand them, by LINKFS_MOUNT and gcc -B.

[ -n "${lib_dir:-}" ] || . "$(dirname "$0")/lib.sh" # a test in a folder below has sourced it
unset LINKFS_MODE
ld_dir=$LINKFS_BUILD/libexec/linkfs
[ -x "$ld_dir/ld" ] || skip "$ld_dir/ld is not built"

# link ARG...: by gcc through the mount. link_file ARG...: the same to a plain file.
link() {
	run gcc -B"$ld_dir/" "$@"
}

link_file() {
	run env LINKFS_MODE=file gcc -B"$ld_dir/" "$@"
}

link_fails() {	# ERE ARG...
	want_error=$1
	shift
	expect_error "$want_error" gcc -B"$ld_dir/" "$@"
}

# makes WORD...: WORD.o, an object of a program that says WORD.
makes() {
	for word; do
		echo "#include <stdio.h>
int main(void) { puts(\"$word\"); return 0; }" >"$T/$word.c"
		gcc -c "$T/$word.c" -o "$word.o" || fail "compiling $word"
	done
}

# big_object NAME WORD: NAME.o, a program that says WORD and is above the size that becomes a plain file at once.
big_object() {
	echo "#include <stdio.h>
char data[5 << 20] = \"$2\";
int main(void) { puts(data); return 0; }" >"$T/$1.c"
	gcc -c "$T/$1.c" -o "$1.o" || fail "compiling $1"
}

# says FILE WORD
says() {
	got=$(run "$1") || fail "$1 does not run"
	equal "$got" "$2" "what $1 says"
}

# on_mount FILE: it is a symbolic link into the mount. plain FILE: it is a plain file.
on_mount() {
	case $(readlink "$1") in
	"$mnt"/.o/*) ;;
	*) fail "$1 is not shown by the mount: $(ls -ld "$1")" ;;
	esac
}

plain() {
	[ -f "$1" ] && [ ! -L "$1" ] || fail "$1 is not a plain file: $(ls -ld "$1" 2>&1)"
}

# links_made N COMMAND...: COMMAND makes N links on the mount.
links_made() {
	want_links=$1 links_before=$(stat_of links_made)
	shift
	"$@" || fail "status $?: $*"
	equal $(($(stat_of links_made) - links_before)) "$want_links" "how many links the mount made for: $*"
}

# nothing_beside DIR: no temporary name was left in it.
nothing_beside() {
	left=$(find "$1" -name '.linkfs-*' -o -name '*.tmp')
	[ -z "$left" ] || fail "left behind: $left"
}

# await COMMAND...: until it succeeds.
await() {
	wait_until "$@" || fail "in vain waited for: $*"
}

# The linker process is stopped: links are asked for and wait, and so does who asks for statistics. A link must have been
# made before.
stop_worker() {
	worker=$(stat_of worker_pid)
	[ "${worker:-0}" != 0 ] || fail "there is no linker process"
	kill -STOP "$worker"
}

go_on_worker() {
	kill -CONT "$worker"
}

is_linking() {	# ABSOLUTE-OUTPUT
	[ "$(sed -n 's/^state: //p' "$mnt/.linkfs/info$1" 2>/dev/null)" = linking ]
}
