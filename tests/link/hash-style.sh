#!/bin/sh
# --hash-style=sysv, gnu and both: the tables and tags are there, and every symbol is found through each.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >gen.sh <<'END'
i=0
while [ $i -lt 300 ]; do echo "int function_number_$i(void) { return $i % 97; }"; i=$((i + 1)); done
END
sh gen.sh >lib.c
cat >m.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	void *h = dlopen(argv[argc - 1], RTLD_NOW);
	int good = 0;
	if (!h) { puts(dlerror()); return 1; }
	for (int i = 0; i < 300; i++) {
		char name[40];
		sprintf(name, "function_number_%d", i);
		int (*f)(void) = (int (*)(void))dlsym(h, name);
		good += f && f() == i % 97;
	}
	printf("%d %d\n", good, dlsym(h, "function_number_300") != NULL);
	return 0;
}
END
cc m.c -o m
cc -fPIC -c lib.c
for style in sysv gnu both; do
	cc -shared lib.o -Wl,--hash-style=$style -o $style.so
	run_is "300 0" ./m ./$style.so
	readelf -dW $style.so >$style.d
	check_elf $style.so
done
hasnt GNU_HASH sysv.d && has '\(HASH\)' sysv.d
hasnt '\(HASH\)' gnu.d && has GNU_HASH gnu.d
has '\(HASH\)' both.d && has GNU_HASH both.d
