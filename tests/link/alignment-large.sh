#!/bin/sh
# Sections aligned beyond a page are aligned in memory, in position-dependent and independent executables.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__attribute__((aligned(65536))) int data = 1;
__attribute__((aligned(1 << 20))) int bss;
__attribute__((aligned(8192))) const int rodata[4] = {1};
__attribute__((aligned(4096))) int function(void) { return data + bss; }
int main(void)
{
	return (long)&data % 65536 || (long)&bss % (1 << 20) || (long)rodata % 8192 || (long)function % 4096 ||
	       function() != 1;
}
END
cc -fno-pie -no-pie a.c -o a
./a
check_elf a
# The kernel and loaders before glibc 2.35 place a PIE at page granularity; those here honour p_align.
cc -fPIE -pie a.c -o b
./b
check_elf b
