#!/bin/sh
# Where some inputs changed, these alone are looked at, before and after the link is made again. The others stay watched
# through any number of such links, and what several of them rely on still concerns them all.
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-fresh.sh"
use_fake
mkdir d real
for i in 1 2 3 4 5 6 7 8 9; do
	for k in 0 1 2 3; do printf . >"d/$i$k"; done
done
printf other >real/f
ln -s real via
start_mount
printf z >d/libz.a
add x d/[0-9]* via/f -Lfirst -Ld -lz
all() {
	cat d/[0-9]* via/f
	if [ -e first/libz.a ]; then cat first/libz.a; else cat d/libz.a; fi
}
gives_all() {
	now_gives x "$(all)" "$1"
}
gives_all "first"
quiet x
n=0
replace() {
	n=$((n + 1))
	printf %0${n}d 0 >new
	mv new "$1"
}
few_looks() {
	few_before=$(stat_of verify_stats)
	replace d/53
	gives_all "one of many"
	wait_until looks_at_is x 0 || return 1
	[ $(($(stat_of verify_stats) - few_before)) -le 10 ] # of 38
}
wait_until few_looks || fail "a changed input has all of them looked at" # mounts elsewhere do, too

for f in 10 11 93; do
	replace "d/$f"
	gives_all "$f, after others"
done
quiet x
replace d/20
replace d/21
printf written >d/22
gives_all "three at once"
replace d/20
gives_all "one of them again"
quiet x
for f in d/[0-9]*; do replace "$f"; done
gives_all "more than are told apart"
quiet x
replace d/30
gives_all "one, and the others are still watched"
printf 'in place' >d/31
gives_all "in place"
mkdir first
replace first/libz.a
gives_all "a library that appears earlier"
quiet x
replace d/40
gives_all "one more"
mkdir next && replace next/f && rm via && ln -s next via
gives_all "a symbolic link on the way"
quiet x
mv next later
expect_error 'Input/output error' cat "$mnt/x"
mv later next
gives_all "its directory is back"
replace d/40
gives_all "one more"
mv d away && cp -r away d
replace d/41
gives_all "the directory of all"
quiet x
replace away/42
equal "$(looks_at x)" 0 "looks for what is not an input any more"
pid=$(stat_of worker_pid)
replace d/43
kill -9 "$pid"
gives_all "and the linker process is another"
quiet x

"$linkfs" rm x
has_none() {
	[ "$(stat_of watches) $(stat_of inputs)" = "0 0" ]
}
wait_until has_none || fail "$(stat_of watches) watches and $(stat_of inputs) inputs are left"
