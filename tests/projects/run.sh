#!/bin/bash
# run.sh [--work DIR] [--jobs N] [--linkers "linkfs ld"] [--keep] [NAME...]: real projects under `linkfs run --`, and with the plain ld.
#
# For each project and linker: build from nothing, its own tests, an edit, the same build again, ask the program whether it
# is the edited one, install, ask what was installed. Under linkfs also: who linked what, every output once more in file
# mode and compared byte by byte, umount, and then nothing may lead into the mount or nowhere, and what was installed still
# answers. With --keep a tree that is there is built on. Prints a row of the table in tests/README.md per project; logs are DIR/NAME/LINKER.*.log.
#
# Sources are Debian's, fetched into DIR (by default ${TMPDIR:-/tmp}/linkfs-projects) with an apt configuration of its own
# below DIR; where that is impossible it exits 77. The linkfs is that of $LINKFS_BUILD (by default build/release). As root,
# tests that refuse root are run by nobody.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build_dir=${LINKFS_BUILD:-$here/../../build/release}
linkfs=$(cd "$build_dir/bin" && pwd)/linkfs
work=${TMPDIR:-/tmp}/linkfs-projects
jobs=$(nproc)
linkers="linkfs ld"
keep=
while [ $# -gt 0 ]; do
	case $1 in
	--work) work=$2 && shift 2 ;;
	--jobs) jobs=$2 && shift 2 ;;
	--linkers) linkers=$2 && shift 2 ;;
	--keep) keep=1 && shift ;;
	-*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || set -- postgresql fribidi jsoncpp ripgrep redis
"$here/../../mnt-scripts/install-packages.sh" build projects
mkdir -p "$work"
work=$(cd "$work" && pwd -P)
unset DESTDIR LINKFS_MOUNT LINKFS_MODE LINKFS_VERBOSE LINKFS_LD
export LC_ALL=C CCACHE_DISABLE=1

# --- the projects: commands, each run by sh in the source folder ----------------------------------------------------------
# `passed` makes one line of the log of the tests. $dest is where it is installed, $prefix what it is configured for.

postgresql() {
	package=postgresql-15 kind="configure, make; C" user=nobody
	configure="./configure --prefix=$dest --without-icu --without-readline CFLAGS='-O0 -g'"
	build="make -s -j$jobs"
	tests="make -s check MAX_CONNECTIONS=5"
	passed="grep -E '^ All|^ [0-9]+ of' | tr -d '='"
	edit="sed -i 's/is the PostgreSQL server/is a PostgreSQL server/' src/backend/main/main.c"
	program=src/backend/postgres ask="src/backend/postgres --help | head -n 1"
	install="make -s install"
	ask_installed="$dest/bin/postgres --help | head -n 1"
}

fribidi() {
	package=fribidi kind="Meson, ninja; C"
	configure="meson setup build --prefix=$dest --libdir=lib -Ddocs=false"
	build="ninja -C build -j$jobs"
	tests="meson test -C build"
	passed="grep -E '^(Ok|Fail|Timeout):' | tr -s ' \\n' ' '"
	edit="sed -i 's/(\" FRIBIDI_NAME \")/(\" FRIBIDI_NAME \", edited)/' lib/fribidi.c"
	program=build/lib/libfribidi.so.0.4.0 ask="build/bin/fribidi --version | head -n 1"
	install="$materialize build && meson install -C build --no-rebuild"
	ask_installed="LD_LIBRARY_PATH=$dest/lib $dest/bin/fribidi --version | head -n 1"
}

jsoncpp() {
	package=libjsoncpp kind="CMake, ninja; C++"
	configure="cmake -G Ninja -B build -D CMAKE_BUILD_TYPE=Debug -D CMAKE_INSTALL_PREFIX=$dest -D JSONCPP_WITH_POST_BUILD_UNITTEST=OFF"
	build="cmake --build build -j $jobs"
	tests="build/bin/jsoncpp_test; ctest --test-dir build"
	passed="grep 'tests passed' | tr '\\n' ' '"
	edit="sed -i \"s/Missing ':' after object/A colon is missing after an object/\" src/lib_json/json_reader.cpp"
	program=build/lib/libjsoncpp.so.1.9.5
	ask="printf '{\"a\" 1}' >try.json; build/bin/jsontestrunner_exe try.json 2>&1 | grep -i missing"
	install="$materialize build && cmake --install build"
	ask_installed="LD_PRELOAD=$dest/lib*/libjsoncpp.so build/bin/jsontestrunner_exe try.json 2>&1 | grep -i missing"
}

ripgrep() {
	package=rust-ripgrep crates=1 kind="Cargo; Rust"
	configure="cargo --version"
	build="cargo build --offline -j $jobs"
	tests="cargo test --offline -j $jobs"
	passed="grep '^test result' | sed 's/; finished.*//' | tr -s '\n' ' '"
	edit="sed -i 's/App::new(\"ripgrep\")/App::new(\"ripgrep, edited\")/' crates/core/app.rs"
	program=target/debug/rg ask="target/debug/rg --version | head -n 1"
	install="cargo install --offline --debug --path . --root $dest"
	ask_installed="$dest/bin/rg --version | head -n 1"
}

