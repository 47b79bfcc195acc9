#!/bin/sh
# A ninja project on the mount: build, do nothing, edit, test, install, clean.
# NEEDS: gcc ninja readelf linker
. "$(dirname "$0")/lib-build.sh"
prog=out/bin/prog big=out/bin/big links=3
describe() {
	cat >build.ninja <<-END2
		rule cc
		  command = gcc -O0 -fPIC -MD -MF \$out.d -c \$in -o \$out
		  depfile = \$out.d
		  deps = gcc
		rule link
		  command = gcc -B$ld_dir/ @\$out.rsp -o \$out
		  rspfile = \$out.rsp
		  rspfile_content = \$in \$flags
		rule install
		  command = mkdir -p \$\$DESTDIR/usr/bin && cp $prog $big out/lib/libanswer.so \$\$DESTDIR/usr/bin/
		rule check
		  command = $prog && $big
		build obj/answer.o: cc answer.c
		build obj/main.o: cc main.c
		build obj/big.o: cc big.c
		build out/lib/libanswer.so: link obj/answer.o
		  flags = -shared
		build $prog: link obj/main.o | out/lib/libanswer.so
		  flags = -Lout/lib -lanswer -Wl,-rpath,'\$\$ORIGIN/../lib'
		build $big: link obj/big.o
		build all: phony $prog $big
		build install: install all
		build check: check all
		default all
	END2
}
configure() { :; }
build() { run ninja -j2; }
is_done() { run ninja | grep 'no work to do'; }
test_it() { run ninja check; }
install_to() { DESTDIR=$1 run ninja install; }
clean() { run ninja -t clean; }
go_through
