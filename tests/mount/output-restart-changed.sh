#!/bin/sh
# After a restart an output whose inputs are not what they were is absent: ENOENT, whatever was done to them, and never
# other bytes. The others are there. What was kept of an output and is damaged, or is not ours, is ignored and told.
# NEEDS: linker gcc ar
. "$(dirname "$0")/lib-output.sh"

kept=$T/cache/linkfs/outputs

echo 'extern int one; char data[5 << 20] = { 7 }; int main(void) { return one; }' >main.c
echo 'int one = 1;' >one.c
echo 'int one = 2;' >two.c
gcc -c main.c one.c two.c
ar rc libone.a one.o
gcc -shared -fPIC one.c -o one.so
cases="same overwritten appended truncated replaced unlinked renamed touched mode linked back archive archive-ar shared script
copied-over directory pipe written damaged short foreign"

start_mount settle=never
for c in $cases; do
	mkdir "$c"
	cp -p main.o one.o two.o libone.a one.so "$c"
	(
		cd "$c" || exit 1
		case $c in
		archive*) link main.o libone.a -o out ;;
		shared) link main.o one.so -o out ;;
		script) echo 'V { global: main; };' >map && link main.o one.o -Wl,--version-script=map -o out ;;
		*) link main.o one.o -o out ;;
		esac
	)
	on_mount "$c/out"
done
safe() {
	for c in $cases; do
		[ "$(info_of "$PWD/$c/out" restart_safe)" = yes ] || return 1
	done
}
await safe
link main.o one.o -o pinned-by-nobody
cp main.o deleted.o
link deleted.o one.o -o from-deleted
rm deleted.o
equal "$(info_of "$PWD/from-deleted" restart_safe)" no "with a deleted input"
# What is written to is another file, which does not come back as it was before.
exec 3<>written/out
printf x >&3
equal "$(info_of "$PWD/written/out" restart_safe)" no "what is written to"
id_of() { readlink "$1/out" | sed "s,$mnt/.o/\([^/]*\)/.*,\1,"; }
cp -p same/out want
kill -9 "$(stat_of mount_pid)"
exec 3>&-
has_ended() { [ -z "$(leftovers)" ]; }
await has_ended
run umount "$mnt" 2>/dev/null || run fusermount3 -u "$mnt"

cat two.o >overwritten/one.o
printf x >>appended/one.o
truncate -s -8 truncated/one.o
cp -p two.o new.o && touch -r replaced/one.o new.o && mv new.o replaced/one.o
rm unlinked/one.o
mv renamed/one.o renamed/other.o
touch touched/one.o
chmod 600 mode/one.o
ln linked/one.o linked/again.o
cp -p back/one.o back/kept && rm back/one.o && mv back/kept back/one.o
cp -p two.o archive/x.o && ar rc archive/libone.a archive/x.o
ar r archive-ar/libone.a two.o 2>/dev/null
gcc -shared -fPIC two.c -o shared/one.so
echo 'V { global: main; local: *; };' >script/map
cp -p two.o copied-over/one.o
mv directory/one.o x.o && mkdir directory/one.o
rm pipe/one.o && mkfifo pipe/one.o
printf '\377' | dd of="$(find "$kept" -name "$(id_of damaged)")" bs=1 seek=700 conv=notrunc 2>/dev/null
truncate -s -1 "$(find "$kept" -name "$(id_of short)")"
head -c 300 /dev/zero >"$(find "$kept" -name "$(id_of foreign)")"
dir=$(dirname "$(find "$kept" -name "$(id_of same)")")
echo mine >"$dir/notes"
echo torn >"$dir/.new-0123456789abcdef"

start_mount settle=never
has "$(id_of short): it is not as long" "$T/mount.err"
has "$(id_of foreign): it is no output" "$T/mount.err"
has "notes: no output has that name" "$T/mount.err"
equal "$(cat "$dir/notes")" mine "a foreign file"
[ ! -e "$dir/.new-0123456789abcdef" ] || fail "a torn file was left"
for c in $cases; do
	case $c in
	same) cmp same/out want || fail "what did not change" ;;
	*)
		expect_error "No such file" cat "$c/out"
		expect_error "No such file" stat -L "$c/out"
		;;
	esac
done
expect_error "No such file" cat from-deleted
cmp pinned-by-nobody want || fail "the other one that did not change"
has "one.o: this input changed" "$mnt/.linkfs/log$PWD/overwritten/out"
has "one.o: No such file" "$mnt/.linkfs/log$PWD/unlinked/out"
has "what was kept of it is damaged" "$mnt/.linkfs/log$PWD/damaged/out"
# What is absent is linked anew by a build; what is missing may come back.
mv renamed/other.o renamed/one.o
expect_error "No such file" cat renamed/out # its ctime is another one
cd overwritten && link main.o one.o -o out && on_mount out && cd ..
status=0
run overwritten/out || status=$?
equal $status 2 "a new link of it"
run "$linkfs" umount --no-settle "$mnt"

# Changed while the mount is there, before anybody looks, and between looking and opening.
start_mount settle=never
stat -L same/out >stat.out
cat two.o >same/one.o
cmp same/out want || fail "changed after it was looked at: its input was in custody"
cat two.o >one.o
expect_error "No such file" cat pinned-by-nobody
