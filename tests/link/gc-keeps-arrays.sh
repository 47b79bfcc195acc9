#!/bin/sh
# --gc-sections keeps .preinit_array, .init_array, .fini_array, .ctors and what they call.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
static int n;
static void pre(void) { n += 1; }
static void ini(void) { n += 2; }
static void ini5(void) { n += 4; }
static void fin(void) { printf("%d\n", n); }
__attribute__((section(".preinit_array"), used)) static void (*p)(void) = pre;
__attribute__((section(".init_array"), used)) static void (*i)(void) = ini;
__attribute__((section(".init_array.00200"), used)) static void (*i5)(void) = ini5;
__attribute__((section(".fini_array"), used)) static void (*f)(void) = fin;
int main(void) { return 0; }
END
cc -ffunction-sections a.c -Wl,--gc-sections -o a
run_is 7 ./a
check_elf a
