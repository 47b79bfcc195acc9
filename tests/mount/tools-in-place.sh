#!/bin/sh
# Tools that change a program where it stands make of an output what they make of a plain file, whether its bytes are made
# yet or not, and who has it open keeps what it opened.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-tools.sh"
three_programs
sed 's/inner/other/g' plain/prog >near
near=$PWD/near
export near

# changed COMMAND: run where prog is, it changes it.
changed() {
	cp plain/prog want
	run sh -ec "$(echo "$1" | sed 's/\<prog\>/want/')" || fail "on a plain file: $1"
	! cmp -s plain/prog want || fail "it changes nothing: $1"
	cold
	for state in cold warm; do
		[ $state = cold ] || { cold && warm; }
		exec 3<out/prog
		(cd out && run sh -ec "$1") || fail "$state: $1"
		wait_until test ! -L out/prog || fail "did not become a plain file, $state: $1"
		cmp out/prog want || fail "other bytes, $state: $1"
		cmp - plain/prog <&3 || fail "who had it open sees other bytes, $state: $1"
		exec 3<&-
	done
}
while read -r tool command; do
	if have "$tool"; then changed "$tool $command"; fi
done <<'END'
strip prog
rsync -I --inplace --no-whole-file $near $(readlink -f prog)
eu-strip prog
objcopy --compress-debug-sections prog
patchelf --set-rpath /opt/lib prog
dd if=$near of=prog conv=notrunc bs=100000 status=none
sed -i s/outer/other/ prog
END
all_there
