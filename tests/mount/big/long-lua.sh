#!/bin/sh
# Lua from its static library runs a script with closures, coroutines, string patterns and a caught error from the mount.
# NEEDS: gcc linker /usr/include/lua5.4/lua.h /usr/lib/x86_64-linux-gnu/liblua5.4.a
. "$(dirname "$0")/lib-big.sh"
cat >lua.c <<'END'
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	lua_State *l = luaL_newstate();
	luaL_openlibs(l);
	if (argc != 2 || luaL_dofile(l, argv[1])) {
		fprintf(stderr, "%s\n", lua_tostring(l, -1));
		return 1;
	}
	lua_close(l);
	return 0;
}
END
cat >script.lua <<'END'
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
local good, message = pcall(error, "caught")
table.sort({3, 1, 2})
print(fib(20), co() + co() + co(), ("linkfs"):gsub("f", "F"))
print(good, message, math.floor(2.7), #string.rep("x", 100))
END
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
