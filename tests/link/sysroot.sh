#!/bin/sh
# --sysroot is put before -L=DIR paths, and before absolute paths inside scripts that were found below it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir -p root/usr/odd root/lib
echo 'int who(void) { return 8; }' >w.c
cat >s.s <<'END'
	.globl _start
_start:	call who
	mov %eax, %edi
	mov $60, %eax
	syscall
	.section .note.GNU-stack,"",@progbits
END
cc -c w.c s.s
ar rc root/usr/odd/libwho.a w.o
cp root/usr/odd/libwho.a root/lib/libreal.a
echo 'INPUT(/lib/libreal.a)' >root/usr/odd/libscript.so
"$LD" --sysroot="$PWD/root" s.o -L=/usr/odd -lwho -o a
exits_with 8 ./a
"$LD" --sysroot="$PWD/root" s.o -L=/usr/odd -lscript -o b
exits_with 8 ./b
expect_error who "$LD" --sysroot="$PWD/nothing" s.o -L=/usr/odd -lwho -o c
