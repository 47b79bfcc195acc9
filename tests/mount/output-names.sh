#!/bin/sh
# What ld.linkfs made keeps its meaning under every other name it is given, when -o is linked again: with outputs that
# stay on the mount, and with outputs that become plain files at once.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one two
echo 'int missing(void); int main(void) { return missing(); }' >bad.c
gcc -c bad.c
for settle in never 5s; do
	start_mount "settle=$settle"
	rm -rf tree && mkdir tree && cp ./*.o tree
	cd tree || exit
	check=plain
	[ $settle = 5s ] || check=on_mount

	links_made 1 link one.o -o a
	$check a
	mv a b
	ln -s a symbolic
	link one.o -o a
	ln a hard
	cp -a a copy
	mkdir dir
	link one.o -o dir/prog
	mv dir renamed
	mkdir dir
	links_made 1 link two.o -o a
	link two.o -o dir/prog
	says ./a two
	says ./symbolic two
	says dir/prog two
	for name in b hard copy renamed/prog; do says "./$name" one; done

	link one.o -o tmp && mv tmp real
	link two.o -o tmp
	says ./real one
	mv tmp real
	says ./real two
	[ ! -e tmp ] && [ ! -L tmp ] || fail "tmp is still there"

	# An absolute name, another directory, and the alias that shows the newest.
	link one.o -o "$PWD/abs"
	(cd dir && link ../two.o -o ../abs)
	says ./abs two
	[ $settle != never ] || says "$mnt$PWD/abs" two

	# A link that fails leaves what was there.
	before=$(readlink a || ls -i a)
	link_fails 'undefined symbol: missing' bad.o -o a
	link_fails 'undefined symbol: missing' bad.o -o none
	equal "$(readlink a || ls -i a)" "$before" "what stands at -o after an error"
	says ./a two
	[ ! -e none ] && [ ! -L none ] || fail "a failed link left a file"
	has 'missing' "$mnt/.linkfs/log$PWD/none"
	has '^state: failed' "$mnt/.linkfs/info$PWD/none"
	nothing_beside .
	cd ..
	stop_mount
done
