#!/bin/sh
# Tools that write an output in place get a private copy, which becomes a plain file at once; who runs the output, and
# who made it, notice nothing.
# NEEDS: linker gcc strip objcopy
. "$(dirname "$0")/lib.sh"

printf 'const char data[5 << 20] = { 1 };\nint main(int argc, char **argv) { return data[argc] + (argv == 0); }\n' >big.c
gcc -g -c big.c
gcc -B"$LINKFS_BUILD/libexec/linkfs" big.o -o want
unset LINKFS_MODE
start_mount settle=never
link() { gcc -B"$LINKFS_BUILD/libexec/linkfs" big.o -o "$1"; }

# changed NAME: it is a plain file that differs from what was linked.
changed() {
	wait_until test ! -L "$1" || fail "$1 did not become a plain file"
	! cmp -s "$1" want || fail "$1 was not changed"
}

link stripped && cp want want.stripped
id=$(readlink stripped)
strip stripped && strip want.stripped
changed stripped
cmp stripped want.stripped || fail "strip on the mount gives other bytes than on disk"
./stripped || fail "it does not run"
cmp "$id" stripped || fail "the ID shows something else than the file"

link commented
objcopy --add-section .mine=big.c commented
changed commented
readelf -S commented | grep -q '\.mine' || fail "objcopy did nothing"

link appended
printf tail >>appended
changed appended
cp want want.appended && printf tail >>want.appended
cmp appended want.appended || fail "appending"

link cut
truncate -s 1000 cut
changed cut
cmp -n 1000 cut want || fail "truncating"
equal "$(stat -c %s cut)" 1000 "size"

link over
cp big.c over
changed over
cmp over big.c || fail "cp onto it"

link modes
chmod 700 modes && touch -d '2020-02-02 00:00:00' modes
[ -L modes ] || fail "attributes alone made a file of it"
equal "$(stat -L -c '%a %Y' modes)" "700 $(date -d '2020-02-02 00:00:00' +%s)" "attributes"
"$linkfs" materialize modes
equal "$(stat -c '%a %Y' modes)" "700 $(date -d '2020-02-02 00:00:00' +%s)" "attributes of the plain file"

link running
cat >spin.c <<'END'
#include <unistd.h>
const char data[5 << 20] = { 1 };
int main(void) { write(1, "r", 1); for (volatile int i = 0; i < 1000; i++) usleep(100000); return data[9]; }
END
gcc -B"$LINKFS_BUILD/libexec/linkfs" spin.c -o running
mkfifo pipe
./running >pipe &
pid=$!
head -c 1 pipe >/dev/null
expect_error 'busy' sh -c 'printf x >>running'
kill $pid
