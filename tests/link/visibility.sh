#!/bin/sh
# Hidden and internal symbols are not exported, protected ones are but bind locally, default ones can be interposed.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
__attribute__((visibility("hidden"))) int hid(void) { return 1; }
__attribute__((visibility("internal"))) int inte(void) { return 1; }
__attribute__((visibility("protected"))) int prot(void) { return 1; }
int def(void) { return 1; }
int sum(void) { return hid() * 1000 + inte() * 100 + prot() * 10 + def(); }
END
cat >m.c <<'END'
#include <stdio.h>
int hid(void) { return 2; }
int inte(void) { return 2; }
int prot(void) { return 2; }
int def(void) { return 2; }
int sum(void);
int main(void) { printf("%d\n", sum()); return 0; }
END
cc -O0 -fPIC -shared l.c -o libl.so
[ -z "$(dynsymlines libl.so hid)$(dynsymlines libl.so inte)" ] || fail "a hidden symbol is exported"
equal "$(dynsymlines libl.so prot | cut -d' ' -f2,3)" "GLOBAL PROTECTED" "the protected symbol"
equal "$(symlines libl.so hid | cut -d' ' -f2)" LOCAL "binding of the hidden symbol in .symtab"
cc m.c ./libl.so -o m
run_is 1112 ./m
check_elf libl.so m
