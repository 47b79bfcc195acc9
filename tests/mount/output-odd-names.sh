#!/bin/sh
# Names with spaces, quotes, newlines, percent signs and bytes that are no letters, in directories, inputs and outputs.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one
all=$(printf 'a b"c\\d#e$HOME*%%s\tf\033\303\244 \342\202\254g\n%s' "it's")
for settle in never 5s; do
	start_mount "settle=$settle"
	for name in "$all" ' ' "$(printf 'latin\351')" '-dash' '@at' "$(printf %0255d 1)"; do
		rm -rf top && mkdir -p "top/$name/$name"
		cp one.o "top/$name/$name.o" 2>/dev/null || cp one.o "top/$name/1.o"
		cd "top/$name" || exit
		set -- ./*.o
		links_made 1 link "./$1" -o "./$name/$name" -Wl,-rpath,"$name"
		[ $settle != never ] || on_mount "./$name/$name"
		says "./$name/$name" one
		says "$PWD/$name/$name" one
		link_file "./$1" -o ../file -Wl,-rpath,"$name"
		run cmp ../file "./$name/$name" || fail "the bytes of $name"
		has '^state: (ok|settled)' "$mnt/.linkfs/info$PWD/$name/$name"
		nothing_beside .
		cd ../..
	done

	# A path nearly as long as one can be.
	rm -rf top
	deep=$PWD/top
	while [ ${#deep} -lt 3600 ]; do deep=$deep/$(printf %0200d 1); done
	mkdir -p "$deep"
	link one.o -o "$deep/prog"
	says "$deep/prog" one
	stop_mount
done
