#!/bin/sh
# Lua from its static library runs a script with closures, coroutines, string patterns and a caught error from the mount.
# NEEDS: gcc linker /usr/include/lua5.4/lua.h /usr/lib/x86_64-linux-gnu/liblua5.4.a
. "$(dirname "$0")/lib-big.sh"
cp "$lib_dir/../link/programs/lua.c" lua.c
cp "$lib_dir/../link/programs/lua.lua" script.lua
want=$(printf '6765\t14\tlinkFs\t1\nfalse\tcaught\t2\t100')
gcc -O1 -c lua.c
start_mount
for mode in "-pie" "-static" "-no-pie -rdynamic"; do
	name=lua$(echo "$mode" | tr -d ' ')
	link_both "$name" gcc $mode lua.o -l:liblua5.4.a -lm -ldl 2>warnings
	equal "$(from_mount "$name" script.lua)" "$want" "$mode"
	lazily "$name" 100
	right_bytes "$name"
done
