#!/bin/sh
# Exceptions cross objects, frames with cleanups, libraries, and position-dependent, independent and static programs.
# NEEDS: cxx static-cxx
. "$(dirname "$0")/lib.sh"

cat >thrower.cc <<'END'
#include <stdexcept>
void throws(int x) { if (x > 2) throw std::out_of_range("too far"); throws(x + 1); }
END
cat >middle.cc <<'END'
#include <cstdio>
void throws(int);
struct cleanup { ~cleanup() { std::printf("clean "); } };
void middle() { cleanup c; throws(0); }
END
cat >m.cc <<'END'
#include <cstdio>
#include <exception>
void middle();
int main() { try { middle(); } catch (const std::exception &e) { std::printf("%s\n", e.what()); } }
END
cxx -O1 -fPIC -c thrower.cc middle.cc m.cc
for mode in -no-pie -pie -static -static-pie "-static-libstdc++ -static-libgcc" "-Wl,--gc-sections"; do
	cxx $mode thrower.o middle.o m.o -o m
	run_is "clean too far" ./m
	check_elf m
done
cxx -shared thrower.o -o libthrower.so
cxx -shared middle.o ./libthrower.so -o libmiddle.so
cxx m.o ./libmiddle.so ./libthrower.so -o m
run_is "clean too far" ./m
check_elf libthrower.so libmiddle.so m
