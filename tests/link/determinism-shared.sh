#!/bin/sh
# A shared library of many symbols, relocations and strings comes out the same ten times over.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >gen.sh <<'END'
i=0
while [ $i -lt 200 ]; do
	echo "extern int other_$i; int *ref_$i = &other_$i; const char *name_$i = \"name $((i % 50))\";"
	echo "int func_$i(void) { return other_$i; }"
	i=$((i + 1))
done
END
sh gen.sh >a.c
sed 's/_\([0-9]\)/_x\1/g' a.c >b.c
cc -g -fPIC -c a.c b.c
cc -shared a.o b.o -Wl,--build-id -o first.so
for i in 1 2 3 4 5 6 7 8 9; do
	cc -shared a.o b.o -Wl,--build-id -o again.so
	same first.so again.so
done
check_elf first.so
