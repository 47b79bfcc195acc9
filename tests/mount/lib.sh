# shellcheck shell=sh
# lib.sh: what every mount test shares. A test sources it first; after that it stands in a private empty directory with
# a mount point $mnt, which the trap unmounts, by force where need be, and removes.
#
# `use_fake` before `start_mount` takes tests/mount/fake_linkfs.c for linkfs: the same mount over a linker that joins its
# inputs, so that a test needs no compiler, and can be told to crash. Otherwise $linkfs and $ld are the real ones.
# `# NEEDS: word...` in a test's head names programs it needs; what is missing is told and the test exits 77 (skipped).
# A watchdog ends a test that hangs: it aborts the mount's connection, since a caller that waits for a mount can't be
# killed otherwise.

set -eu
umask 022
LC_ALL=C
export LC_ALL
unset LD_LIBRARY_PATH LD_PRELOAD LD_BIND_NOW LD_RUN_PATH 2>/dev/null || :

lib_dir=$(cd "$(dirname "$0")" && pwd)
[ -e "$lib_dir/lib.sh" ] || lib_dir=$(dirname "$lib_dir")
: "${LINKFS_BUILD:=$lib_dir/../../build/release}"
linkfs=$LINKFS_BUILD/bin/linkfs
ld=$LINKFS_BUILD/bin/ld.linkfs
randread=$LINKFS_BUILD/tests/randread
patience=${LINKFS_TEST_PATIENCE:-100} # seconds for a whole test

skip() {
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

for word in $(sed -n 's/^# NEEDS://p' "$0"); do
	case $word in
	root) [ "$(id -u)" = 0 ] || skip "needs root" ;;
	linker) [ -x "$ld" ] && [ -x "$linkfs" ] || skip "$ld is not built" ;;
	/*) [ -e "$word" ] || skip "$word is not installed" ;;
	*) command -v "$word" >/dev/null 2>&1 || skip "$word is not installed" ;;
	esac
done
[ -e /dev/fuse ] || skip "there is no /dev/fuse (in a container: --device /dev/fuse --cap-add SYS_ADMIN)"
[ -w /dev/fuse ] || skip "/dev/fuse may not be opened by this user"
[ "$(id -u)" = 0 ] || command -v fusermount3 >/dev/null 2>&1 || skip "fusermount3 is not installed"
[ -x "$randread" ] || skip "$randread is not built"

T=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-mount.XXXXXX")
T=$(cd "$T" && pwd -P)
mkdir "$T/work" "$T/mnt" "$T/cache"
mnt=$T/mnt
XDG_CACHE_HOME=$T/cache
XDG_CONFIG_HOME=$T/config
LINKFS_MOUNT=$mnt
TMPDIR=$T
[ -z "${LINKFS_SANITIZE:-}" ] || for tool in ASAN UBSAN TSAN; do # who serves a mount has no stderr
	export "${tool}_OPTIONS=$(eval "echo \"\${${tool}_OPTIONS:-}\""):log_path=$T/sanitizer"
done
LINKFS_MODE="file" # what ld.linkfs makes for comparison; tests of the other modes say so
export XDG_CACHE_HOME XDG_CONFIG_HOME LINKFS_MOUNT TMPDIR LINKFS_MODE
cd "$T/work"

# --- the end ----------------------------------------------------------------------------------------------------------

# mounts: mount points below our directory, the innermost last.
mounts() {
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo
}

# abort_mounts: ends their connections, so that nothing that waits for them waits on.
abort_mounts() {
	awk -v t="$T/" 'index($5, t) == 1 { split($3, dev, ":"); print dev[2] }' /proc/self/mountinfo |
		while read -r minor; do
			f=/sys/fs/fuse/connections/$minor/abort
			[ ! -e "$f" ] || echo 1 >"$f"
		done
}

# leftovers: processes of our mounts that still run.
leftovers() {
	for p in /proc/[0-9]*; do
		grep -qsF "cache_dir=$T/" "$p/cmdline" && echo "${p#/proc/}"
	done
	return 0
}

# where_threads_are PID, who_keeps MOUNT: for who looks into a mount process that does not end.
where_threads_are() {
	for task in "/proc/$1/task/"*; do
		echo "lib.sh:   thread $({ cat "$task/comm" "$task/wchan" && cut -c1-40 "$task/syscall"; } 2>/dev/null | tr '\n' ' ')" >&2
	done
}

who_keeps() {
	grep -lsF " $1 " /proc/[0-9]*/mountinfo | while IFS=/ read -r _ _ p _; do
		echo "lib.sh:   mounted for $p: $(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline" | cut -c1-100)" >&2
	done
}

# The first words of who goes to a mount namespace of its own (unshare -m sh -c "$drop_copies ..."): copies there of other
# tests' mounts would keep those in use.
# shellcheck disable=SC2016,SC2089 # for that shell
drop_copies='awk "/ - fuse[.]linkfs / { print \$5 }" /proc/self/mountinfo | while read -r m; do umount -i -l "$m" || :; done;'
# shellcheck disable=SC2090
export drop_copies

