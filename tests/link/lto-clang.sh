#!/bin/sh
# clang -flto: bitcode, by LLVM's plugin where it is named, and by that of binutils' folder where GCC links.
# NEEDS: clang-lto
. "$(dirname "$0")/lib.sh"
not_for "lld" "it needs no plugin"

cat >a.c <<'X'
#include <stdio.h>
int f(int); __attribute__((weak)) int w(void) { return 1; }
int main(int c, char **v) { (void)v; printf("%d %d\n", f(c), w()); return 0; }
X
echo 'int f(int x) { return x + 41; }' >b.c
echo 'int w(void) { return 2; }' >n.c
clang -flto -O2 -c a.c b.c
gcc -O2 -c n.c
clang_cc -flto -O2 a.o b.o n.o -o prog
run_is "42 2" ./prog
check_elf prog
ar rc b.a b.o 2>/dev/null || :
clang_cc -flto -O2 a.o b.a n.o -o prog
run_is "42 2" ./prog
clang -flto=thin -O2 -c b.c
clang_cc -flto=thin -O2 a.o b.o n.o -o prog
run_is "42 2" ./prog
is_linkfs || exit 0
ls /usr/lib/bfd-plugins/LLVMgold*.so >/dev/null 2>&1 || exit 0
cc a.o b.o n.o -o prog
run_is "42 2" ./prog
