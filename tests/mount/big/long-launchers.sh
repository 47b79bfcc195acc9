#!/bin/sh
# Compilers behind a launcher that keeps what they make: ccache by name, by its folder of compilers' names, and as CMake's
# launcher; sccache, whose compilers are started by a server. The link goes through linkfs, and what was compiled is found
# again.
# NEEDS: gcc readelf ccache linker
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-run.sh"
lfile() { run "$linkfs" run --linkfs=file -- "$@"; }
export CCACHE_DIR="$T/ccache" SCCACHE_DIR="$T/sccache" SCCACHE_IDLE_TIMEOUT=60
unset CCACHE_DEBUG CCACHE_DISABLE CCACHE_PREFIX CCACHE_CONFIGPATH
makes one
cp "$T/one.c" one.c

hits() { ccache --print-stats | awk '/^(direct|preprocessed)_cache_hit/ { n += $2 } END { print n + 0 }'; }
built() { # COMPILER...
	lfile "$@" -c one.c -o again.o
	lfile "$@" again.o -o again
	linked_by linkfs again
	says ./again one
}
built ccache gcc
before=$(hits)
built ccache gcc
[ "$(hits)" -gt "$before" ] || fail "what was compiled below linkfs run is not found again"
lfile ccache gcc one.c -o at-once
linked_by linkfs at-once
if [ -x /usr/lib/ccache/gcc ]; then
	before=$(hits)
	PATH=/usr/lib/ccache:$PATH built gcc
	[ "$(hits)" -gt "$before" ] || fail "ccache is not in it"
fi
if command -v cmake >/dev/null; then
	printf 'cmake_minimum_required(VERSION 3.20)\nproject(one C)\nadd_executable(one one.c)\n' >CMakeLists.txt
	for launcher in CMAKE_C_COMPILER_LAUNCHER CMAKE_C_LINKER_LAUNCHER; do set -- "$@" "-D$launcher=ccache"; done
	lfile sh -c 'cmake -B build "$@" && cmake --build build' - "$@" >out 2>&1 || { cat out >&2; fail "cmake"; }
	linked_by linkfs build/one
fi

command -v sccache >/dev/null || skip "sccache is not installed; ccache is right"
export SCCACHE_SERVER_PORT=$((20000 + $$ % 30000))
stop_server() { run sccache --stop-server >/dev/null 2>&1; }
at_exit=stop_server # its server outlives who started it
built sccache gcc
built sccache gcc
sccache --show-stats >out 2>&1
has '^Cache hits +1' out
# A server that was started without linkfs makes no difference, since links are the client's.
run sccache --stop-server >out 2>&1
run sccache --start-server >out 2>&1 || skip "sccache starts no server; all the rest is right"
built sccache gcc
