#!/bin/sh
# --threads=N, --thread-count=N and --no-threads are accepted.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld" "each knows only some of them"

echo 'int main(void) { return 0; }' >a.c
cc -c a.c
for o in --threads=2 --thread-count=2 --no-threads --threads; do
	cc a.o -Wl,$o -o a
	./a
done
