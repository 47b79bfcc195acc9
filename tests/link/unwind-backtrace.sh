#!/bin/sh
# backtrace() walks through functions of the program, and through the PLT, by .eh_frame_hdr.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
static int compare(const void *a, const void *b)
{
	void *frames[50];
	static int told;
	int n = backtrace(frames, 50);
	if (!told++) {
		char **names = backtrace_symbols(frames, n);
		for (int i = 0; i < n; i++) puts(names[i]);
	}
	return *(const int *)a - *(const int *)b;
}
__attribute__((noipa)) void sorts(int *p) { qsort(p, 3, sizeof(int), compare); p[0]++; }
int main(void) { int v[] = {3, 1, 2}; sorts(v); return v[0]; }
END
cc -O1 -rdynamic a.c -o a
./a >out || :
has 'sorts' out
has 'main' out
