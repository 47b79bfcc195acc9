#!/bin/sh
# The first lines of README.md, as they stand there, in a home of their own: a program, edited, linked again and run; and the
# line that ends it, after which nothing is left but the program, as a plain file.
# NEEDS: gcc readelf linker
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
[ -e "$LINKFS_BUILD/lib/linkfs/run/liblinkfs-run.so" ] || skip "liblinkfs-run.so is not built"
block() {
	awk -v name="$1" '
		$0 == "<!-- " name ": begin -->" { on = 1 }
		$0 == "<!-- " name ": end -->" { on = 0 }
		on && /^[^`<]/' "${LINKFS_SOURCE:-$lib_dir/../..}/README.md"
}
block "quick start" >start
block "quick end" >end
[ "$(grep -c . start)" -ge 10 ] && [ -s end ] || fail "README.md has no quick start"

# The program is a copy, so that no mount of another test's linkfs is ended.
mkdir -p "$T/home" "$T/usr/lib"
cp -R "$LINKFS_BUILD/bin" "$LINKFS_BUILD/libexec" "$T/usr"
cp -R "$LINKFS_BUILD/lib/linkfs" "$T/usr/lib"
export HOME="$T/home" PATH="$T/usr/bin:$PATH"
unset XDG_CACHE_HOME XDG_CONFIG_HOME LINKFS_MOUNT SUDO_USER
at_exit=end_default
end_default() { timeout 20 "$T/usr/bin/linkfs" umount >/dev/null 2>&1 || :; }
run sh -eu "$T/work/start" >out 2>err || { cat err >&2; fail "the quick start"; }
has '^hello from a file nobody wrote$' out
has '^hello again, from a file nobody wrote$' out
has '^l.* hello -> .*/\.cache/linkfs/mnt/\.o/' out
has '/home/hello/hello +ok +mount ' out
[ ! -s err ] || { cat err >&2; fail "something is said"; }
run sh -eu "$T/work/end" >out 2>err || { cat err >&2; fail "the end"; }
has 'what is left is this build: rm -r ' out
equal "$(cd "$HOME" && find . -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" "hello hello/hello hello/hello.c " "what is left"
plain "$HOME/hello/hello"
says "$HOME/hello/hello" 'hello again, from a file nobody wrote'
