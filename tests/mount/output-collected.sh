#!/bin/sh
# What make clean removes is forgotten by `linkfs gc`; what somebody still holds or shows is kept. Counters, descriptors
# and bytes are what they were.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one
big_object big one
start_mount settle=never
link one.o -o warm
says ./warm one
run "$linkfs" gc >/dev/null
counters() {
	for key in outputs generations links cache_bytes; do echo "$key $(stat_of $key)"; done
	# libfuse's threads come and go, each with a pipe.
	echo "descriptors $(find "/proc/$(stat_of mount_pid)/fd" -type l ! -lname 'pipe:*' | wc -l)"
}
counters >before
for name in a b c d; do link big.o -o $name; done
mkdir dir
link big.o -o dir/prog
says ./a one
equal "$(stat_of outputs)" 6 "outputs"
rm a b
mv c moved
mv dir elsewhere
exec 7<d
rm d
run "$linkfs" gc
says ./moved one
says elsewhere/prog one
equal "$(stat_of outputs)" 4 "outputs after half was removed, one of them open"
cmp -s - "$(readlink moved)" <&7 || fail "the file that is open lost its bytes"
exec 7<&-
rm -r moved elsewhere
# The kernel lets go of a file in its own time.
is_as_before() {
	run "$linkfs" gc >/dev/null
	counters >after
	cmp -s before after
}
wait_until is_as_before || { diff before after; fail "something was left over"; }
says ./warm one

# Relinked again and again.
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	run "$ld_dir/ld" one.o -e main --unresolved-symbols=ignore-all -o again
done
rm again
wait_until is_as_before || { diff before after; fail "relinking left something over"; }
