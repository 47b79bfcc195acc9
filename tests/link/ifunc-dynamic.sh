#!/bin/sh
# IFUNC in dynamic executables (position-dependent and not) and shared libraries.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "a pointer in data differs from the address in code there"

cat >a.c <<'END'
#include <stdio.h>
static int two(void) { return 2; }
static int (*resolve(void))(void) { return two; }
int chosen(void) __attribute__((ifunc("resolve")));
static int hidden_choice(void) __attribute__((ifunc("resolve")));
int (*pointer)(void) = chosen;
static int (*local_pointer)(void) = hidden_choice;
int (*volatile again)(void);
int run(void)
{
	again = chosen;
	printf("%d %d %d %d %d\n", chosen(), pointer(), again(), again == pointer, local_pointer() + hidden_choice());
	return 0;
}
END
echo 'int run(void); int main(void) { return run(); }' >m.c
for mode in "-fno-pie -no-pie" "-fPIE -pie"; do
	cc -O1 $mode a.c m.c -o a
	run_is "2 2 2 1 4" ./a
	check_elf a
done
cc -O1 -fPIC -shared a.c -o libl.so
cc m.c ./libl.so -o m
run_is "2 2 2 1 4" ./m
check_elf libl.so m
