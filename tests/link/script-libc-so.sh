#!/bin/sh
# Debian's libc.so is such a script: a program linked through it needs libc.so.6, and no ld-linux unless it uses it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo '#include <stdio.h>
int main(void) { puts("ok"); return 0; }' >m.c
cc m.c -o m
equal "$(needed m | tr '\n' ' ')" "libc.so.6 " "needed libraries"
run_is ok ./m
