#!/bin/sh
# A position-independent executable: ET_DYN with DF_1_PIE, runs.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
static const char *const greeting[] = {"hello", "pie"};
int main(void) { printf("%s %s\n", greeting[0], greeting[1]); return 0; }
END
cc -O2 -fPIE -pie a.c -o a
run_is "hello pie" ./a
readelf -hW a >h
has 'Type: +DYN' h
readelf -dW a >d
has 'FLAGS_1.*PIE' d
check_elf a
