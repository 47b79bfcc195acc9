#!/bin/sh
# --wrap where the wrapper, the caller or both are intermediate code.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for lld "it does not take GCC's plugin"

echo 'int f(void) { return 1; }' >f.c
echo 'int __real_f(void); int __wrap_f(void) { return __real_f() + 10; }' >w.c
echo 'int f(void); int main(void) { return f(); }' >m.c
gcc -O2 -c f.c
for lto in "m" "w" "m w"; do
	gcc -O2 -c m.c w.c
	for x in $lto; do gcc -flto -O2 -c "$x.c"; done
	cc -flto -O2 m.o f.o w.o -Wl,--wrap=f -o m
	exits_with 11 ./m
done
