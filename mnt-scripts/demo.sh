#!/bin/sh
# demo.sh: shows on a Debian 12 machine what linkfs does. It installs what is missing (and says what), builds, mounts, links
# CPython from Debian's archive through the mount and runs it, edits one object and runs it again, puts twenty programs
# over one set of archives, says what all this cost, and unmounts. Without /dev/fuse it says what to permit and shows
# the linker writing ordinary files. Everything but build/ is made below one temporary folder, which goes at the end.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
mnt-scripts/install-packages.sh build demo

work=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-demo.XXXXXX")
mkdir "$work/mnt" "$work/cache" "$work/run" "$work/tmp"
chmod 700 "$work/run"
export XDG_CACHE_HOME="$work/cache" XDG_RUNTIME_DIR="$work/run" TMPDIR="$work/tmp"
export CCACHE_DIR="${CCACHE_DIR:-$top/build/ccache}"
unset LINKFS_MOUNT LINKFS_MODE LIBRARY_PATH
mnt=$work/mnt
bin=$top/build/release/bin
mounted=

clean_up() {
	status=$?
	trap - EXIT
	cd "$top"
	if [ -n "$mounted" ]; then
		timeout 30 "$bin/linkfs" umount "$mnt" || timeout 10 "$bin/linkfs" umount --lazy "$mnt" ||
			timeout 10 umount -l "$mnt" || timeout 10 fusermount3 -u -z "$mnt" || :
	fi
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- telling --------------------------------------------------------------------------------------------------------

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || title() { printf '\n%s\n' "$*"; }
now() { date +%s%N; }
ms_since() { echo $((($(now) - $1) / 1000000)); }
mib() { awk -v b="$1" 'BEGIN { printf b < 10485760 ? "%.1f MiB" : "%.0f MiB", b / 1048576 }'; }
key() { sed -n "s/^$2: *//p" "$1"; }		# key FILE NAME: of a `key: value` file
size_of() { stat -L -c %s "$1"; }

# show COMMAND...: as typed, then done.
show() {
	printf '$'
	for word; do
		case $word in
		*[[:space:]]*) word=\'$word\' ;;
		esac
		printf ' %s' "$(printf '%s' "$word" | sed "s|$bin/||g; s|$work/||g; s|$top/||g; s|$config/||g")"
	done
	echo
	"$@"
}

share_made() {	# share_made NAME: how much of a live link's bytes were ever made
	info=$mnt/.linkfs/info/$1
	awk -v filled="$(key "$info" filled_bytes)" -v size="$(key "$info" size)" -v applied="$(key "$info" relocs_applied)" \
		-v total="$(key "$info" relocs_total)" 'BEGIN {
			printf "  of its %.1f MiB, %.1f MiB were ever made (%.0f %%); ", size / 1048576, filled / 1048576,
				size ? 100 * filled / size : 0
			printf "of %d relocations, %d were applied\n", total, applied }'
}

# --- build ----------------------------------------------------------------------------------------------------------

title "Building linkfs"
log=$top/build/demo.log
mkdir -p build
start=$(now)
if ! { cmake --preset release && cmake --build --preset release -j "$(nproc)" -t linkfs ld_linkfs; } >"$log" 2>&1; then
	tail -n 40 "$log"
	echo "demo.sh: the build failed; all of it is in $log" >&2
	exit 1
fi
echo "  done in $(ms_since "$start") ms: build/release/bin/linkfs, build/release/bin/ld.linkfs"

# --- what is linked: CPython -----------------------------------------------------------------------------------------

config=$(dirname "$(dpkg -L libpython3.11-dev | grep '/python\.o$')")
libs="-lexpat -lz -lm -ldl -lutil"
mkdir "$work/py"
cat >"$work/py/main.c" <<'END'
#include <Python.h>
#include <stdio.h>

#define GREETING "Hello from a file nobody wrote."

int main(int argc, char **argv)
{
	puts(GREETING);
	fflush(stdout);
	return Py_BytesMain(argc, argv);
}
END
compile() { gcc -O1 -I/usr/include/python3.11 -c "$1" -o "${1%.c}.o.new" && mv "${1%.c}.o.new" "${1%.c}.o"; }
compile "$work/py/main.c"

# --- without a mount --------------------------------------------------------------------------------------------------

no_mount() {
	title "No mount here: $1"
	cat <<'END'
  To permit it:
    on a machine of your own    modprobe fuse; the package fuse3 gives fusermount3 its rights
    in a container              docker run --device /dev/fuse --cap-add SYS_ADMIN --security-opt apparmor=unconfined ...
  Until then linkfs is a linker that writes ordinary files, as any other:
END
	cd "$work/py"
	start=$(now)
	# shellcheck disable=SC2086 # a list of words
	show gcc -B"$top/build/release/libexec/linkfs" -no-pie -Wl,-export-dynamic -o python main.o \
		"$config/libpython3.11.a" $libs
	echo "  linked in $(ms_since "$start") ms, gcc's own time included: $(mib "$(size_of python)")"
	show ./python -S -c 'print(sum(n * n for n in range(10)))'
	exit 0
}

