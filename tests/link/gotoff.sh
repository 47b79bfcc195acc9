#!/bin/sh
# GOTOFF64, GOTPC64, GOTPLT-relative and GOT64 references of the large code model work in executables and libraries.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
static int local = 3;
int global = 4;
static int func(int x) { return x + local; }
int (*volatile pointer)(int) = func;
int large(void) { local++; global++; return pointer(local) + func(global); }
END
echo 'int large(void); int main(void) { return large(); }' >m.c
cc -O0 -mcmodel=large -fPIC -shared l.c -o libl.so
cc m.c ./libl.so -o m
exits_with 17 ./m
cc -O0 -mcmodel=large -fPIE -pie l.c m.c -o m2
exits_with 17 ./m2
cc -O0 -mcmodel=large -fno-pie -no-pie l.c m.c -o m3
exits_with 17 ./m3
cc -O0 -mcmodel=medium -fPIC -shared l.c -o libl.so
exits_with 17 ./m
check_elf m m2 m3 libl.so
