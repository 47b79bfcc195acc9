#!/bin/sh
# What a link was made of may be written over in place the moment the linker returns: its bytes stay what they were.
# NEEDS: gcc ar linker
. "$(dirname "$0")/lib-output.sh"
start_mount settle=never
makes main
echo 'int other(void) { return 1; } char data[100000] = "data";' >other.c
gcc -c other.c
ar rc libother.a other.o
link_file main.o -Wl,-u,other -L. -lother -o want
for how in overwritten truncated appended; do
	rm -f libother.a
	ar rc libother.a other.o
	links_made 1 link main.o -Wl,-u,other -L. -lother -o prog
	case $how in
	overwritten) head -c 102000 /dev/zero | tr '\0' x | dd of=libother.a conv=notrunc status=none ;;
	truncated) : >libother.a ;;
	appended) cat other.o >>libother.a ;;
	esac
	same_bytes prog want
	says ./prog main
done
equal "$(stat_of fill_errors)" 0 "ranges that failed"
