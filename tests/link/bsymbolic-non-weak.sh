#!/bin/sh
# -Bsymbolic-non-weak binds a library's references to its own definitions unless they are weak; -functions: to functions.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "options of lld"

cat >l.c <<'END'
int func(void) { return 1; }
__attribute__((weak)) int weak_func(void) { return 1; }
int data = 1;
__attribute__((weak)) int weak_data = 1;
int sum(void) { return func() * 27 + weak_func() * 9 + data * 3 + weak_data; }
END
cat >m.c <<'END'
int func(void) { return 2; }
int weak_func(void) { return 2; }
int data = 2, weak_data = 2;
int sum(void);
int main(void) { return sum(); }
END
cc -O0 -fPIC -c l.c
for row in "50 -Wl,-Bsymbolic-non-weak" "53 -Wl,-Bsymbolic-non-weak-functions"; do
	case $peer-$row in lld*weak) continue ;; esac	# lld 14 has the other one only
	cc -shared l.o ${row#* } -o libl.so
	cc m.c ./libl.so -o m
	exits_with "${row%% *}" ./m
	check_elf libl.so
done
