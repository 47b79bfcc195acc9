#!/bin/sh
# IRELATIVE relocations come last: a resolver may use what other relocations set up.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
static int two(void) { return 2; }
static int three(void) { return 3; }
static int (*const table[])(void) = {two, three};
int (*const *volatile ready)(void) = table;
static int (*resolve(void))(void) { return ready ? ready[1] : two; }
static int chosen(void) __attribute__((ifunc("resolve")));
int (*pointer)(void) = chosen;
int main(void) { printf("%d %d\n", chosen(), pointer()); return 0; }
END
cc -O1 -fPIE -pie a.c -Wl,-z,now -o a
run_is "3 3" ./a
check_elf a
