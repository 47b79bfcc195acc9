#!/bin/sh
# An IFUNC of a position-dependent executable, whose address it and a library take: one address for both.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 gives two addresses"

cat >a.c <<'END'
static int two(void) { return 2; }
static int (*resolve(void))(void) { return two; }
int chosen(void) __attribute__((ifunc("resolve")));
int (*lib_sees(void))(void);
int (*volatile here)(void);
int main(void) { here = chosen; return here != lib_sees() ? 99 : here() * 10 + lib_sees()(); }
END
echo 'int chosen(void); int (*lib_sees(void))(void) { return chosen; }' >l.c
cc -fPIC -shared l.c -Wl,--allow-shlib-undefined -o libl.so
cc -O1 -fno-pie -no-pie a.c ./libl.so -o a
exits_with 22 ./a
check_elf a
