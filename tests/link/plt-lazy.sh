#!/bin/sh
# A call to a library's function goes through the PLT; the slot is bound lazily, and both ways agree.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(int x) { return x + 1; } int g(int x) { return x * 2; }' >l.c
cat >m.c <<'END'
int f(int), g(int);
int main(void) { int s = 0; for (int i = 0; i < 3; i++) s += f(i) + g(i); return s; }
END
cc -fPIC -shared l.c -o libl.so
for mode in "-fno-pie -no-pie" "-fPIE -pie"; do
	for bind in lazy now; do
		cc $mode m.c ./libl.so -Wl,-z,$bind -o m
		exits_with 12 ./m
		readelf -rW m >r
		[ $bind = now ] || has 'JUMP_SLO' r
		check_elf m
	done
done
