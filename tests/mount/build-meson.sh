#!/bin/sh
# A Meson project on the mount: build, do nothing, edit, test, install, clean.
# NEEDS: gcc meson ninja readelf linker
rounds=1
. "$(dirname "$0")/lib-build.sh"
prog=build/prog big=build/big links=3
describe() {
	cat >meson.build <<-'END2'
		project('both', 'c', default_options: ['prefix=/usr', 'libdir=lib'])
		cc = meson.get_compiler('c')
		assert(cc.links('int main(void) { return 0; }', name: 'linking'))
		assert(cc.run('int main(void) { return 0; }', name: 'running').returncode() == 0)
		answer = shared_library('answer', 'answer.c', version: '1.2.3', install: true)
		prog = executable('prog', 'main.c', link_with: answer, install: true, install_rpath: '$ORIGIN/../lib')
		big = executable('big', 'big.c', install: true)
		test('prog', prog)
		test('big', big)
	END2
}
configure() { LDFLAGS=-B$ld_dir/ CC=gcc run meson setup build; }
build() { run ninja -C build -j2; }
is_done() { run ninja -C build | grep 'no work to do'; }
test_it() { run meson test -C build; }
install_to() {
	run "$linkfs" materialize build
	run meson install -C build --destdir "$1"
}
clean() { run ninja -C build clean; }
go_through
