#!/bin/sh
# A weak reference alone does not make an --as-needed library needed; a strong one anywhere does.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd" "it also needs a library for a weak reference"

echo 'int opt(void) { return 5; }' >u.c
echo 'int opt(void) __attribute__((weak)); int main(void) { return opt ? opt() : 9; }' >m.c
echo 'int opt(void); int (*p)(void) = opt;' >s.c
cc -fPIC -shared -Wl,-soname,libu.so u.c -o libu.so
cc -fPIE -c m.c s.c
cc m.o -Wl,--as-needed libu.so -Wl,-rpath,"$PWD" -o a
needed a >n
hasnt 'libu' n
exits_with 9 ./a
cc m.o s.o -Wl,--as-needed libu.so -Wl,-rpath,"$PWD" -o b
needed b >n
has 'libu' n
exits_with 5 ./b
