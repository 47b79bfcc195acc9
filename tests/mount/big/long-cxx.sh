#!/bin/sh
# A C++ program with streams, regular expressions, threads and caught exceptions runs from the mount, linked dynamically and
# statically in three ways.
# NEEDS: g++ linker
. "$(dirname "$0")/lib-big.sh"
cat >main.cc <<'END'
#include <atomic>
#include <iostream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct odd : std::runtime_error {
	using std::runtime_error::runtime_error;
};
static int half(int x)
{
	if (x & 1)
		throw odd("odd: " + std::to_string(x));
	return x / 2;
}
int main()
{
	std::atomic<int> sum{0}, caught{0};
	std::vector<std::thread> all;
	for (int t = 0; t < 4; t++)
		all.emplace_back([&, t] {
			for (int i = 0; i < 1000; i++)
				try { sum += half(i + t); } catch (const std::exception &e) { caught += e.what()[0] == 'o'; }
		});
	for (auto &t : all)
		t.join();
	std::smatch m;
	std::string text = "linked at 12:34 on demand";
	std::regex_search(text, m, std::regex("([0-9]+):([0-9]+)"));
	std::ostringstream out;
	out << sum << ' ' << caught << ' ' << m[1] << '-' << m[2] << ' ' << std::boolalpha << m.ready();
	std::cout << out.str() << std::endl;
}
END
g++ -O1 -g -fPIE -pthread -c main.cc
g++ main.o -pthread -o reference
want=$(./reference)
start_mount
for mode in "-pie" "-no-pie" "-static" "-static-pie" "-static-libstdc++"; do
	name=cxx$mode
	link_both "$name" g++ "$mode" main.o -pthread
	equal "$(from_mount "$name")" "$want" "$mode"
	lazily "$name" 100
	right_bytes "$name"
done
