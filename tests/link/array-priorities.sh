#!/bin/sh
# Constructors run by priority, then in link order; destructors the other way round; .init_array.N before .init_array.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
#define BOTH(n) \
	__attribute__((constructor(n))) static void c##n(void) { printf("+%d ", n); } \
	__attribute__((destructor(n))) static void d##n(void) { printf("-%d ", n); }
BOTH(2000)
BOTH(101)
BOTH(65000)
__attribute__((constructor)) static void c(void) { printf("+a "); }
__attribute__((destructor)) static void d(void) { printf("-a "); }
int main(void) { printf("main "); return 0; }
END
cat >b.c <<'END'
#include <stdio.h>
__attribute__((constructor)) static void c(void) { printf("+b "); }
__attribute__((destructor)) static void d(void) { printf("-b "); }
__attribute__((constructor(150))) static void c150(void) { printf("+150 "); }
END
cc a.c b.c -o a
run_is "+101 +150 +2000 +65000 +a +b main -b -a -65000 -2000 -101 " ./a
cc b.c a.c -o b
run_is "+101 +150 +2000 +65000 +b +a main -a -b -65000 -2000 -101 " ./b
check_elf a
