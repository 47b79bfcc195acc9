#!/bin/sh
# A static PIE: ET_DYN, a dynamic section but no interpreter, relocates itself.
# NEEDS: cc static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
static const char *words[] = {"hello", "static", "pie"};
static __thread int n = 3;
int main(void) { for (int i = 0; i < n; i++) printf("%s%s", words[i], i + 1 < n ? " " : "\n"); return 0; }
END
cc -O2 -static-pie a.c -o a
run_is "hello static pie" ./a
readelf -hlW a >l
has 'Type: +DYN' l
has 'DYNAMIC' l
hasnt 'INTERP' l
check_elf a
