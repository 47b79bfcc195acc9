#!/bin/sh
# A cargo project without dependencies on the mount: build, do nothing, edit, test, clean. rustc deletes its temporary
# objects the moment the linker returns, and cargo hard-links what was made.
# NEEDS: gcc cargo rustc readelf linker
rounds=2
. "$(dirname "$0")/lib-build.sh"
export CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
export RUSTFLAGS="-Clink-arg=-B$ld_dir/"
# Where rustc brings a linker of its own, it is told not to use it.
echo 'fn main() {}' >try.rs
if run rustc -Clinker-features=-lld try.rs -o try 2>/dev/null; then
	RUSTFLAGS="-Clinker-features=-lld $RUSTFLAGS"
fi
mkdir -p hello/src hello/tests
cd hello || exit
cat >Cargo.toml <<'END2'
[package]
name = "hello"
version = "1.0.0"
edition = "2021"
[profile.dev]
debug = 1
END2
echo 'pub fn answer() -> u32 { 42 }' >src/lib.rs
cat >src/main.rs <<'END2'
fn main() {
    let caught = std::panic::catch_unwind(|| { if hello::answer() != 0 { panic!("unwound"); } });
    println!("answer {} {}", hello::answer(), caught.is_err());
}
END2
echo '#[test] fn it_answers() { assert_eq!(hello::answer() / 10, 4); }' >tests/answers.rs
build() { run cargo build --quiet >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "building"; }; }
is_fresh() {
	run cargo build -v >"$T/out" 2>&1 || fail "building again"
	grep -Eq 'Compiling|Dirty' "$T/out" && { cat "$T/out" >&2; fail "something is to do $1"; }
	return 0
}
says_answer() {
	equal "$(run target/debug/hello 2>/dev/null)" "answer $1 true" "the program"
	readelf -p .comment target/debug/hello 2>/dev/null | grep -qi linkfs || fail "it was not linked by linkfs"
}
for settle in never 5s; do
	start_mount "settle=$settle"
	links_made 1 build
	[ $settle != never ] || on_mount target/debug/hello
	says_answer 42
	is_fresh "after a build, settle=$settle"
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		sleep 0.02
		touch src/lib.rs
		build
		is_fresh "in round $i, settle=$settle"
	done
	sleep 0.02
	sed -i s/42/43/ src/lib.rs
	build
	says_answer 43
	is_fresh "after an edit"
	run cargo test --quiet >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "cargo test"; }
	grep -q '1 passed' "$T/out" || fail "no test was run"
	# What is found in the tree after the mount is gone are plain files.
	if [ $settle = never ]; then
		stop_mount
		start_mount settle=never
		find target -type l -lname "$mnt/*" | grep . && fail "still on the mount"
		says_answer 43
		is_fresh "after settling"
	fi
	run cargo install --quiet --offline --path . --root "$T/dest.$settle" >"$T/out" 2>&1 ||
		{ cat "$T/out" >&2; fail "cargo install"; }
	equal "$("$T/dest.$settle/bin/hello" 2>/dev/null)" "answer 43 true" "what was installed"
	run cargo clean --quiet
	is_collected() {
		run "$linkfs" gc >/dev/null
		[ "$(stat_of outputs)" -le 1 ]
	}
	wait_until is_collected || fail "$(stat_of outputs) outputs are left after cleaning"
	sed -i s/43/42/ src/lib.rs
	stop_mount
	plain "$T/dest.$settle/bin/hello"
done
