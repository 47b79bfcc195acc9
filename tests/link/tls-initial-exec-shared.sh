#!/bin/sh
# Initial exec TLS in a library: TPOFF64 and DF_STATIC_TLS.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
__thread int exported = 3;
static __thread int own = 5;
int sum(void) { return exported * 10 + own; }
END
echo 'extern __thread int exported; int sum(void); int main(void) { exported = 4; return sum(); }' >m.c
cc -O1 -fPIC -ftls-model=initial-exec -shared l.c -o libl.so
cc m.c ./libl.so -o m
exits_with 45 ./m
readelf -drW libl.so >r
has 'TPOFF64' r
has 'FLAGS.*STATIC_TLS' r
check_elf libl.so m
