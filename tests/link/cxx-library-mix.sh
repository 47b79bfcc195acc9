#!/bin/sh
# iostreams, regex, threads and caught exceptions: dynamic, -static, -static-pie, -static-libstdc++, by g++ and clang++.
# NEEDS: cxx clangxx static-cxx
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <atomic>
#include <iostream>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
thread_local int mine = 1;
int main()
{
	std::atomic<int> sum{0};
	std::vector<std::thread> threads;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&, i] {
			try { mine += i; throw std::runtime_error(std::to_string(mine)); }
			catch (const std::exception &e) { sum += std::stoi(e.what()); }
		});
	for (auto &t : threads) t.join();
	std::smatch m;
	std::string text = "sum is " + std::to_string(sum) + "!";
	if (std::regex_search(text, m, std::regex("is ([0-9]+)"))) std::cout << m[1] << std::endl;
}
END
cxx -O1 -fPIE -pthread -c a.cc
for mode in -pie -no-pie -static -static-pie "-static-libstdc++ -static-libgcc"; do
	cxx $mode a.o -pthread -o a
	run_is 10 ./a
	check_elf a
	clang_cxx $mode a.o -pthread -o a
	run_is 10 ./a
done
