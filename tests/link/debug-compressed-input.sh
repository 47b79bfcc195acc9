#!/bin/sh
# Compressed debug sections of inputs (-gz) are read; gdb's tools find lines in the output.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int named_function(int x)
{
	return x;
}
int main(void) { return named_function(0); }
END
cc -g -gz=zlib -c a.c
readelf -SW a.o >s
has 'debug_info.* C ' s
cc a.o -o a
./a
addr2line -f -e a 0x$(sym a named_function) >lines
has 'a\.c:4' lines
readelf -w a >dump 2>err
hasnt . err
