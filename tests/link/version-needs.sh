#!/bin/sh
# Versioned references: .gnu.version_r names the library and version of each, unversioned symbols get index 1.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <math.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char buffer[100];
	memcpy(buffer, argv[0], argc * 2);
	printf("%.1f\n", pow(argc * 2, 3));
	return 0;
}
END
cc -O1 -fno-builtin a.c -lm -o a
run_is 8.0 ./a
readelf -VW a >v
has 'File: libc\.so\.6' v
has 'File: libm\.so\.6' v
has 'Name: GLIBC_2\.14 ' v
has 'Name: GLIBC_2\.29 ' v
readelf --dyn-syms -W a >s
has 'memcpy@GLIBC_2\.14' s
has 'pow@GLIBC_2\.29' s
check_elf a
