#!/bin/sh
# A program that defines malloc and free has them used by the C library too.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
#include <string.h>
static char pool[1 << 20], *next = pool;
static int calls;
void *malloc(size_t n) { calls++; void *p = next; next += (n + 31) & ~15ul; return p; }
void free(void *p) { (void)p; }
void *calloc(size_t a, size_t b) { return malloc(a * b); }
void *realloc(void *p, size_t n) { void *q = malloc(n); if (p) memcpy(q, p, n); return q; }
int main(void)
{
	char *s = strdup("own pool");
	int before = calls;
	puts(s);
	return before < 1 || s < pool || s >= next;
}
END
cc -O1 -fno-builtin a.c -o a
run_is "own pool" ./a
