#!/bin/sh
# TLS descriptors (-mtls-dialect=gnu2): kept in a library, relaxed to initial or local exec in executables.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 does not relax it to initial exec"

cat >a.c <<'END'
extern __thread int other;
static __thread int own = 5, own2 = 6;
__attribute__((noipa)) int *where(int i) { return i ? &own : &own2; }
int sum(void) { return other * 100 + *where(1) * 10 + *where(0); }
END
echo '__thread int other = 4;' >o.c
echo 'int sum(void); int main(void) { return sum() == 456 ? 0 : 1; }' >m.c
cc -O1 -fPIC -mtls-dialect=gnu2 -c a.c
cc -O1 -fPIC -c o.c m.c
objdump -dr a.o >d
has 'TLSDESC' d
for mode in -no-pie -pie -static -static-pie; do
	cc $mode a.o o.o m.o -o m
	./m
	readelf -rW m >r
	hasnt 'TLSDESC' r
	check_elf m
done
cc -shared o.o -o libo.so
cc -pie a.o m.o ./libo.so -o m
./m
readelf -rW m >r
has 'TPOFF64.*other' r
cc -shared a.o ./libo.so -o liba.so
readelf -rW liba.so >r
has 'TLSDESC.*other' r
cc m.o ./liba.so -Wl,--no-as-needed ./libo.so -o m
./m
check_elf liba.so m
