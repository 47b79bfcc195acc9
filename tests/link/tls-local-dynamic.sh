#!/bin/sh
# Local dynamic TLS in a library: one module entry for all the variables.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
static __thread int a = 3, b = 4, c[10];
__attribute__((noipa)) int *where(int i) { return i == 0 ? &a : i == 1 ? &b : &c[i]; }
int sum(void) { a++; b += a; c[5] += b; return *where(0) * 100 + *where(1) * 10 + *where(5); }
END
echo 'int sum(void); int main(void) { return sum() == 488 ? 0 : 1; }' >m.c
cc -O1 -fPIC -ftls-model=local-dynamic -shared l.c -o libl.so
cc m.c ./libl.so -o m
./m
readelf -rW libl.so >r
equal "$(grep -c DTPMOD64 r)" 1 "module entries"
hasnt DTPOFF64 r
check_elf libl.so
