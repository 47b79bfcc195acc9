#!/bin/sh
# The output is a new file put in place by rename: a running program does not make it fail, a hard link keeps the old
# bytes.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it reuses the old file"

cat >a.c <<'END'
#include <unistd.h>
int main(void) { char c; return read(0, &c, 1) == 0 ? 0 : 1; }
END
cc a.c -o a
ln a old
cp a copy
mkfifo hold
./a <hold &
pid=$!
exec 9>hold
cc -DNEW a.c -g -o a || { kill "$pid"; fail "cannot link over a running program"; }
exec 9>&-
wait "$pid"
same old copy
[ "$(stat -c %i a)" != "$(stat -c %i old)" ] || fail "the old file was written in place"
