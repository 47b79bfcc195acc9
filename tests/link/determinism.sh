#!/bin/sh
# The same link twice, under another name, from another folder and with other threads gives the same bytes.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <iostream>
#include <map>
#include <string>
static std::map<std::string, int> m{{"one", 1}, {"two", 2}};
int main() { for (auto &p : m) std::cout << p.first << p.second << "\n"; }
END
cxx -g -c a.cc
cxx a.o -Wl,--build-id -o a1
cxx a.o -Wl,--build-id -o another-name
same a1 another-name
mkdir elsewhere
(cd elsewhere && cxx ../a.o -Wl,--build-id -o a)
same a1 elsewhere/a
is_linkfs || [ "$peer" = lld ] || exit 0
for n in 1 2 7; do
	cxx a.o -Wl,--build-id -Wl,--threads=$n -o threads$n
	same a1 threads$n
done
