#!/bin/sh
# check.sh [--all]: sets a Debian 12 machine up, builds linkfs in several ways and runs its tests through ctest.
#
#   without --all   optimised with assertions: all but the long tests; address sanitizer: nearly the same; thread
#                   sanitizer: unit tests and some others; clang's build is the fuzz build: a minute of fuzzing. Under ten
#                   minutes on two CPUs.
#   --all           also the tests labelled long, the sanitizers over everything, linkfs linked by itself, big programs,
#                   an hour of fuzzing, with the half hours of torture (labelled endurance) at its side.
#
# Builds stay in build/ (so does the compiler cache, unless CCACHE_DIR says otherwise); everything else is made below one
# temporary folder and is looked for at the end: a mount, process or file left behind is a failure. The last line is
# `N passed, N failed, N skipped`, summed over the builds; the exit status is 0 if nothing failed.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

all=
case ${1:-} in
"") ;;
--all) all=1 ;;
*)
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac

groups="build check"
[ -z "$all" ] || groups="$groups all"
# shellcheck disable=SC2086 # a list of words
mnt-scripts/install-packages.sh $groups

work=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-check.XXXXXX")
mkdir "$work/tmp" "$work/cache" "$work/run" "$work/results"
chmod 755 "$work" "$work/tmp" # some tests are other users for a while, who watch directories
chmod 700 "$work/run"
export TMPDIR="$work/tmp" XDG_CACHE_HOME="$work/cache" XDG_RUNTIME_DIR="$work/run"
export CCACHE_DIR="${CCACHE_DIR:-$top/build/ccache}" CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-1G}"
export LINKFS_CHECK="$work" # marks the processes started from here
unset LINKFS_MOUNT LINKFS_MODE LINKFS_VERBOSE LIBRARY_PATH
jobs=$(nproc)
test_jobs=$((jobs * 2)) # many of them wait for something
started=$(date +%s)

# --- what tests may leave behind ------------------------------------------------------------------------------------

is_ours() {	# a process this script waits for: one that descends from it
	ancestor=$1
	while [ "${ancestor:-0}" -gt 1 ]; do
		[ "$ancestor" != $$ ] || return 0
		ancestor=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$ancestor/status" 2>/dev/null)
	done
	return 1
}

processes_left() {
	grep -lzxF "LINKFS_CHECK=$work" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		is_ours "$pid" || [ ! -d "/proc/$pid" ] || echo "$pid"
	done
}

mounts_left() {
	awk -v dir="$work/" 'index($2, dir) == 1 { print $2 }' /proc/self/mounts
}

# A mount whose server is dead or stuck must not hold us: its connection is aborted first.
drop_mount() {
	minor=$(awk -v dir="$1" '$5 == dir { split($3, dev, ":"); print dev[2] }' /proc/self/mountinfo | tail -n 1)
	if [ -w "/sys/fs/fuse/connections/$minor/abort" ]; then echo 1 >"/sys/fs/fuse/connections/$minor/abort"; fi
	timeout 10 umount -l "$1" 2>/dev/null || timeout 10 fusermount3 -u -z "$1" || :
}

