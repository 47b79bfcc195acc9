#!/bin/sh
# A shared library from intermediate code: it exports what machine code would, no more; the rest is inlined away.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for lld "it does not take GCC's plugin"

cat >a.c <<'X'
int helper(int);
__attribute__((visibility("hidden"))) int hidden(int x) { return x + 1; }
__attribute__((visibility("protected"))) int protected_one(int x) { return hidden(x); }
int exported(int x) { return helper(x) + hidden(x); }
__attribute__((weak)) int weak_one(int x) { return x; }
int data = 3;
X
echo 'int helper(int x) { return x * 10; }' >b.c
echo 'int exported(int), protected_one(int); int main(void) { return exported(2) + protected_one(1); }' >m.c
gcc -flto -O2 -fPIC -c a.c b.c
names() {
	readelf -W --dyn-syms "$1" | awk '$7 != "UND" && NR > 3 { print $4, $5, $6, $8 }' | sort
}
cc -flto -O2 -shared a.o b.o -o liba.so
cc -flto -O2 m.c ./liba.so -o m
exits_with 25 ./m
check_elf liba.so
names liba.so >got
has ' exported$' got
has 'DEFAULT weak_one$' got
has 'PROTECTED protected_one$' got
has ' helper$' got
hasnt 'hidden' got

echo 'V1 { global: exported; protected_one; local: *; };' >v.map
cc -flto -O2 -shared -Wl,--version-script,v.map a.o b.o -o liba.so
exits_with 25 ./m
names liba.so >got
has 'exported@@V1$' got
hasnt 'helper|data|weak_one' got
readelf -sW liba.so >all
hasnt ' (helper|data)$' all
