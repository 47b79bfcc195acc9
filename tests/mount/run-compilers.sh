#!/bin/sh
# linkfs run: gcc and clang of any configured linker, by each of the three ways alone (PATH, COMPILER_PATH, the preloaded
# library), and linkers started by their absolute names.
# NEEDS: gcc readelf linker
. "$(dirname "$0")/lib-run.sh"
makes one
big_object big one

# The mount is started where it is needed, and what is built is on it.
lrun gcc big.o -o big
on_mount big
linked_by linkfs big
says ./big one

export LINKFS_MODE="file"
for cc in gcc clang; do
	command -v $cc >/dev/null || continue
	for flag in -O0 -fuse-ld=bfd -fuse-ld=gold -fuse-ld=lld -fuse-ld=mold; do
		case $cc$flag in clang-fuse-ld=[bgm]*) continue ;; esac # as gcc
		[ $flag = -O0 ] || command -v "ld.${flag#*=}" >/dev/null || continue
		"$linkfs" run --linkfs=file -- $cc $flag one.o -o "one.$cc$flag" || fail "$cc $flag"
		linked_by linkfs "one.$cc$flag"
		[ ! -e sum ] || cmp "one.$cc$flag" sum.$cc 2>/dev/null || cp "one.$cc$flag" sum.$cc
	done
	says "./one.$cc-O0" one
	for way in 'LD_PRELOAD COMPILER_PATH' 'LD_PRELOAD PATH' 'PATH COMPILER_PATH'; do
		set -- env
		for word in $way; do
			case $word in PATH) set -- "$@" PATH=/usr/bin:/bin ;; *) set -- "$@" "$word=" ;; esac
		done
		# clang looks beside itself before it looks in PATH.
		[ "$cc$way" != "clangLD_PRELOAD COMPILER_PATH" ] || continue
		rm -f out
		"$linkfs" run --linkfs=file -- "$@" $cc one.o -o out || fail "$cc without $way"
		linked_by linkfs out
	done
done

if command -v ccache >/dev/null; then
	CCACHE_DIR=$T/ccache "$linkfs" run --linkfs=file -- ccache gcc one.o -o one.ccache
	linked_by linkfs one.ccache
fi

# Absolute names, other names of the same, and programs that are several linkers in one.
echo '.globl _start; _start: mov $60, %eax; xor %edi, %edi; syscall' >bare.s
gcc -c bare.s
triplet=$(gcc -dumpmachine)
for name in /usr/bin/ld "/usr/bin/$triplet-ld" /usr/bin/ld.lld '/usr/bin/lld -flavor gnu' /usr/bin/mold /usr/bin/ld.lld-14; do
	[ -x "${name%% *}" ] || continue
	rm -f out
	"$linkfs" run --linkfs=file -- sh -c "$name bare.o -o out" || fail "$name"
	linked_by linkfs out
	rm -f out
	# shellcheck disable=SC2086 # words
	"$linkfs" run --linkfs=file -- $name bare.o -o out || fail "$name as the command"
	linked_by linkfs out
	run ./out
done
rm -f out
if [ -x /usr/bin/lld ]; then
	"$linkfs" run --linkfs=file -- sh -c '/usr/bin/lld -flavor wasm bare.o -o out' 2>said || :
	! grep -q 'linkfs:' said || fail "ld.linkfs was started for another kind of file"
fi
