#!/bin/sh
# gdb shows of an output nobody has read a backtrace over two objects, and runs what is there after a relink, with the
# breakpoint where it belongs by then.
# NEEDS: linker gcc gdb
. "$(dirname "$0")/lib-tools.sh"
three_programs
cold
debug out 'break inner.c:4' run bt 'print doubled' "shell cd '$PWD' && sh ./edit" run bt next 'print doubled'
backtrace_in gdb.out
has '\$1 = 42' gdb.out
has '4	.*int doubled = value \* 3;' gdb.out
has '\$2 = 63' gdb.out