clean_up() {
	status=$?
	trap - EXIT
	for mount in $(mounts_left); do drop_mount "$mount"; done
	for pid in $(processes_left); do kill -9 "$pid" 2>/dev/null || :; done
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- steps ----------------------------------------------------------------------------------------------------------

passed=0
failed=0
skipped=0

say() { echo "== $(($(date +%s) - started)) s: $*"; }

# build PRESET [CMAKE-ARG...]: into build/PRESET. What does not build is one failure, and its tests are left out.
build() {
	preset=$1
	shift
	say "building $preset"
	log=$work/$preset.log
	if cmake --preset "$preset" "$@" >"$log" 2>&1 &&
		cmake --build --preset "$preset" -j "$jobs" >>"$log" 2>&1; then
		return 0
	fi
	grep -vE '^\[[0-9]+/[0-9]+\]' "$log" | tail -n 60
	say "FAILED: building $preset"
	failed=$((failed + 1))
	return 1
}

# tests DIR CTEST-ARG...: runs tests of build/DIR and adds up what came of them. A test that could not run for another
# reason than exit status 77 has failed.
tests() {
	dir=$1
	shift
	say "testing $dir"
	result=$work/results/$dir.xml
	rm -f "$result"
	$no_aslr ctest --test-dir "build/$dir" -j "$test_jobs" --output-on-failure --output-junit "$result" "$@" || :
	counts=$(awk '
		/<testcase / { total++; if (/status="run"/) passed++ }
		/<skipped message="SKIP_RETURN_CODE=77"/ { skipped++ }
		END { print passed + 0, total - passed - skipped, skipped + 0 }' "$result" 2>/dev/null) || counts="0 1 0"
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

# fuzz SECONDS: of all CPUs together, shared by the targets, which run side by side. What breaks one is kept in
# build/fuzz/crashes.
fuzz() {
	set -- "$1" build/fuzz/tests/fuzz_*
	[ -x "${2:-}" ] || return 0
	each=$(($1 / jobs))
	[ "$each" -gt 0 ] || each=1
	shift
	say "fuzzing for $each s: $(echo "$@" | sed 's|[^ ]*/fuzz_||g')"
	mkdir -p build/fuzz/crashes
	for target; do
		name=${target##*/fuzz_}
		mkdir "$work/fuzz-$name"
		corpus=
		[ ! -d "tests/fuzz/corpus/$name" ] || corpus=tests/fuzz/corpus/$name
		# shellcheck disable=SC2086 # words or none
		{
			$no_aslr "$target" -max_total_time="$each" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
				-artifact_prefix="build/fuzz/crashes/$name-" "$work/fuzz-$name" $corpus
			echo "status $?"
		} >"$work/fuzz-$name.log" 2>&1 &
	done
	[ -z "$all" ] || tests check -L endurance
	wait
	for target; do
		name=${target##*/fuzz_}
		if grep -qx 'status 0' "$work/fuzz-$name.log"; then
			sed -n "s/^stat::number_of_executed_units: */   $name: inputs tried: /p" "$work/fuzz-$name.log"
			passed=$((passed + 1))
		else
			tail -n 40 "$work/fuzz-$name.log"
			say "FAILED: fuzzing $name: see build/fuzz/crashes"
			failed=$((failed + 1))
		fi
	done
}

# Old sanitizers do not know where kernels of today put things at random.
no_aslr=

if build check; then
	tests check -LE "$(if [ -n "$all" ]; then echo endurance; else echo long; fi)"
fi

if setarch -R true 2>/dev/null; then no_aslr="setarch -R"; fi
if build asan; then
	# Builds of whole projects are other programs' time; what waits for deadlines is as slow here as elsewhere.
	if [ -n "$all" ]; then
		tests asan -LE 'tidy|endurance'
	else
		# So are tables of thousands of cases, and whole programs of the machine.
		others='^unit/(resolve|options|overflow)$|^link/(cxx-library-mix|fill-real-programs)$'
		tests asan -LE 'tidy|long' -E "^mount/(build-|tools-|hung-linker|dead-fuse|as-user|run-compilers)|$others"
	fi
fi
if build tsan; then
	# As above, and of that what has threads: links of more than a handful of objects, and the mount but for tests of
	# what one client after the other is told.
	if [ -n "$all" ]; then
		tests tsan -LE 'tidy|endurance'
	else
		one_client='build-|hung-linker|dead-fuse|as-user|equals-file-mode|generations-flat|many-generations'
		one_client="$one_client|output-(map|reasons|odd-names|places|bad-disk|attributes|lto|open-copy|limits|moved|restart)|in-place-tools"
		one_client="$one_client|run-|tools-|enable|progress|why|status|check-doctor|fstab"
		tests tsan -LE long -R '^(unit|mount)/|^link/(hello-(pie|static|clangxx)|determinism|gc-)' \
			-E "^unit/(ranges|options|reloc|script|fill|resolve|overflow|place)\$|^mount/($one_client)"
	fi
fi

if build fuzz; then fuzz "$(if [ -n "$all" ]; then echo 3600; else echo 60; fi)"; fi
no_aslr=

# linkfs linked by linkfs, put to the mount tests.
if [ -n "$all" ] && [ -x build/check/bin/ld.linkfs ]; then
	if LINKFS_MODE='file' build self "-DCMAKE_EXE_LINKER_FLAGS=-B$top/build/check/libexec/linkfs"; then
		tests self -L 'mount|link'
	fi
fi

# --- the end --------------------------------------------------------------------------------------------------------

left=$(
	mounts_left | sed 's/^/a mount: /'
	for pid in $(processes_left); do echo "a process: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"; done
	# ccache makes the one left out here, whatever CCACHE_TEMPDIR says.
	find "$work/tmp" "$work/run" -mindepth 1 -maxdepth 1 ! -path "$work/run/ccache-tmp" | sed 's/^/a file: /'
)
if [ -n "$left" ]; then
	say "FAILED: left behind:"
	echo "$left"
	failed=$((failed + 1))
fi

say "done"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
