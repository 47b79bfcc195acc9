#!/bin/sh
# An object, and an archive member, of another CPU is an error that names the file and the CPU.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void); int main(void) { return f(); }' >m.c
printf '\t.globl f\nf:\tret\n' >f.s
cc -c m.c
as --32 f.s -o i386.o
expect_error 'i386\.o' cc m.o i386.o -o m
ar rc libi386.a i386.o
if is_linkfs; then
	has 'i386|386' err
	has 'x86.64' err
	expect_error 'libi386\.a\(i386\.o\)' cc m.o libi386.a -o m
fi
