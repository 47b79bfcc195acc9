#!/bin/sh
# What is watched does not grow with the number of links: now and then all of it is looked at again.
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-fresh.sh"
use_fake
mkdir d
for i in 1 2 3 4 5; do printf . >"d/$i"; done
printf 0 >zero && mkdir to0 && mv zero to0/f && ln -s to0/f via
start_mount
add x d/[0-9]* via
now_gives x .....0 "first"
quiet x
most=0
for n in $(seq 150); do
	mkdir "to$n" && printf %d "$n" >"to$n/f"
	ln -s "to$n/f" next && mv -T next via
	rm -r "to$((n - 1))/f"
	equal "$(cat "$mnt/x")" ".....$n" "after $n changes"
	watches=$(stat_of watches)
	[ "$watches" -le "$most" ] || most=$watches
done
[ "$most" -lt 110 ] || fail "$most watches for a link of six inputs"
