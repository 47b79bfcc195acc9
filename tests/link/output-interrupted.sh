#!/bin/sh
# A link that is killed while it writes leaves the old output and no other file.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they leave a part of the new one"

echo 'int main(void) { return 3; }' >old.c
echo 'char large[100 << 20] = { 1 }; int main(void) { return large[0]; }' >new.c
cc old.c -o m
cc -c new.c
"$LD" new.o -e main -o whole
for delay in 0.01 0.03 0.05 0.08 0.12; do
	"$LD" new.o -e main -o m 2>/dev/null &
	pid=$!
	sleep "$delay"
	kill -9 "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null && break # it was faster
	cmp -s m whole && break          # so it was, and only not gone yet
	exits_with 3 ./m
	equal "$(ls -A | grep -c '^\.linkfs')" 0
done