[ -e /dev/fuse ] || no_mount "there is no /dev/fuse"
if ! (: <>/dev/fuse) 2>/dev/null; then no_mount "/dev/fuse may not be opened"; fi
if [ "$(id -u)" != 0 ] && ! command -v fusermount3 >/dev/null; then no_mount "fusermount3 is not installed"; fi
if ! timeout 20 "$bin/linkfs" mount "$mnt" 2>"$work/err"; then
	no_mount "mounting was refused: $(tail -n 1 "$work/err")"
fi
mounted=1
export LINKFS_MOUNT="$mnt"

# --- with a mount -----------------------------------------------------------------------------------------------------

title "CPython, linked when somebody looks"
echo "  ($(mib "$(size_of "$config/libpython3.11.a")") of archive; the arguments are what gcc would give its linker)"
# shellcheck disable=SC2086 # a list of words
mnt-scripts/ld-args.sh "$work/py/args" gcc -no-pie -Wl,-export-dynamic "$work/py/main.o" "$config/libpython3.11.a" $libs
start=$(now)
show "$bin/linkfs" add python -- "@$work/py/args"
show ls -l "$mnt/python"
echo "  linked in $(ms_since "$start") ms; on disk: $(mib $((512 * $(stat -c %b "$mnt/python"))))"
start=$(now)
show "$mnt/python" -S -c 'print("1 + 1 =", 1 + 1)'
echo "  first output and exit after $(ms_since "$start") ms"
share_made python
start=$(now)
"$mnt/python" -c 'import json, re, hashlib, ctypes' >/dev/null
echo "  with json, re, hashlib and ctypes: $(ms_since "$start") ms"
share_made python

title "One object edited"
sed -i 's/^#define GREETING .*/#define GREETING "Hello again: one object changed, nothing was linked by hand."/' "$work/py/main.c"
show gcc -O1 -I/usr/include/python3.11 -c "$work/py/main.c" -o "$work/py/main.o.new"
mv "$work/py/main.o.new" "$work/py/main.o"
start=$(now)
show "$mnt/python" -S -c 'print("2 + 2 =", 2 + 2)'
echo "  linked anew, run and gone after $(ms_since "$start") ms; the link itself: $(key "$mnt/.linkfs/info/python" link_ms) ms"
share_made python

title "Twenty programs over one archive"
mkdir "$work/many"
start=$(now)
i=1
while [ $i -le 20 ]; do
	cat >"$work/many/p$i.c" <<END
#include <Python.h>
int main(void)
{
	Py_NoSiteFlag = 1;
	Py_Initialize();
	int bad = PyRun_SimpleString("print($i, 'squared is', $i ** 2)");
	return Py_FinalizeEx() || bad;
}
END
	compile "$work/many/p$i.c"
	i=$((i + 1))
done
sed "s|$work/py/main\.o|$work/many/p1.o|" "$work/py/args" >"$work/many/args"
start=$(now)
i=1
while [ $i -le 20 ]; do
	sed "s|$work/many/p1\.o|$work/many/p$i.o|" "$work/many/args" >"$work/many/args$i"
	"$bin/linkfs" add "p$i" -- "@$work/many/args$i"
	i=$((i + 1))
done
apparent=0
i=1
while [ $i -le 20 ]; do
	apparent=$((apparent + $(size_of "$mnt/p$i")))
	i=$((i + 1))
done
echo "  twenty links in $(ms_since "$start") ms"
start=$(now)
i=1
while [ $i -le 20 ]; do
	"$mnt/p$i" >"$work/many/out$i"
	grep -q "^$i squared is $((i * i))\$" "$work/many/out$i" || {
		echo "demo.sh: p$i printed: $(cat "$work/many/out$i")" >&2
		exit 1
	}
	i=$((i + 1))
done
tail -n 1 "$work/many/out20"
stats=$mnt/.linkfs/stats
echo "  all twenty run in $(ms_since "$start") ms, and each was right"
echo "  as ordinary files they would take $(mib "$apparent"); the mount keeps $(mib "$(key "$stats" cache_bytes)") on disk,"
echo "  python's own included, of which it may drop any page again: it can be made anew"

title "Unmounting"
show "$bin/linkfs" umount "$mnt"
mounted=
rmdir "$mnt"
echo "  Nothing is left but build/. To go on: README.md."
