#!/bin/sh
# Symbols that the linker defines: ends of segments, start of bss, the ELF header, arrays, _DYNAMIC.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <elf.h>
#include <stdio.h>
#include <string.h>
extern char etext[], _etext[], edata[], _edata[], end[], _end[], __bss_start[], __executable_start[];
extern char __init_array_start[], __init_array_end[], __fini_array_start[], __fini_array_end[];
extern char __preinit_array_start[], __preinit_array_end[];
extern const Elf64_Ehdr __ehdr_start;
extern Elf64_Dyn _DYNAMIC[];
int data = 1, bss;
#define SAY(x) if (!(x)) { puts(#x); return 1; }
int main(void)
{
	SAY(memcmp(__ehdr_start.e_ident, "\177ELF", 4) == 0);
	SAY((char *)&__ehdr_start == __executable_start);
	SAY((char *)main < etext && etext == _etext);
	SAY((char *)&data < edata && edata == _edata);
	SAY((char *)&bss >= __bss_start && (char *)&bss < end && end == _end);
	SAY(edata <= __bss_start && __bss_start <= end && etext <= edata);
	SAY(__init_array_end - __init_array_start == 8 && __fini_array_end - __fini_array_start == 8);
	SAY(__preinit_array_end == __preinit_array_start);
	SAY(_DYNAMIC[0].d_tag == DT_NEEDED);
	return 0;
}
END
for mode in "-fno-pie -no-pie" "-fPIE -pie"; do
	cc -O0 $mode a.c -o a
	run_is "" ./a
	check_elf a
done
