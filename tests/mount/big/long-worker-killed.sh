#!/bin/sh
# The linker process is killed fifty times while CPython and a compiler of 170 MB start and run from the mount, and while
# threads compare every byte: nobody notices.
# NEEDS: gcc g++ linker /usr/lib/x86_64-linux-gnu/libpython3.11.a /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o
. "$(dirname "$0")/lib-big.sh"
start_mount
llvm=/usr/lib/llvm-14
printf 'int main(void) { return 49; }\n' >small.c
link_both python gcc -no-pie -Wl,-export-dynamic /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o \
	/usr/lib/x86_64-linux-gnu/libpython3.11.a -lexpat -lz -lm -ldl -lutil
has_cc1=
if [ -e $llvm/lib/libclangFrontendTool.a ] && [ -e $llvm/include/clang/FrontendTool/Utils.h ]; then
	has_cc1=1
	g++ -fno-rtti -fPIE -I$llvm/include -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_LIMIT_MACROS \
		-c "$lib_dir/../bench/cc1main.cc" -o cc1.o
	# shellcheck disable=SC2046
	link_both cc1 g++ -pie cc1.o -Wl,--start-group \
		$(find $llvm/lib/ -name 'libclang[A-Z]*.a' -o -name 'libLLVM?*.a' | LC_ALL=C sort) -Wl,--end-group \
		-lz3 -lz -lrt -ldl -ltinfo -lm -lpthread
	from_mount cc1 -triple x86_64-unknown-linux-gnu -emit-obj -O2 -o want.o small.c
fi

# kill_some COUNT SECONDS: in the background, until they are done. A compiler's link must have the time to be made again.
kill_some() {
	(
		trap - EXIT TERM
		i=0
		while [ $i -lt "$1" ]; do
			sleep "$2"
			pid=$(stat_of worker_pid)
			[ "${pid:-0}" != 0 ] && kill -9 "$pid" 2>/dev/null && i=$((i + 1))
		done
		: >killed
	) &
	killer=$!
}

# again NAME: the same link under a new name, NAME.N, so that nothing of it is made yet; the old one goes.
again() {
	n=$((${n:-0} + 1))
	cp "$mnt/.linkfs/links/$1" recipe
	cat recipe >"$mnt/.linkfs/links/$1.$n"
	[ ! -e "$mnt/.linkfs/links/$1.$((n - 1))" ] || run "$linkfs" rm "$1.$((n - 1))"
}

killed_while() {	# COUNT SECONDS FUNCTION
	rm -f killed
	kill_some "$1" "$2"
	while [ ! -e killed ]; do
		"$3"
		rounds=$((${rounds:-0} + 1))
	done
	wait "$killer"
}

python_round() {
	again python
	timeout 300 "$randread" "$mnt/python.$n" python.file 2 "$n" &
	reader=$!
	equal "$(from_mount "python.$n" -S -c 'import sys; print(sum(range(1000)), sys.version_info[:2])')" "499500 (3, 11)" \
		"what CPython said in round $n"
	wait "$reader" || fail "wrong bytes of CPython in round $n"
}

cc1_round() {
	again cc1
	timeout 300 "$randread" "$mnt/cc1.$n" cc1.file 2 "$n" &
	reader=$!
	from_mount "cc1.$n" -triple x86_64-unknown-linux-gnu -emit-obj -O2 -o got.o small.c || fail "cc1 in round $n"
	cmp got.o want.o || fail "what cc1 made in round $n"
	wait "$reader" || fail "wrong bytes of cc1 in round $n"
}

if [ -n "$has_cc1" ]; then
	killed_while 40 0.3 python_round
	killed_while 10 2 cc1_round
	right_bytes cc1
else
	killed_while 50 0.3 python_round
fi
right_bytes python
for name in python cc1; do
	[ ! -s "$mnt/.linkfs/log/$name" ] || fail "$name has a log: $(cat "$mnt/.linkfs/log/$name")"
done 2>/dev/null
echo "$(stat_of worker_restarts) restarts, $(stat_of replays) replays, $rounds rounds"
[ "$(stat_of worker_restarts)" -ge 50 ] || fail "the linker process was not killed fifty times"
[ "$(stat_of replays)" -gt 0 ] || fail "nothing was replayed"
equal "$(stat_of fill_errors)" 0 "ranges that failed"
stop_mount
