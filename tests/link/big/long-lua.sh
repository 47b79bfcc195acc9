#!/bin/sh
# Lua from its static library runs a script with closures, coroutines, string patterns and a caught error.
# NEEDS: cc liblua5.4.a /usr/include/lua5.4/lua.h
. "$(dirname "$0")/../lib.sh"

cp "$lib_dir/programs/lua.c" lua.c
cp "$lib_dir/programs/lua.lua" script.lua
want=$(printf '6765\t14\tlinkFs\t1\nfalse\tcaught\t2\t100')
for mode in -pie -static "-no-pie -rdynamic"; do
	cc -O1 $mode lua.c -o lua -llua5.4 -lm -ldl 2>warnings
	run_is "$want" ./lua script.lua
	check_elf lua
done
