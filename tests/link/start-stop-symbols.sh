#!/bin/sh
# __start_NAME and __stop_NAME bracket the joined section, over several objects, also in a shared library, where they
# are hidden or protected: each module has its own.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__attribute__((section("table"), used)) static int a = 1;
extern int __start_table[], __stop_table[];
int SUM(void) { int s = 0; for (int *p = __start_table; p < __stop_table; p++) s += *p; return s; }
END
echo '__attribute__((section("table"), used)) static int b = EXTRA;' >b.c
echo 'int sum(void), lib_sum(void); int main(void) { return sum() + lib_sum() * 10; }' >m.c
cc -fPIC -DSUM=lib_sum -DEXTRA=3 -shared a.c b.c -o libl.so
cc -DSUM=sum -DEXTRA=2 a.c b.c m.c ./libl.so -o m
exits_with 43 ./m
check_elf libl.so m
