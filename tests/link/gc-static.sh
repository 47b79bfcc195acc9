#!/bin/sh
# --gc-sections of a static program and a static PIE: stdio is still flushed at exit, locales and threads work.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
static void *run(void *p) { printf("thread "); return p; }
int main(void)
{
	pthread_t t;
	setlocale(LC_ALL, "");
	pthread_create(&t, 0, run, 0);
	pthread_join(t, 0);
	printf("done");
	return 0;
}
END
for mode in -static -static-pie; do
	cc -O1 $mode -ffunction-sections a.c -pthread -Wl,--gc-sections -o a
	run_is "thread done" ./a
	check_elf a
done
