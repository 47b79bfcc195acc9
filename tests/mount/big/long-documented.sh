#!/bin/sh
# The lines that README.md gives for builds without `linkfs run`, as they stand there but for the prefix: each is run on a
# project of its kind, and what it makes says that linkfs made it, on the mount.
# NEEDS: gcc readelf make linker
: "${LINKFS_TEST_PATIENCE:=600}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
. "$(dirname "$0")/lib-projects.sh"
unset CARGO_TARGET_DIR RUSTFLAGS CARGO_BUILD_RUSTFLAGS CFLAGS LDFLAGS CC
export CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
start_mount

# Blocks become files: NUMBER.LABEL, with the build tree for the prefix.
mkdir blocks projects
awk -v dir=blocks '
	/^<!-- documented: begin/ { on = 1 }
	/^<!-- documented: end/ { on = 0 }
	on && /^```./ { n++; gsub("/", "%", $2); file = dir "/" n "." $2; next }
	/^```$/ { file = ""; next }
	file { print >file }' "${LINKFS_SOURCE:-$lib_dir/../..}/README.md"
sed -i "s|/usr/local|$LINKFS_BUILD|g" blocks/*
[ "$(find blocks -type f | wc -l)" -ge 10 ] || fail "README.md documents only $(ls blocks)"

project() { # KIND: one in the current directory
	echo '#include <stdio.h>
int main(void) { puts("hello"); return 0; }' >hello.c
	for file in "$T/work/blocks/"*.linkfs.ini; do cp "$file" linkfs.ini; done
	case $1 in
	rustc) echo 'fn main() { println!("hello"); }' >hello.rs ;;
	cargo)
		mkdir -p src .cargo
		cp "$T/work/blocks/"*.cargo%config.toml .cargo/config.toml
		echo 'fn main() { println!("hello"); }' >src/main.rs
		cargo_project
		;;
	cmake)
		echo 'cmake_minimum_required(VERSION 3.20)
project(hello C)
add_library(answer SHARED answer.c)
add_executable(hello hello.c)
target_link_libraries(hello answer)' >CMakeLists.txt
		echo 'int answer(void) { return 42; }' >answer.c
		;;
	meson)
		echo "project('hello', 'c')
executable('hello', 'hello.c')" >meson.build
		;;
	autoconf)
		printf 'bin_PROGRAMS = hello\nhello_SOURCES = hello.c\n' >Makefile.am
		autotools_project
		;;
	libtool)
		echo 'lib_LTLIBRARIES = libanswer.la
libanswer_la_SOURCES = answer.c
bin_PROGRAMS = hello
hello_SOURCES = hello.c
hello_LDADD = libanswer.la' >Makefile.am
		echo 'int answer(void) { return 42; }' >answer.c
		autotools_project LT_INIT
		;;
	esac
}

needs() { # KIND: its programs
	case $1 in
	gcc) echo gcc ;;
	cmake | clang | rustc) echo $1 ;;
	cargo) echo cargo rustc ;;
	meson) echo meson ninja ;;
	autoconf) echo autoreconf automake ;;
	libtool) echo autoreconf automake libtoolize ;;
	esac
}

missing=
for block in $(ls blocks | sort -n); do
	kind=${block#*.}
	case $kind in *.ini | *.toml) continue ;; esac
	[ -n "$(needs "$kind")" ] || fail "README.md documents $kind, which is not known here"
	for program in $(needs "$kind"); do
		command -v "$program" >/dev/null || { missing="$missing $program"; continue 2; }
	done
	mkdir "projects/$block"
	cd "projects/$block" || exit
	project "$kind"
	made=$(stat_of links_made)
	timeout 300 sh -ec "$(cat "$T/work/blocks/$block")" >out 2>&1 || { cat out >&2; fail "$(cat "$T/work/blocks/$block")"; }
	[ "$(stat_of links_made)" -gt "$made" ] || fail "nothing was linked on the mount by: $(cat "$T/work/blocks/$block")"
	find . \( -name hello -o -name 'libanswer.so*' \) ! -type d >found
	grep -q . found || fail "nothing was made by: $(cat "$T/work/blocks/$block")"
	while read -r file; do
		head -c 4 "$file" | grep -q ELF || continue # libtool's wrapper
		readelf -p .comment "$file" >out 2>/dev/null || :
		grep -q 'Linker: linkfs' out || { cat out >&2; fail "$file is not by linkfs: $(cat "$T/work/blocks/$block")"; }
	done <found
	cd "$T/work" || exit
	echo "$kind: $(grep -c . "blocks/$block") lines"
done
[ -z "$missing" ] || skip "not installed:$missing; all the other lines are right"
