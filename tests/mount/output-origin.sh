#!/bin/sh
# A program on the mount finds its libraries by $ORIGIN and its data beside /proc/self/exe, as it would as a file: other
# names of the real directories pass through, in every directory on the way; they are not listed, and nothing else is there.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
mkdir -p app/bin app/lib app/share/deep
echo 'int answer(void) { return 42; }' >lib.c
gcc -shared -fPIC lib.c -o app/lib/libanswer.so
echo one >app/share/deep/data
echo two >"app/bin/data beside"
cat >prog.c <<'END2'
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int answer(void);
static int show(const char *rest)
{
	char path[4096], line[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n < 0)
		return 1;
	path[n] = 0;
	strcpy(strrchr(path, '/') + 1, rest);
	FILE *f = fopen(path, "r");
	if (!f || !fgets(line, sizeof(line), f))
		return 1;
	fputs(line, stdout);
	return fclose(f);
}
int main(void)
{
	printf("%d\n", answer());
	return show("../share/deep/data") + show("data beside");
}
END2
gcc -c prog.c
start_mount settle=never
links_made 1 link prog.o -Lapp/lib -lanswer '-Wl,-rpath,$ORIGIN/../lib' -o app/bin/prog
on_mount app/bin/prog
want='42
one
two'
says app/bin/prog "$want"
own=$(readlink app/bin/prog)
says "$own" "$want"
says "$mnt$PWD/app/bin/prog" "$want"
equal "$(run ldd app/bin/prog | sed -n 's|.*libanswer.so => \([^ ]*\) .*|\1|p' | xargs readlink -f)" \
	"$PWD/app/lib/libanswer.so" "the library"

# In the directories of both names: what is there, what is not, and what is listed.
for dir in "${own%/*}" "$mnt$PWD/app/bin"; do
	equal "$(readlink "$dir/data beside")" "$PWD/app/bin/data beside" "a name that passes through"
	equal "$(cat "$dir/../lib/libanswer.so" | cksum)" "$(cksum <app/lib/libanswer.so)" "what it shows"
	[ ! -e "$dir/absent" ] && [ ! -L "$dir/absent" ] || fail "a name that is nowhere exists"
	: >app/bin/absent
	[ -e "$dir/absent" ] || fail "a new name does not pass through"
	rm app/bin/absent
	[ ! -e "$dir/absent" ] || fail "a removed name still shows something"
	equal "$(ls -A "$dir")" prog "what $dir lists"
	equal "$(ls -A "$dir/..")" bin "what its parent lists"
	expect_error 'Read-only' touch "$dir/new"
	expect_error 'Read-only' mkdir "$dir/new"
	expect_error 'Read-only' rm "$dir/prog"
	expect_error 'Read-only' mv "$dir/prog" "$dir/new"
done
[ ! -e "$mnt/etc" ] || fail "names pass through in the root, too"
# Nothing on the mount itself passes through it.
[ ! -e "${own%/*}$mnt/.linkfs" ] || fail "the mount shows itself"
