#!/bin/sh
# Which pattern wins: exact before wildcard, whatever the order; a global wildcard before a local one, of global ones the
# last node's; "*" comes last.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for lld "a wildcard of a later node wins there, be it global or local"
not_for mold "has rules of its own"

for f in exact exact_local both_glob glob_only glob_local other quote_x question1 set_b twice; do
	echo "int $f(void) { return 1; }"
done >l.c
cat >l.map <<'END'
A { global: exact*; both_*; twice; local: exact_local; glob_*; };
B { global: exact; both_glob*; question?; set_[abc]; "quote_*"; twice; local: bot*; *; };
C { global: glob_only; };
END
cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
readelf --dyn-syms -W libl.so >s
has ' exact@@B$' s
has ' both_glob@@B$' s
has ' glob_only@@C$' s
has ' question1@@B$' s
has ' set_b@@B$' s
has ' twice@@A$' s
hasnt ' (exact_local|glob_local|other|quote_x)(@|$)' s
echo 'A { global: *; local: in*; }; B { global: inner*; };' >l.map
echo 'int inner1(void) { return 1; } int in2(void) { return 2; } int out3(void) { return 3; }' >l.c
cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
readelf --dyn-syms -W libl.so >s
has ' inner1@@B$' s
has ' out3@@A$' s
hasnt ' in2(@|$)' s
check_elf libl.so
