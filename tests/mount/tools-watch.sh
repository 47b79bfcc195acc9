#!/bin/sh
# Who walks over a build tree has nothing made of its outputs but what it reads; who watches the tree is told of every new
# output, and finds it whole.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-tools.sh"
three_programs
for i in 1 2 3 4 5 6 7 8; do
	cp recipe "$mnt/.linkfs/links/live$i"
	link $objects -o out/prog$i
done
size=$(stat -c %s plain/prog)
find -L out "$mnt" -name '.?*' -prune -o -type f -size +4M -perm -100 -newer main.c -printf '%s\n' >found
# Eight outputs, their other names on the mount, and eight live links.
equal "$(sort -u found) $(grep -c . found)" "$size 24" "sizes and number of outputs found"
{ ls -laLR out "$mnt" && du -La out && stat -L out/* "$mnt"/live*; } >"$T/walked"
equal "$(stat_of filled_bytes)" 0 "bytes made by who looks at names and attributes"

# WHAT-MAY-BE-MADE COMMAND...: of each output.
while read -r most command; do
	have "${command%% *}" || continue
	for file in out/prog1 "$mnt/live1"; do
		before=$(stat_of filled_bytes)
		run $command "$file" >"$T/read" || fail "$command $file"
		made=$(($(stat_of filled_bytes) - before))
		[ $made -le "$most" ] || fail "$command $file had $made bytes made"
	done
done <<END
300000 readelf -hS
300000 grep -q ELF
300000 file -P bytes=65536 -L
END

is_told() { grep -qxF 'MOVED_TO out/prog1' events; }

if have inotifywait; then
	inotifywait -mr -e moved_to,close_write --format '%e %w%f' -o events out 2>watching &
	at_exit="kill $!"
	wait_until grep -q 'Watches established' watching || { cat watching >&2; fail "inotifywait does not watch"; }
	for number in 3 4; do
		: >events
		sed -i "s/value \* .*;/value * $number;/" inner.c
		gcc -g -c inner.c
		link $objects -o out/prog1
		wait_until is_told || { cat events >&2; fail "nobody is told of a relink"; }
		says out/prog1 "data $((21 * number))"
	done
	: >events
	run "$linkfs" materialize out/prog1
	wait_until is_told || { cat events >&2; fail "nobody is told that it became a plain file"; }
	says out/prog1 "data 84"
fi
all_there
