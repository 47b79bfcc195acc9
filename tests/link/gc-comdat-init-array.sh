#!/bin/sh
# Initialisers of inline variables, whose .init_array pieces are members of groups, run under --gc-sections.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <cstdio>
template <int N> struct registered {
	static int id;
	static int make() { std::printf("init %d\n", N); return N; }
};
template <int N> int registered<N>::id = make();
int main() { return registered<3>::id - 3; }
END
cxx -ffunction-sections -fdata-sections a.cc -Wl,--gc-sections -o a
run_is "init 3" ./a
check_elf a
