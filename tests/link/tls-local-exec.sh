#!/bin/sh
# Initialised and zero thread-locals of the executable (local exec), each thread its own.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <pthread.h>
#include <stdio.h>
static __thread int data = 5;
__thread int zero;
__thread char text[8] = "thread";
static void *run(void *p) { data++; zero += 3; return (void *)(long)(data * 10 + zero); }
int main(void)
{
	pthread_t t;
	void *r;
	data = 1;
	pthread_create(&t, 0, run, 0);
	pthread_join(t, &r);
	printf("%ld %d %d %s\n", (long)r, data, zero, text);
	return 0;
}
END
for mode in "-fno-pie -no-pie" "-fPIE -pie" "-fno-pie -static" "-fPIE -static-pie"; do
	cc -O1 $mode a.c -pthread -o a
	run_is "63 1 0 thread" ./a
	check_elf a
done
