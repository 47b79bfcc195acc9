#!/bin/sh
# Input sections go to the output section of their family; others keep their own name and flags.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__attribute__((section(".text.hot.f"))) int f(void) { return 1; }
__attribute__((section(".data.rel.local.x"))) int x = 2;
__attribute__((section(".rodata.y"))) const int y = 3;
__attribute__((section(".bss.z"))) int z;
__attribute__((section("mine"))) int own = 4;
__attribute__((section(".also.mine"))) int own2 = 5;
int main(void) { return f() + x + y + z + own + own2 - 15; }
END
cc -O0 a.c -o a
./a
readelf -SW a | sed 's/^ *\[ *[0-9]*\] *//' | cut -d' ' -f1 >names
hasnt '^\.(text\.hot|rodata\.y|bss\.z|data\.rel\.local)' names
has '^mine$' names
has '^\.also\.mine$' names
equal "$(section a mine flg) $(section a .also.mine flg)" "WA WA" "flags"
check_elf a
