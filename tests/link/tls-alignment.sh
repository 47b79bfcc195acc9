#!/bin/sh
# Thread-locals with large alignment, alone or behind others, initialised or not, are aligned in every thread.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <pthread.h>
static __thread char small = 1;
static __thread __attribute__((aligned(512))) int data = 2;
static __thread char gap;
static __thread __attribute__((aligned(4096))) int zero;
static void *run(void *p)
{
	long bad = (long)&data % 512 || (long)&zero % 4096 || data != 2 || small != 1 || zero || gap;
	return (void *)bad;
}
int main(void)
{
	pthread_t t;
	void *r;
	pthread_create(&t, 0, run, 0);
	pthread_join(t, &r);
	return r || run(0);
}
END
for mode in "-fno-pie -no-pie" "-fPIE -pie" "-fno-pie -static" "-fPIC -pie -ftls-model=global-dynamic"; do
	cc -O0 $mode a.c -pthread -o a
	./a
	readelf -lW a | awk '$1 == "TLS" { print $NF }' >align
	has '^0x1000$' align
	check_elf a
done
