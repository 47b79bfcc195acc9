#!/bin/sh
# C++ through LTO: templates in several objects, exceptions, constructors, and one object that is machine code.
# NEEDS: lto cxx
. "$(dirname "$0")/lib.sh"
not_for lld "it does not take GCC's plugin"

cat >v.h <<'X'
#include <stdexcept>
#include <string>
template <class T> struct box { T v; static int made; box(T x) : v(x) { made++; } virtual T get() const { return v; } virtual ~box() {} };
template <class T> int box<T>::made = 0;
inline int counter() { static int n = 0; return ++n; }
std::string g(int n);
X
cat >a.cc <<'X'
#include "v.h"
#include <iostream>
struct early { early() { counter(); } } the_early;
int main() {
	box<int> b(1);
	try { std::cout << g(7) << b.get() << " " << box<int>::made << " " << counter() << "\n"; throw std::runtime_error("x"); }
	catch (std::exception &e) { std::cout << e.what() << "\n"; }
}
X
cat >b.cc <<'X'
#include "v.h"
std::string g(int n) { box<int> b(n); counter(); return std::to_string(b.get()); }
X
g++ -flto -O1 -c a.cc b.cc
cxx -flto -O1 a.o b.o -o prog
run_is "71 2 3
x" ./prog
check_elf prog
g++ -O1 -c b.cc
for order in "a.o b.o" "b.o a.o"; do
	# shellcheck disable=SC2086 # a list
	cxx -flto -O1 $order -o prog
	run_is "71 2 3
x" ./prog
done
