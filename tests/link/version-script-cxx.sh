#!/bin/sh
# extern "C++" matches demangled names: exact ones in quotes, and wildcards. Long names are matched whole.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

long=$(printf 'x%.0s' $(seq 1 900))
cat >l.cc <<END
namespace ns {
int shown(int a) { return a + 1; }
int shown(long a) { return (int)a + 2; }
int listed(int a) { return a + 3; }
int listed_not(int a) { return a + 4; }
struct box { box(); ~box(); int get() const; };
box::box() {}
box::~box() {}
int box::get() const { return 5; }
int $long() { return 6; }
int ${long}2() { return 7; }
}
extern "C" int plain(void) { return ns::listed_not(2); }
END
cat >l.map <<END
V1 {
global:
	extern "C++" { "ns::shown(int)"; ns::box::*; "ns::$long()"; };
	plain;
local: *;
};
V2 { global: extern "C++" { ns::listed*int?; "ns::nobody()" }; local: extern "C++" { "ns::listed_not(int)" }; } V1;
END
cat >m.cc <<'END'
namespace ns {
int shown(int a);
int listed(int a);
struct box { box(); ~box(); int get() const; };
}
extern "C" int plain(void);
int main() { ns::box b; return ns::shown(1) + ns::listed(2) + plain() + b.get(); }
END
cxx -fPIC -shared l.cc -Wl,--version-script,l.map -o libl.so
cxx m.cc ./libl.so -o m
exits_with 18 ./m
readelf --dyn-syms -W libl.so >s
has '_ZN2ns5shownEi@@V1$' s
has '_ZN2ns6listedEi@@V2$' s
has '_ZN2ns3boxC1Ev@@V1$' s
has '_ZNK2ns3box3getEv@@V1$' s
has ' plain@@V1$' s
has "_ZN2ns900${long}Ev@@V1\$" s
hasnt '_ZN2ns5shownEl|_ZN2ns10listed_not|_ZN2ns901x' s
check_elf libl.so m
