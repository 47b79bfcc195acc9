#!/bin/sh
# A program that runs while its -o is linked again goes on with its own bytes, those it had not read yet included.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
for word in old new; do
	cat >$word.c <<-END2
		#include <stdio.h>
		static const char far[3 << 20] = "$word";
		int main(void)
		{
			puts("$word");
			fflush(stdout);
			getchar();
			for (int i = 0; i < 3; i++)
				putchar(far[i]);
			return putchar('\n') < 0;
		}
	END2
	gcc -O0 -c $word.c
done
start_mount settle=never
link old.o -o prog
mkfifo in
./prog <in >out &
program=$!
exec 8>in
await grep -qs old out
links_made 1 link new.o -o prog
run "$linkfs" status >/dev/null
echo >&8
exec 8>&-
wait "$program" || fail "the program that ran"
equal "$(cat out)" "old
old" "what the running program said"
equal "$(echo | run ./prog)" "new
new" "what the new one says"
