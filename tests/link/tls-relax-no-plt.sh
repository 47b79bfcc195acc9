#!/bin/sh
# With -fno-plt the calls of __tls_get_addr go through the GOT; they are relaxed all the same, and kept in a library.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 does not relax it"

cat >a.c <<'END'
extern __thread int other, theirs;
int sum(void) { return theirs + other * 100; }
END
cat >b.c <<'END'
static __thread int own = 5, own2 = 6;
__attribute__((noipa)) int *where(int i) { return i ? &own : &own2; }
int sum2(void) { return *where(1) * 10 + *where(0); }
END
echo '__thread int other = 4; int sum(void), sum2(void); int main(void) { return sum() + sum2() == 457 ? 0 : 1; }' >m.c
echo '__thread int theirs = 1;' >l.c
cc -fPIC -shared l.c -o libl.so
cc -O1 -fPIC -fno-plt -ftls-model=global-dynamic -c a.c
cc -O1 -fPIC -fno-plt -ftls-model=local-dynamic -c b.c
cc -pie a.o b.o m.c ./libl.so -o m
./m
disas m sum >d
disas m where >>d
hasnt '__tls_get_addr|call +\*' d
check_elf m
cc -fPIC -shared a.o b.o -o liba.so
cc -Wl,--no-as-needed m.c ./liba.so ./libl.so -o m
./m
check_elf liba.so