redis() {
	package=redis upstream=1 kind="make; C"
	configure=:
	build="make -j$jobs"
	tests="./runtest --clients $jobs $(printf -- '--single unit/%s ' type/string type/list type/hash type/set type/zset \
		scripting functions dump)"
	passed="sed 's/\x1b\[[0-9;]*m//g' | awk '/^\[ok\]/ { ok++ } /^\[(err|exception)/ { bad++ } END { print ok+0, \"ok,\", bad+0, \"failed\" }'"
	edit="sed -i 's/Redis server v=/Redis server, edited, v=/' src/server.c"
	program=src/redis-server ask="src/redis-server --version | sed 's/build=.*//'"
	install="make install OPTIMIZATION=-O0 PREFIX=$dest"
	ask_installed="$dest/bin/redis-server --version | sed 's/build=.*//'"
}

# --- sources --------------------------------------------------------------------------------------------------------------

skip() {
	echo "SKIP: $*"
	exit 77
}

get() { apt-get -q -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o "Dir::Etc::sourceparts=$work/apt/parts" \
	-o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User= "$@" >"$work/apt.log" 2>&1; }

# fetch: the sources of $package unpacked as $work/$name/src; for Rust, the crates it wants as $work/crates.
fetch() {
	[ ! -e "$work/$name/src" ] || return 0
	command -v apt-get >/dev/null && command -v dpkg-source >/dev/null || skip "apt-get or dpkg-source is not installed"
	if [ ! -e "$work/apt/sources.list" ]; then
		mkdir -p "$work"/apt/{parts,lists/partial,cache/archives/partial}
		mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
		[ "$mirror" ] || skip "apt knows no mirror of Debian 12"
		for type in deb deb-src; do
			echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main"
		done >"$work/apt/sources.list"
		get update || { rm "$work/apt/sources.list" && skip "no package lists, see $work/apt.log"; }
	fi
	mkdir -p "$work/$name/fetched"
	(cd "$work/$name/fetched" && get source --download-only "$package") || skip "no source of $package, see $work/apt.log"
	dpkg-source ${upstream:+--skip-patches} -x "$work/$name/fetched"/*.dsc "$work/$name/src.new" >"$work/$name/unpack.log" 2>&1 ||
		skip "not unpacked, see $work/$name/unpack.log"
	if [ "$crates" ]; then
		get -s --no-install-recommends build-dep "$package" || skip "no crates for $package, see $work/apt.log"
		packages=$(sed -n 's/^Inst \(librust[^ ]*\).*/\1/p' "$work/apt.log")
		# shellcheck disable=SC2086 # a list of words
		(cd "$work/$name/fetched" && get download $packages) || skip "no crates for $package, see $work/apt.log"
		for deb in "$work/$name/fetched"/*.deb; do dpkg -x "$deb" "$work/crates"; done
		mkdir -p "$work/$name/src.new/.cargo"
		printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "%s"\n' \
			"$work/crates/usr/share/cargo/registry" >"$work/$name/src.new/.cargo/config.toml"
		rm -f "$work/$name/src.new/Cargo.lock"
		sed -i '/^simd-accel = /d' "$work/$name/src.new/Cargo.toml" # no crate there has it
	fi
	mv "$work/$name/src.new" "$work/$name/src"
}

# --- the steps ------------------------------------------------------------------------------------------------------------

fail() {
	echo "FAIL: $name: $linker: $*" >&2
	exit 1
}

# under COMMAND...: with the linker.
under() { if [ "$linker" = linkfs ]; then "$linkfs" run -- "$@"; else "$@"; fi; }

# cpu_of PID...: clock ticks of processes that are not ours, so far.
cpu_of() {
	local pid sum=0
	for pid; do
		[ ! -e "/proc/$pid/stat" ] || sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 + $14 + $15 }')))
	done
	echo "$sum"
}

# step NAME COMMAND: runs it under the linker; $took: its seconds, and those of CPU, both processes of the mount included.
step() {
	local real user sys ticks=0 TIMEFORMAT='%R %U %S' status=0
	[ "$linker" != linkfs ] || "$linkfs" run -- true
	[ "$linker" != linkfs ] || ticks=$(cpu_of "$(value mount_pid)" "$(value worker_pid)")
	{ time under sh -c "$2" >"$log.$1.log" 2>&1 || status=$?; } 2>"$log.time"
	[ $status = 0 ] || [ "$1" = tests ] || fail "$1 failed, see $log.$1.log"
	[ "$linker" != linkfs ] || ticks=$(($(cpu_of "$(value mount_pid)" "$(value worker_pid)") - ticks))
	read -r real user sys <"$log.time"
	took=$(awk "BEGIN { printf \"%.0f s (%.1f)\", $real, $user + $sys + $ticks / $(getconf CLK_TCK) }")
}

# value KEY: from the mount's statistics.
value() { "$linkfs" status --json | grep -o "\"$1\": [0-9.]*" | head -n 1 | sed 's/.*: //'; }

# plain_files DIR...: nothing there leads into the mount, nor nowhere if it did lead somewhere in a tree of ld's.
plain_files() {
	! find "$@" -type l -lname "$XDG_CACHE_HOME/*" | grep . || fail "still on the mount"
}

# by_linkfs: the files of this tree that linkfs linked.
by_linkfs() { "$linkfs" check . 2>/dev/null | sed -n 's/^\(\.\/.*[^ ]\)  *\(file\|mount\)  *linkfs.*/\1/p'; }

# same_in_file_mode: all that linkfs linked here is linked once more in file mode; $same tells how many are equal.
same_in_file_mode() {
	local file again=0 equal=0
	rm -rf "$work/$name/saved"
	mkdir "$work/$name/saved"
	by_linkfs >"$log.outputs"
	while read -r file; do cp --parents -L "$file" "$work/$name/saved/" 2>/dev/null || :; done <"$log.outputs"
	xargs -d '\n' rm -f <"$log.outputs"
	"$linkfs" run --linkfs=file -- sh -c "$build" >"$log.file-mode.log" 2>&1 || fail "not built in file mode"
	: >"$log.differ"
	while read -r file; do
		[ -f "$file" ] || continue
		again=$((again + 1))
		if cmp -s "$file" "$work/$name/saved/$file"; then equal=$((equal + 1)); else echo "$file" >>"$log.differ"; fi
	done <"$log.outputs"
	same="$equal of $again"
	rm -rf "$work/$name/saved"
}

one_linker() {
	linker=$1 log=$work/$name/$1 materialize=':'
	dest=$work/$name/dest.$linker
	if [ "$linker" = linkfs ]; then
		materialize="$linkfs materialize"
		"$linkfs" umount >/dev/null 2>&1 || :
		[ -z "$user" ] || "$linkfs" mount -o allow_other
	fi
	"$name"
	tree=$work/$name/$linker
	rm -rf "$dest" "$log".*
	if [ -z "$keep" ] || [ ! -e "$tree" ]; then
		rm -rf "$tree"
		cp -a "$work/$name/src" "$tree"
	else
		configure=:
	fi
	cd "$tree"
	load=$(cut -d ' ' -f 1 /proc/loadavg)

	step configure "$configure"
	step build "$build"
	built=$took
	[ "$linker" != linkfs ] || links=$(value links_made)
	before=$(sh -c "$ask")
	if [ "$user" ] && [ "$(id -u)" = 0 ]; then
		chown -R "$user" .
		step tests "setpriv --reuid=$user --clear-groups env HOME=$PWD $tests"
		chown -R root .
	else
		step tests "$tests"
	fi
	result=$(sh -c "$passed" <"$log.tests.log")

	sh -c "$edit"
	step rebuild "$build"
	edited=$took
	after=$(sh -c "$ask")
	[ "$before" != "$after" ] || fail "the program does not show the edit: $after"
	if [ "$linker" = linkfs ]; then
		relink_ms=$("$linkfs" info "$PWD/$program" | sed -n 's/^link_ms: //p')
		"$linkfs" status --json --all >"$log.status.json"
		"$linkfs" check . >"$log.check" || :
	fi
	step install "$install"
	installed=$(du -sh "$dest" | cut -f 1)
	if [ "$linker" = linkfs ]; then
		answer=$(sh -c "$ask_installed")
		same_in_file_mode
		"$linkfs" umount || fail "umount"
		plain_files "$dest" .
		! find "$dest" -xtype l | grep . || fail "leads nowhere"
		[ "$(sh -c "$ask_installed")" = "$answer" ] || fail "what was installed says something else after umount"
		[ "$ask_installed" = "${ask_installed#*lib}" ] && [ "$answer" != "$after" ] && fail "what was installed is not the edited program: $answer"
	fi
	cd "$work"
}

for name; do
	export XDG_CACHE_HOME=$work/$name/cache XDG_CONFIG_HOME=$work/$name/config
	user='' crates='' upstream='' links='' relink_ms='' same='' dest='' materialize=''
	"$name"
	fetch
	version=$(sed -n 's/^Version: //p' "$work/$name/fetched"/*.dsc | head -n 1)
	lines=$(find "$work/$name/src" -regextype egrep -regex '.*\.(c|h|cc|cpp|rs|l|y|S|s|f|f90|py|pl|tcl|lua|sql)' -type f -print0 |
		xargs -0 cat | wc -l)
	echo "$name $version: $kind, $lines lines"
	for linker in $linkers; do
		one_linker "$linker"
		echo "| $name | $linker | $built | $links | $result | $edited | $relink_ms | $same | $installed | $load |" |
			tee "$work/$name/$linker.row"
		links='' relink_ms='' same=''
	done
done