at_exit=:
clean_up() {
	status=$?
	trap - EXIT
	set +e
	kill "$watchdog" 2>/dev/null
	$at_exit
	cd /
	for m in $(mounts); do
		timeout 20 "$linkfs" umount "$m" >"$T/umount" 2>&1 && continue
		echo "lib.sh: $m had to be aborted: $(cat "$T/umount")" >&2
		who_keeps "$m"
		for p in $(leftovers); do where_threads_are "$p"; done
		[ "$status" = 0 ] && status=1
		abort_mounts
		umount -l "$m" 2>/dev/null || fusermount3 -u -z "$m" 2>/dev/null
	done
	for p in $(leftovers); do
		echo "lib.sh: process $p was left behind" >&2
		kill -9 "$p" 2>/dev/null
		[ "$status" = 0 ] && status=1
	done
	for f in "$T/sanitizer."*; do
		[ -s "$f" ] || continue
		head -n 60 "$f" >&2
		[ "$status" = 0 ] && status=1
	done
	if [ "$status" != 0 ] && [ "$status" != 77 ] && [ -n "${LINKFS_TEST_KEEP:-}" ]; then
		echo "kept: $T" >&2
	else
		rm -rf --one-file-system "$T"
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT

# The test may end at once (skipped), so the watchdog takes the signal from its first instruction on: it has the default
# for it until it has a trap of its own, and a sleep that is about to be is ended by a signal that can't be lost.
test_pid=$$
(
	trap 'kill -9 ${!-}; exit' TERM
	sleep "$patience" &
	wait $!
	abort_mounts
	kill -TERM "$test_pid"
) >/dev/null 2>&1 &
watchdog=$!
trap 'echo "FAIL: the watchdog ended the test" >&2; exit 143' TERM

# --- mounting ---------------------------------------------------------------------------------------------------------

use_fake() {
	linkfs=$LINKFS_BUILD/tests/fake_linkfs
	[ -x "$linkfs" ] || skip "$linkfs is not built"
}

# run COMMAND...: with a time limit of its own.
run() {
	timeout -k 5 40 "$@"
}

# start_mount [OPTION,...]
start_mount() {
	run "$linkfs" mount -o "cache_dir=$T/cache/linkfs${1:+,$1}" "$mnt" 2>"$T/mount.err" && return 0
	cat "$T/mount.err" >&2
	grep -q "Operation not permitted\|Permission denied" "$T/mount.err" && skip "mounting is not permitted here"
	fail "can't mount"
}

stop_mount() {
	run "$linkfs" umount "$mnt" || fail "can't unmount"
}

# add NAME ARGS...: a recipe that runs in the current directory.
add() {
	name=$1
	shift
	run "$linkfs" add "$name" -- "$@" || fail "linkfs add $name"
}

# add_linked NAME COMPILER ARG...: the link that this compiler command line would make.
add_linked() {
	name=$1
	shift
	"$lib_dir/../../mnt-scripts/ld-args.sh" "$T/args" "$@" || fail "what would $* link"
	{ echo "--chdir=\"$PWD\""; cat "$T/args"; } >"$mnt/.linkfs/links/$name" || fail "writing the recipe of $name"
}

# links_well NAME: it can be linked.
links_well() {
	[ "$(info_of "$1" state)" = ok ] && return 0
	cat "$mnt/.linkfs/log/$1" >&2
	fail "$1 can't be linked"
}

# stat_of KEY, info_of NAME KEY: one value.
stat_of() {
	run sed -n "s/^$1: //p" "$mnt/.linkfs/stats"
}

info_of() {
	run sed -n "s/^$2: //p" "$mnt/.linkfs/info/$1"
}

# wait_until COMMAND...: at most ten seconds.
wait_until() {
	for _ in $(seq 200); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}

# --- assertions -------------------------------------------------------------------------------------------------------

equal() {	# GOT WANT WHAT
	[ "$1" = "$2" ] && return 0
	printf 'got:  %s\nwant: %s\n' "$1" "$2" >&2
	fail "$3"
}

has() {	# ERE FILE
	run cat -- "$2" >"$T/has.out" || fail "can't read $2"
	grep -Eq -e "$1" "$T/has.out" && return 0
	echo "--- $2:" >&2
	head -n 60 "$T/has.out" >&2
	fail "nothing in $2 matches: $1"
}

# expect_error ERE COMMAND...: it fails, and says so.
expect_error() {
	want=$1
	shift
	status=0
	run "$@" >"$T/out" 2>"$T/err" || status=$?
	[ "$status" != 0 ] || fail "no error from: $*"
	[ "$status" -lt 124 ] || { cat "$T/err" >&2; fail "status $status: $*"; }
	has "$want" "$T/err"
}

# within MS COMMAND...: it works, and does not take longer; four times as long under a sanitizer.
within() {
	ms=$(($1 * (1 + 3 * (0${LINKFS_SANITIZE:+1}))))
	shift
	start=$(date +%s%N)
	run "$@" >"$T/within.out" || fail "$*"
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$took" -le "$ms" ] || fail "$took ms: $*"
}

# same_bytes FILE REFERENCE: read in random order by four threads.
same_bytes() {
	run "$randread" "$1" "$2" 4 "${LINKFS_TEST_SEED:-$$}" || fail "$1 differs from $2 (seed ${LINKFS_TEST_SEED:-$$})"
}

# pattern SIZE FILE: bytes that look random and are the same each time.
pattern() {
	head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -out "$2" 2>/dev/null ||
		skip "openssl is not installed"
}
