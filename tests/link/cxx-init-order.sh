#!/bin/sh
# Static objects of one object are made in order and destroyed backwards, over objects in link order; init_priority.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >t.h <<'END'
#include <cstdio>
struct teller {
	const char *n;
	teller(const char *s) : n(s) { std::printf("+%s ", n); }
	~teller() { std::printf("-%s ", n); }
};
END
echo '#include "t.h"
static teller a("a"), b("b"); __attribute__((init_priority(500))) teller early("early");
int main() { std::printf("main "); }' >a.cc
echo '#include "t.h"
static teller c("c");' >c.cc
cxx a.cc c.cc -o m
run_is "+early +a +b +c main -c -b -a -early " ./m
