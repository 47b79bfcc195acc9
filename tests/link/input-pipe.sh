#!/bin/sh
# An input that cannot be mapped (a pipe) is an error or is read whole; it is not a crash or an empty object.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they need files that can be mapped or sought in"

echo 'int main(void) { return 7; }' >m.c
cc -c m.c
mkfifo pipe.o
cat m.o >pipe.o &
writer=$!
status=0
timeout 20 gcc -B"$ld_dir/" pipe.o -o m >out 2>&1 || status=$?
kill "$writer" 2>/dev/null || :
[ "$status" != 124 ] || fail "the linker hangs"
if [ "$status" = 0 ]; then exits_with 7 ./m; else has 'pipe\.o' out; fi
