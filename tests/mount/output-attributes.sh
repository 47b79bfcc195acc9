#!/bin/sh
# The mode of an output is 0777 less the umask; its time is that of the build's other files, never older than its inputs'.
# NEEDS: gcc make linker
. "$(dirname "$0")/lib-output.sh"
makes one
big_object big one
printf 'prog: one.o\n\t$(LINK) one.o -o prog\n' >Makefile
for settle in never 1s; do
	start_mount "settle=$settle"
	for mask in 022 077 000 027 007; do
		for name in one big; do
			rm -f prog want
			(umask $mask && link $name.o -o prog && : >"want" && chmod +x "want") || fail "umask $mask"
			want_mode=$(printf %o $((0777 & ~mask)))
			equal "$(stat -Lc %a prog)" "$want_mode" "the mode under umask $mask, settle=$settle, of $name"
		done
	done

	# Older than no input, not even one from the future, and not older than what stood there before.
	touch -d '2040-01-01' one.o
	link one.o -o prog
	run make -q || fail "an object from the future makes prog older than it"
	touch one.o
	rm -f prog
	i=0
	while [ $i -lt 20 ]; do
		i=$((i + 1))
		touch one.o
		run make -s LINK="gcc -B$ld_dir/"
		run make -q || fail "not up to date at once after the link (settle=$settle, round $i)"
	done
	# Its own times are changed by touch, chmod: attributes alone.
	link big.o -o prog
	run touch -d '2001-02-03 04:05:06 UTC' prog
	equal "$(stat -Lc %Y prog)" 981173106 "the time that touch gave it"
	run chmod 750 prog
	equal "$(stat -Lc %a prog)" 750 "the mode that chmod gave it"
	says ./prog one
	rm -f prog
	stop_mount
done
