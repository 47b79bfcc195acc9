#!/bin/sh
# The most constraining visibility of all mentions of a symbol wins, whatever the order.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; }' >def.c
echo '__attribute__((visibility("hidden"))) int f(void); int g(void) { return f(); }' >ref.c
cc -fPIC -c def.c ref.c
for order in "def.o ref.o" "ref.o def.o"; do
	cc -shared $order -o l.so
	[ -z "$(dynsymlines l.so f)" ] || fail "f is exported ($order)"
	[ -n "$(dynsymlines l.so g)" ] || fail "g is not exported"
done
check_elf l.so
