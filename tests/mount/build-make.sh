#!/bin/sh
# A make project on the mount: build, do nothing, edit, test, install, clean.
# NEEDS: gcc make readelf linker
. "$(dirname "$0")/lib-build.sh"
prog=./prog big=./big links=3
describe() {
	cat >Makefile <<END2
CC = gcc
CFLAGS = -O0
LDFLAGS = -B$ld_dir/
all: prog big
libanswer.so: answer.o
	\$(CC) -shared \$(LDFLAGS) -o \$@.tmp answer.o
	mv \$@.tmp \$@
answer.o: CFLAGS += -fPIC
prog: main.o libanswer.so
	\$(CC) \$(LDFLAGS) -o \$@ main.o -L. -lanswer '-Wl,-rpath,\$\$ORIGIN'
big: big.o
	\$(CC) \$(LDFLAGS) -o \$@ big.o
check: all
	./prog | grep answer
	./big | grep big
install: all
	install -d \$(DESTDIR)/usr/bin \$(DESTDIR)/usr/lib
	install -s prog \$(DESTDIR)/usr/bin
	install -m 755 big \$(DESTDIR)/usr/bin
	install -m 644 libanswer.so \$(DESTDIR)/usr/lib
clean:
	rm -f *.o prog big libanswer.so
END2
}
configure() { :; }
build() { run make -j2 all; }
is_done() { run make -q all; }
test_it() { run make check; }
install_to() { run make install "DESTDIR=$1"; }
clean() { run make clean; }
go_through
