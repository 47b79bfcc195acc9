#!/bin/sh
# Hidden functions and data are shared by the objects of one output; hidden weak undefined ones are zero.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__attribute__((visibility("hidden"))) int data = 3;
__attribute__((visibility("hidden"))) int func(void) { return data + 1; }
END
cat >b.c <<'END'
extern __attribute__((visibility("hidden"))) int data;
__attribute__((visibility("hidden"))) int func(void);
extern __attribute__((visibility("hidden"), weak)) char absent[];
int run(void) { return func() * 10 + data + (absent ? 100 : 0); }
END
echo 'int run(void); int main(void) { return run(); }' >m.c
cc -O1 -fPIC -shared a.c b.c -o libl.so
cc m.c ./libl.so -o m
exits_with 43 ./m
cc -O1 -fPIE -pie a.c b.c m.c -o m
exits_with 43 ./m
check_elf libl.so m
