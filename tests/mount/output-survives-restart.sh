#!/bin/sh
# What ld.linkfs made and is not a plain file yet is there again, with the same bytes, times and mode, when the mount is
# started again: after SIGKILL, fusermount3 -u, --no-settle, and twice. It is found lazily: no link before it is opened.
# NEEDS: linker gcc ar fusermount3
. "$(dirname "$0")/lib-output.sh"

# safe FILE: info says that it will survive.
safe() {
	[ "$(info_of "$PWD/$1" restart_safe)" = yes ]
}

has_ended() {
	[ -z "$(leftovers)" ]
}

kill_mount() {
	kill -9 "$(stat_of mount_pid)"
	await has_ended
	run fusermount3 -u "$mnt"
}

again() {
	start_mount settle=never
}

big_object prog word
echo 'int f(void) { return 1; }' >f.c
echo 'int g(void) { return 2; }' >g.c
echo "char shared[5 << 20] = { 1 };" >shared.c
gcc -c -fPIC f.c g.c shared.c
ar rc libf.a f.o g.o
echo '#include <stdio.h>
int f(void);
char data[5 << 20] = "many";
int main(void) { puts(data); return f() - 1; }' >uses.c
gcc -c uses.c
gcc -shared -o libg.so g.o
echo '{ global: *; };' >exports
link_file prog.o -o want-prog
link_file uses.o libf.a libg.so -Wl,--version-script=exports -o want-uses
link_file -shared shared.o -o want-shared

again
link prog.o -o prog
link uses.o libf.a libg.so -Wl,--version-script=exports -o uses
link -shared shared.o -o libprog.so
chmod 711 libprog.so
touch -d '2020-01-01 00:00:00.5' libprog.so
for f in prog uses libprog.so; do await safe $f; done
before=$(stat -L -c '%n %s %a %y' prog uses libprog.so)
targets=$(readlink prog uses libprog.so)
says ./prog word

for how in kill fusermount no-settle; do
	case $how in
	kill) kill_mount ;;
	fusermount) run fusermount3 -u "$mnt" && await has_ended ;;
	no-settle) run "$linkfs" umount --no-settle "$mnt" ;;
	esac
	[ ! -e prog ] || fail "$how: it is there without the mount"
	again
	equal "$(find "$mnt/.o" -mindepth 1 -maxdepth 1 | wc -l)" 3 "names after $how"
	equal "$(stat -L -c '%n %s %a %y' prog uses libprog.so)" "$before" "size, mode and times after $how"
	equal "$(readlink prog uses libprog.so)" "$targets" "where they point after $how"
	equal "$(stat_of replays) $(stat_of links_made)" "0 0" "links made before anybody reads, after $how"
	says ./prog word
	same_bytes prog want-prog
	same_bytes uses want-uses
	same_bytes libprog.so want-shared
	equal "$(stat_of replays) $(stat_of links_made)" "3 0" "links made after $how"
	cmp "$mnt$PWD/uses" want-uses || fail "the alias after $how"
	for f in prog uses libprog.so; do safe $f || fail "$f is not restart safe after $how"; done
	equal "$(info_of "$PWD/prog" state)" ok "state after $how"
done

# By its alias, by its report, and as an input first. What stands on another output is not restart safe.
run "$linkfs" umount --no-settle "$mnt"
again
link prog.o libprog.so -o stands-on-other
cmp libprog.so want-shared || fail "restored for a link"
equal "$(info_of "$PWD/stands-on-other" restart_safe)" no "what stands on another output"
rm stands-on-other
cmp "$mnt$PWD/prog" want-prog || fail "by its alias"
has . "$mnt/.linkfs/map$PWD/uses"

# Settled, it goes from the disk; so does what is collected. umount settles what nobody looked at since the start.
run "$linkfs" umount --no-settle "$mnt"
again
rm libprog.so
await sh -c "'$linkfs' gc | grep -q '^1 '"
equal "$(find "$T/cache/linkfs/outputs" -type f | wc -l)" 2 "files kept after gc"
run "$linkfs" umount "$mnt"
plain prog && plain uses
same_bytes prog want-prog
same_bytes uses want-uses
equal "$(find "$T/cache/linkfs/outputs" -type f | wc -l)" 0 "files kept after umount"
equal "$(stat -c '%s %a %y' prog)" "$(echo "$before" | sed -n 's/^prog //p')" "settled attributes"
