#!/bin/sh
# References by section symbol and addend, to local symbols, and to labels before and behind, give the same places.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
static int table[4] = {1, 2, 3, 4};
static int *const pointers[] = {&table[1], table + 3};
int *end_of_table = table + 4;
int sum(void) { return *pointers[0] + *pointers[1] + end_of_table[-2]; }
END
echo 'int sum(void); int main(void) { return sum(); }' >m.c
for mode in "-fno-pie -no-pie" "-fPIE -pie" "-fPIC -static"; do
	cc -O1 $mode a.c m.c -o m
	exits_with 9 ./m
done
check_elf m
