#!/bin/sh
# Tools that look into programs say of an output what they say of a plain file, whether its bytes are made yet or not.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-tools.sh"
three_programs
where=0x$(nm plain/prog | sed -n 's/^0*\([0-9a-f]*\) T inner$/\1/p')
[ "$where" != 0x ] || fail "plain/prog has no function inner"
while read -r command; do
	same_answer $command
done <<END
readelf -awW prog
objdump -dSl -s -j .text -j .debug_info prog
nm -l prog
size -A prog
addr2line -fe prog $where
strings -a prog
file -L prog
ldd -v -r ./prog
eu-readelf -a prog
END
all_there
