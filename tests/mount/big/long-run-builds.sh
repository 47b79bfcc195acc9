#!/bin/sh
# linkfs run with CMake, Meson, Cargo and libtool: projects as they are, configured, built, tested and installed below it. What
# is installed at once after the build is plain files, though the mount keeps what it made virtual.
# NEEDS: gcc readelf make linker
: "${LINKFS_TEST_PATIENCE:=900}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-run.sh"
. "$(dirname "$0")/lib-projects.sh"
unset RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_TARGET_DIR CFLAGS LDFLAGS CC
export CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
start_mount settle=never
missing=

# lib-run's, with more time.
lrun() {
	timeout 300 "$linkfs" run -- "$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "status $?: $*"; }
}

have() {
	for program; do
		command -v "$program" >/dev/null || { missing="$missing $program"; return 1; }
	done
	mkdir "$T/work/$1"
	cd "$T/work/$1" || exit
}

sources() {
	echo 'int answer(void) { return 42; }' >answer.c
	cat >hello.c <<'END2'
#include <stdio.h>
char data[5 << 20] = "big";
int answer(void);
int main(void) { printf("%s %d\n", data, answer()); return 0; }
END2
}

# installed DIR: all plain files by linkfs.
installed() {
	[ -z "$(find "$1" -type l -lname "$mnt/*")" ] || fail "installed: $(find "$1" -type l -ls)"
	linked_by linkfs "$1/usr/bin/hello"
	libs=$(find "$1" -name 'libanswer*' -printf '%h\n' -quit)
	equal "$(run env LD_LIBRARY_PATH="$libs" "$1/usr/bin/hello")" "big 42" "what was installed"
}

if have cmake ninja cpack; then
	sources
	echo 'cmake_minimum_required(VERSION 3.20)
project(hello C)
include(CTest)
add_subdirectory(sub)
add_executable(hello hello.c)
target_link_libraries(hello answer)
add_test(NAME hello COMMAND hello)
install(TARGETS hello)
set(CPACK_GENERATOR TGZ)
include(CPack)' >CMakeLists.txt
	mkdir sub
	mv answer.c sub
	echo 'add_library(answer SHARED answer.c)
set_target_properties(answer PROPERTIES VERSION 1.2.3 SOVERSION 1)
install(TARGETS answer)' >sub/CMakeLists.txt
	for generator in Ninja 'Unix Makefiles'; do
		rm -rf build
		lrun cmake -G "$generator" -S . -B build -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=gold
		lrun cmake --build build -j2
		on_mount build/hello
		lrun ctest --test-dir build
		lrun cmake --build build
		DESTDIR=$T/cmake1 lrun cmake --build build --target install
		installed "$T/cmake1"
		lrun sh -c 'touch hello.c && cmake --build build -j2'
		on_mount build/hello
		DESTDIR=$T/cmake2 lrun cmake --install build
		installed "$T/cmake2"
		lrun sh -c 'touch hello.c && cmake --build build -j2 && cd build && cpack'
		tar -tvf build/hello-0.1.1-Linux.tar.gz | grep 'bin/hello' | grep -q '^-' || fail "cpack"
		rm -rf "$T/cmake1" "$T/cmake2"
	done
	# The same by linkfs.cmake, without linkfs run around the installation.
	rm -rf build
	lrun cmake -G Ninja -S . -B build -C "$LINKFS_BUILD/share/linkfs/cmake/linkfs.cmake" -DCMAKE_INSTALL_PREFIX=/usr
	lrun cmake --build build -j2
	on_mount build/hello
	DESTDIR=$T/cmake3 run cmake --install build >"$T/out" 2>&1
	installed "$T/cmake3"
	cd "$T/work" && rm -rf cmake
fi

if have meson ninja; then
	sources
	echo "project('hello', 'c', default_options: ['prefix=/usr', 'libdir=lib'])
answer = shared_library('answer', 'answer.c', version: '1.2.3', install: true)
hello = executable('hello', 'hello.c', link_with: answer, install: true)
test('hello', hello)" >meson.build
	lrun meson setup build
	lrun meson compile -C build
	on_mount build/hello
	lrun meson test -C build
	DESTDIR=$T/meson1 lrun ninja -C build install
	installed "$T/meson1"
	touch hello.c
	lrun ninja -C build
	on_mount build/hello
	DESTDIR=$T/meson2 lrun meson install -C build
	installed "$T/meson2"
	cd "$T/work" && rm -rf meson
fi

if have cargo rustc; then
	mkdir src
	echo 'fn main() { println!("hello"); }
#[test] fn it_adds() { assert_eq!(1 + 1, 2); }' >src/main.rs
	cargo_project
	echo 'fn main() { println!("cargo:rustc-env=BUILT=yes"); }' >build.rs
	lrun cargo build
	linked_by linkfs target/debug/hello
	on_mount target/debug/hello
	lrun cargo test
	lrun cargo build -v
	! grep -q 'Compiling\|Dirty' "$T/out" || { cat "$T/out" >&2; fail "there is something to do"; }
	lrun cargo install --quiet --offline --path . --root "$T/cargo"
	plain "$T/cargo/bin/hello"
	linked_by linkfs "$T/cargo/bin/hello"
	cd "$T/work" && rm -rf cargo
fi

if have libtoolize autoreconf automake; then
	sources
	# A convenience library, and a relocatable object made by $(LD) -r.
	echo 'lib_LTLIBRARIES = libanswer.la
noinst_LTLIBRARIES = libpart.la
libpart_la_SOURCES = answer.c
libanswer_la_SOURCES =
libanswer_la_LIBADD = libpart.la
bin_PROGRAMS = hello
hello_SOURCES = hello.c
hello_LDADD = libanswer.la whole.o
whole.o: part.o
	$(LD) -r -o whole.o part.o' >Makefile.am
	echo 'int part(void) { return 1; }' >part.c
	autotools_project LT_INIT
	lrun sh -c './configure --prefix=/usr && make'
	file=hello
	[ -e .libs/hello ] && file=.libs/hello
	on_mount $file
	linked_by linkfs $file .libs/libanswer.so
	DESTDIR=$T/libtool lrun make install
	installed "$T/libtool"
	# Configured below linkfs run, built without it: the linker's name that was found still works.
	rm -f hello .libs/* ./*.o ./*.lo
	timeout 300 make >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "make outside linkfs run"; }
fi
cd "$T/work" || exit
stop_mount
[ -z "$(find . -type l -lname "$mnt/*")" ] || fail "left: $(find . -type l -ls)"
[ -z "$missing" ] || skip "not installed:$missing; with the others all is well"
