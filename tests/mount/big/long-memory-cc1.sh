#!/bin/sh
# A C compiler made of 400 MB of LLVM's and clang's archives: the anonymous memory of both processes stays below 0.30 of the
# input while it is linked and after it ran, and a second program over the same archives adds at most 0.05.
# NEEDS: gcc g++ linker /usr/lib/llvm-14/lib/libclangFrontendTool.a /usr/lib/x86_64-linux-gnu/libz3.so
# NEEDS: /usr/lib/llvm-14/include/clang/FrontendTool/Utils.h
. "$(dirname "$0")/lib-big.sh"
[ -z "${LINKFS_SANITIZE:-}" ] || skip "a sanitizer is no measure"
llvm=/usr/lib/llvm-14
g++ -fno-rtti -fPIE -I$llvm/include -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_LIMIT_MACROS \
	-c "$lib_dir/../bench/cc1main.cc" -o cc1.o
cp cc1.o second.o
start_mount settle=never

# make NAME: by ld.linkfs on the mount, asking how much memory there is all the while.
make() {
	: >"peak.$1"
	while :; do
		stat_of anon_bytes >>"peak.$1"
		sleep 0.02
	done &
	sampler=$!
	# shellcheck disable=SC2046
	LINKFS_MODE=mount timeout 300 g++ -pie -B"$ld_dir/" -o "$1" "$1.o" -Wl,--start-group \
		$(find $llvm/lib/ -name 'libclang[A-Z]*.a' -o -name 'libLLVM?*.a' | LC_ALL=C sort) -Wl,--end-group \
		-lz3 -lz -lrt -ldl -ltinfo -lm -lpthread || status=$?
	kill $sampler
	wait $sampler 2>/dev/null || :
	equal "${status:-0}" 0 "linking $1 on the mount"
	[ -L "$1" ] || fail "$1 is not on the mount"
	timeout 120 "./$1" --version >/dev/null || fail "$1 --version"
}

# at_most BYTES HUNDREDTHS WHAT: of the input.
at_most() {
	input=$(stat_of input_bytes)
	echo "$3: $1 bytes, $(($1 * 1000 / input)) thousandths of $input bytes of input"
	[ $(($1 * 100)) -le $((input * $2)) ] || fail "$3: more than $2 % of the input"
}

make cc1
first=$(stat_of anon_bytes) objects=$(stat_of parsed_objects)
[ "$(wc -l <peak.cc1)" -gt 1 ] || fail "nobody looked while the program was linked"
at_most "$(sort -n peak.cc1 | tail -n 1)" 30 "anonymous memory while linking"
at_most "$first" 30 "anonymous memory after --version"
make second
second=$(stat_of anon_bytes)
equal "$(stat_of generations)" 2 "both programs are there"
equal "$(stat_of parsed_objects)" $((objects + 1)) "objects parsed: the second program's own is the only new one"
at_most "$((second > first ? second - first : 0))" 5 "what the second program added"
