#!/bin/sh
# PT_GNU_STACK: RW by default and for -z noexecstack, RWE for -z execstack.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >a.c
stack() { readelf -lW "$1" | sed -n 's/.*GNU_STACK.* \(RW[E ]\) .*/\1/p' | tr -d ' '; }
cc a.c -o a
cc a.c -Wl,-z,noexecstack -o n
cc a.c -Wl,-z,execstack -o e
equal "$(stack a) $(stack n) $(stack e)" "RW RW RWE" "rights of the stack"
