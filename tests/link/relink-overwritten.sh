#!/bin/sh
# Files that no link uses any more may be written to: what a linker that stays has read from them before does not change.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "keeps a linker in process"
[ -x "$LINKFS_BUILD/tests/relinker" ] || skip "$LINKFS_BUILD/tests/relinker is not built"

# text_of PREFIX: thirty functions, and so much text that the object is mapped.
text_of() {
	echo 'const char pad[30000] = {1};'
	for i in $(seq 10 39); do
		echo "int $1_function_$i(void) { return $i; } const char *$1_text_$i(void) { return \"$1 says $i\"; }"
	done
}
text_of used >old.c
text_of lost >other.c
echo 'int used_function_10(void); int main(void) { return used_function_10(); } const char *_start = "start";' >main.c
echo 'const char *_start = "alone";' >alone.c
for f in old other main alone; do gcc -c -fPIC $f.c; done
cp old.o new.o

# A linker that stays: asked by descriptor 3.
start() {
	rm -f ask
	mkfifo ask
	: >answers
	"$LINKFS_BUILD/tests/relinker" <ask >>answers 2>&1 &
	relinker=$!
	exec 3>ask
}

# await CNT: so many answers are there.
await() {
	n=0
	while [ "$(wc -l <answers)" -lt "$1" ] && [ $n -lt 2000 ]; do
		n=$((n + 1))
		sleep 0.01
	done
}

echo '-shared main.o old.o -o out' >first
echo '-shared alone.o -o out' >second
echo '-shared main.o new.o -o out' >third

for change in ': >old.o' 'cat other.o >old.o'; do
	start
	printf '%s\n' first second >&3
	await 2
	cp old.o kept.o
	eval "$change"
	printf '%s\n' third >&3
	exec 3>&-
	wait $relinker || fail "$change: the linker returned $?"
	[ "$(grep -c '^same ' answers)" = 3 ] || fail "$change: $(cat answers)"
	cat kept.o >old.o
done

# An archive overwritten by a shorter one: what of its members lay behind the new end is compared with nothing.
ar rc long.a other.o old.o
ar rc short.a old.o
cat long.a >lib.a
echo '-shared main.o lib.a -o out' >archive
start
printf '%s\n' archive second >&3
await 2
cat short.a >lib.a
printf '%s\n' archive >&3
exec 3>&-
wait $relinker || fail "an archive overwritten by a shorter one: the linker returned $?: $(cat answers)"
[ "$(grep -c '^same ' answers)" = 3 ] || fail "an archive overwritten by a shorter one: $(cat answers)"
