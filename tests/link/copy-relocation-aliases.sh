#!/bin/sh
# All names of copied data move together: a library's environ, __environ and _environ stay one variable.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd" "it moves only the aliases that are referred to"

cat >l.c <<'END'
int first = 1;
extern int second __attribute__((alias("first"))), third __attribute__((weak, alias("first")));
int get_second(void) { return second; }
int get_third(void) { return third; }
END
cat >m.c <<'END'
#include <stdio.h>
#include <stdlib.h>
extern int first;
extern char **environ;
int get_second(void), get_third(void);
int main(void)
{
	first = 7;
	environ = (char *[]){"LINKFS_ALIAS=seen", 0};
	printf("%d %d %s\n", get_second(), get_third(), getenv("LINKFS_ALIAS"));
	return 0;
}
END
cc -fPIC -shared l.c -o libl.so
cc -O1 -fno-pie -no-pie m.c ./libl.so -o m
run_is "7 7 seen" ./m
check_elf m
