#!/bin/sh
# What only a shared library or dlsym asks for survives; so does what the command line names.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they differ in what they take, and in what they keep"

cat >lib.c <<'X'
int callback(int); int through(int x) { return callback(x); }
X
cat >m.c <<'X'
#include <dlfcn.h>
#include <stdio.h>
int through(int);
int callback(int x) { return x + 1; }
int by_name(void) { return 7; }
int by_option(void) { return 8; }
int nobody(void) { return 9; }
int main(void)
{
	int (*f)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "by_name");
	printf("%d %d\n", through(1), f ? f() : -1);
}
X
bfd_cc -fPIC -shared lib.c -o liblib.so
gcc -flto -O2 -c m.c
cc -flto -O2 m.o ./liblib.so -Wl,-rpath,. -o m
run_is "2 -1" ./m
readelf -sW m >s
has ' callback$' s
hasnt ' (nobody|by_name|by_option)$' s
cc -flto -O2 m.o ./liblib.so -rdynamic -o m
run_is "2 7" ./m
cc -flto -O2 m.o ./liblib.so -Wl,--export-dynamic-symbol=by_name -o m
run_is "2 7" ./m
cc -flto -O2 m.o ./liblib.so -Wl,-u,by_option -Wl,--defsym=other=nobody -o m
readelf -sW m >s
has ' by_option$' s
has ' other$' s
cc -flto -O2 m.o ./liblib.so -Wl,--gc-sections -Wl,-z,now -o m
run_is "2 -1" ./m

echo 'void start(void) { __asm__ volatile("mov $60, %eax; mov $5, %edi; syscall"); }' >e.c
case $(uname -m) in x86_64) ;; *) exit 0 ;; esac
gcc -flto -O2 -c e.c
cc -flto -O2 -nostdlib -static -Wl,-e,start e.o -o e
exits_with 5 ./e
