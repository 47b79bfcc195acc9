#!/bin/sh
# Virtual functions, RTTI, inline variables, static locals and templates over three objects and a library.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >shape.h <<'END'
#include <string>
struct shape { virtual ~shape() = default; virtual std::string name() const { return "shape"; } };
inline int counter = 5;
template <class T> T &single() { static T t{}; return t; }
END
echo '#include "shape.h"
struct square : shape { std::string name() const override { return "square"; } };
shape *make() { counter++; single<int>() += 3; return new square; }' >l.cc
echo '#include "shape.h"
#include <iostream>
shape *make();
int helper();
int main()
{
	shape *s = make();
	std::cout << s->name() << dynamic_cast<shape *>(s)->shape::name() << counter << helper();
	delete s;
}' >m.cc
echo '#include "shape.h"
int helper() { return single<int>() * 10 + counter; }' >h.cc
cxx -O0 -fPIC -shared l.cc -o libl.so
cxx -O0 m.cc h.cc ./libl.so -o m
run_is squareshape636 ./m
cxx -O0 -fPIE m.cc h.cc l.cc -o m
run_is squareshape636 ./m
check_elf libl.so m
