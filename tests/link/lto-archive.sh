#!/bin/sh
# Members of intermediate code are extracted like others, whoever made the archive; what is not wanted is not compiled.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they differ in what they take, and in what they keep"

echo 'int f(void); int main(void) { return f(); }' >m.c
echo 'int g(void); int f(void) { return g() + 1; }' >f.c
echo 'int g(void) { return 40; }' >g.c
echo 'int nobody(void); int h(void) { return nobody(); } int main(void) { return 99; }' >unwanted.c
gcc -flto -O1 -c m.c f.c g.c unwanted.c
gcc -O1 -c m.c -o native.o
gcc-ar rc by-gcc.a unwanted.o f.o g.o
ar --plugin /nonexistent rc by-ar.a unwanted.o f.o g.o 2>ar.err || :
[ -e by-ar.a ] || gcc-ar rc by-ar.a unwanted.o f.o g.o
gcc-ar rcT thin.a unwanted.o f.o g.o
gcc-ar rcS bare.a unwanted.o f.o g.o
for main in m.o native.o; do
	for lib in by-gcc.a by-ar.a thin.a bare.a; do
		case $peer$lib in bfdby-ar.a | bfdbare.a) continue ;; esac # it goes by the index
		cc -flto -O1 $main $lib -o prog
		exits_with 41 ./prog
	done
done
case $peer in
bfd) ;; # it has no --start-lib
*)
	cc -flto -O1 m.o -Wl,--start-lib unwanted.o f.o g.o -Wl,--end-lib -o prog
	exits_with 41 ./prog
	;;
esac
cc -flto -O1 m.o -Wl,--whole-archive by-gcc.a -Wl,--no-whole-archive -o prog 2>err && fail "two mains"
has 'main' err

# A member of machine code stays although what asked for it is optimised away: symbols were told what they are by it.
printf '%s\n' 'int k(void) { return 1; }' 'int beside(void) { return 2; }' >k.c
echo 'int k(void); int beside(void); int main(void) { int v = k(); return beside() + 0 * v; }' >m.c
gcc -O1 -c k.c && gcc -flto -O1 -c m.c && ar rc k.a k.o
cc -flto -O1 m.o k.a -o prog
exits_with 2 ./prog
