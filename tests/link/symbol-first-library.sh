#!/bin/sh
# Of an archive and a shared library that both define a symbol, the first on the command line provides it; likewise of
# two archives, two libraries.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

for n in 1 2; do
	echo "int f(void) { return $n; }" >d$n.c
	cc -fPIC -c d$n.c
	ar rc libd$n.a d$n.o
	cc -shared d$n.o -o libd$n.so
done
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c m.c
link_gives() {
	want=$1
	shift
	cc m.o "$@" -o a
	exits_with "$want" ./a
}
link_gives 1 libd1.a libd2.a
link_gives 2 libd2.a libd1.a
link_gives 1 libd1.a ./libd2.so
link_gives 2 ./libd2.so libd1.a
link_gives 1 ./libd1.so ./libd2.so
link_gives 2 ./libd2.so ./libd1.so
