#!/bin/sh
# New links, which bring new names into the linker's tables, while the bytes of older ones are made for four threads: every
# byte is right, and the linker process lives. (Under the thread sanitizer: no race between links and fills.)
# NEEDS: gcc g++ linker /usr/lib/x86_64-linux-gnu/libpython3.11.a /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o
. "$(dirname "$0")/lib-big.sh"
start_mount
link_both python gcc -no-pie -Wl,-export-dynamic /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o \
	/usr/lib/x86_64-linux-gnu/libpython3.11.a -lexpat -lz -lm -ldl -lutil
printf '#include <iostream>\nint main() { std::cout << "hello" << std::endl; }\n' >hello.cc
g++ -c hello.cc
round=0
while [ $round -lt 4 ]; do
	round=$((round + 1))
	cp "$mnt/.linkfs/links/python" recipe
	cat recipe >"$mnt/.linkfs/links/python.$round"
	links_well "python.$round"
	timeout 300 "$randread" "$mnt/python.$round" python.file 4 $round &
	reader=$!
	# A generated object with many names nobody had; then a static program.
	awk -v r=$round 'BEGIN { for (i = 0; i < 40000; i++) print "int name_" r "_" i ";" }' >many.c
	gcc -O0 -c many.c -o many$round.o
	link_both "many$round" g++ -static hello.o many$round.o
	equal "$(from_mount "many$round")" hello "the program of round $round"
	wait "$reader" || fail "wrong bytes of CPython in round $round"
	right_bytes "many$round"
done
equal "$(stat_of worker_restarts)" 0 "restarts of the linker process"
