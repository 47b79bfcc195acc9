/* Lua without its command line. The tests of both modes link it. */
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
