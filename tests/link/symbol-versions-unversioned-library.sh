#!/bin/sh
# A library without versions beside versioned ones: its symbols have index 1, and no version need names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int plain(void) { return 3; }' >l.c
cat >m.c <<'END'
#include <stdio.h>
int plain(void);
int main(void) { printf("%d\n", plain()); return 0; }
END
cc -fPIC -shared l.c -Wl,-soname,libplain.so -o libplain.so
cc m.c ./libplain.so -Wl,-rpath,"$PWD" -o m
run_is 3 ./m
readelf -VW m >v
hasnt 'File: libplain' v
readelf --dyn-syms -W m >s
has ' plain$' s
check_elf m
