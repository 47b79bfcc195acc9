#!/bin/sh
# .rela.dyn begins with all RELATIVE entries (DT_RELACOUNT); symbolic ones follow grouped by symbol.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 has no DT_RELACOUNT"

cat >l.c <<'END'
extern int e1, e2;
static int s1, s2;
int *t[] = {&e1, &s1, &e2, &s2, &e1, &e2, &e1};
END
cc -fPIC -shared l.c -o l.so
readelf -rW l.so | awk '/R_X86_64_/ { print $3, ($3 ~ /64$/ || $3 ~ /GLOB/) ? $5 : "" }' >r
equal "$(awk '/RELATIVE/ && other { bad++ } !/RELATIVE/ { other = 1 } END { print bad + 0 }' r)" 0 \
	"RELATIVE entries behind others"
equal "$(readelf -dW l.so | sed -n 's/.*RELACOUNT) *//p')" "$(grep -c RELATIVE r)" "DT_RELACOUNT"
equal "$(grep -c 'R_X86_64_64 e1' r) $(grep -c 'R_X86_64_64 e2' r)" "3 2" "symbolic relocations"
equal "$(grep 'R_X86_64_64' r | uniq | wc -l)" 2 "groups of symbolic relocations"
check_elf l.so
