#!/bin/sh
# -Bsymbolic binds a library's own references to itself, -Bsymbolic-functions only those to functions.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
int func(void) { return 1; }
int data = 1;
int sum(void) { return func() * 10 + data; }
END
echo 'int func(void) { return 2; } int data = 2; int sum(void); int main(void) { return sum(); }' >m.c
cc -O0 -fPIC -c l.c
for row in "22 " "11 -Wl,-Bsymbolic" "12 -Wl,-Bsymbolic-functions"; do
	cc -shared l.o ${row#* } -o libl.so
	cc m.c ./libl.so -o m
	exits_with "${row%% *}" ./m
done
