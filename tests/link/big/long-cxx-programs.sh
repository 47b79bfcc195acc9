#!/bin/sh
# Twenty C++ translation units over the standard library with debug information: one program, static and dynamic; gdb
# finds a line; gc-sections gives the same behaviour.
# NEEDS: cxx static-cxx gdb
. "$(dirname "$0")/../lib.sh"

i=0
while [ $i -lt 20 ]; do
	cat >u$i.cc <<END
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>
std::string unit$i(int n)
{
	std::map<std::string, std::vector<int>> m;
	for (int i = 0; i < n; i++) m["key" + std::to_string(i % 7)].push_back(i * $i);
	std::ostringstream out;
	for (auto &[k, v] : m) { std::sort(v.rbegin(), v.rend()); out << k << v.front(); }
	std::function<int(int)> f = [&](int x) { return x + (int)m.size(); };
	try { m.at("missing"); } catch (const std::out_of_range &) { out << f($i); }
	return out.str();
}
END
	echo "std::string unit$i(int);" >>all.h
	echo "h = h * 31 + std::hash<std::string>{}(unit$i(50));" >>calls.h
	echo "u$i.cc"
	i=$((i + 1))
done >list
cat >m.cc <<'END'
#include <iostream>
#include <string>
#include "all.h"
int main()
{
	size_t h = 0;
#include "calls.h"
	std::cout << h << std::endl;
}
END
cxx -std=c++17 -g -O0 -ffunction-sections -fdata-sections -fPIE -c m.cc $(cat list)
objects=$(ls ./*.o)
g++ -fuse-ld=bfd $objects -o reference
want=$(./reference)
for mode in -pie -no-pie -static -static-pie "-Wl,--gc-sections" "-static -Wl,--gc-sections"; do
	cxx $mode $objects -o m
	run_is "$want" ./m
	check_elf m
done
gdb -nx --batch -ex 'set debuginfod enabled off' -ex 'info line unit7' ./m >out 2>&1
has 'Line 9 of "u7\.cc"' out
readelf -wi m >dump 2>err
hasnt . err
