#!/bin/sh
# Common symbols of one name become one, with the largest size and alignment, in .bss; a definition beats them in
# either order.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 does not merge sizes and alignments"

echo 'char shared_name[10]; char *a(void) { return shared_name; }' >a.c
echo 'char shared_name[100] __attribute__((aligned(64))); char *b(void) { return shared_name; }' >b.c
echo 'char shared_name[10] = {5};' >d.c
cat >m.c <<'END'
char *a(void), *b(void);
int main(void) { return a() != b() || (unsigned long)a() % 64 ? 99 : *a(); }
END
cc -fcommon -c a.c b.c m.c
cc -fno-common -DD -c d.c
for order in "a.o b.o" "b.o a.o"; do
	cc m.o $order -o m
	exits_with 0 ./m
	equal "$(symlines m shared_name | cut -d' ' -f1,5)" "OBJECT 100" "the common symbol"
done
echo 'char *a(void); int main(void) { return *a(); }' >m.c
cc -c m.c
for order in "a.o d.o" "d.o a.o"; do
	cc m.o $order -o m
	exits_with 5 ./m
	equal "$(symlines m shared_name | cut -d' ' -f5)" 10 "the defined symbol"
done
check_elf m
