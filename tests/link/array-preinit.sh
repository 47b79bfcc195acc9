#!/bin/sh
# .preinit_array runs before constructors, with DT_PREINIT_ARRAY; in a library it is an error or left without effect.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <unistd.h>
static void pre(void) { write(1, "pre ", 4); }
__attribute__((constructor)) static void con(void) { write(1, "con ", 4); }
__attribute__((section(".preinit_array"), used)) static void (*p)(void) = pre;
int main(void) { write(1, "main\n", 5); return 0; }
END
cc a.c -o a
run_is "pre con main" ./a
readelf -dW a >d
has 'PREINIT_ARRAY\)' d
cc -static a.c -o s
run_is "pre con main" ./s
check_elf a s
