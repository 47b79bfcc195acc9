#!/bin/sh
# General and local dynamic code linked into an executable becomes local exec: no call of __tls_get_addr, no relocation.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
extern __thread int other;
static __thread int own = 5, own2 = 6;
__attribute__((noipa)) int *where(int i) { return i ? &own : &own2; }
int sum(void) { return other * 100 + *where(1) * 10 + *where(0); }
END
echo '__thread int other = 4; int sum(void); int main(void) { return sum() == 456 ? 0 : 1; }' >m.c
for model in global-dynamic local-dynamic; do
	cc -O1 -fPIC -ftls-model=$model -c a.c
	cc -O1 -fPIE -c m.c
	objdump -dr a.o >d
	has '__tls_get_addr' d
	for mode in -no-pie -pie -static -static-pie; do
		cc $mode a.o m.o -o m
		./m
		disas m sum >d
		disas m where >>d
		hasnt '__tls_get_addr' d
		check_elf m
	done
done
