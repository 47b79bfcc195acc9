#!/bin/sh
# Tools that copy files copy an output in full, zeros or not, whether its bytes are made yet or not; here each time over a
# file of the same size and time that differs in some bytes.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-tools.sh"
three_programs
sed 's/inner/other/g' plain/prog >near
equal "$(stat -c %s near)" "$(stat -c %s plain/prog)" "the size of a file that nearly is prog"
! cmp -s near plain/prog || fail "it is prog"
mkdir to
to=$PWD/to
export to

# make DIR COMMAND: run there, it makes $to/prog of prog.
make() {
	rm -f to/prog
	cp near to/prog
	touch -r "$1/prog" to/prog
	(cd "$1" && run sh -ec "$2") || fail "in $1: $2"
}

# copied COMMAND: it makes the same of it in all folders.
copied() {
	make plain "$1"
	mv to/prog want
	! cmp -s near want || fail "it makes nothing: $1"
	cold
	for dir in out "$mnt" warm; do
		[ $dir != warm ] || { warm && dir=out; }
		make "$dir" "$1"
		cmp to/prog want || fail "other bytes in $dir: $1"
		case $1 in
		tar* | *' -p '*) equal "$(stat -c '%a %y' to/prog)" "$(stat -L -c '%a %y' "$dir/prog")" "mode and time: $1" ;;
		esac
	done
}
while read -r tool command; do
	if have "$tool"; then copied "$tool $command"; fi
done <<'END'
tar -chS --format=posix -f $to/../tar prog && tar -x -f $to/../tar -C $to
cp -p --sparse=auto prog $to
rsync -LI --inplace --no-whole-file prog $to
cp --sparse=always prog $to
dd if=prog of=$to/prog bs=3000 conv=sparse status=none
tar -ch --format=posix -f $to/../tar prog && tar -x -f $to/../tar -C $to
rsync -LIS prog $to
rsync -Lc prog $to
strip -o $to/prog prog
objcopy --only-keep-debug prog $to/prog
END
all_there
