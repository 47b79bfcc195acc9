#!/bin/sh
# An input without read permission is an error that names it and the reason.
# NEEDS: cc not-root-bypass
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 7; }' >m.c
cc -c m.c
cp m.o secret.o
chmod 000 secret.o
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T" "$T/work"
	chmod 777 .
	set -- setpriv --reuid=65534 --regid=65534 --clear-groups
	"$@" test -x "$LD" || skip "the linker is not reachable for others"
else
	set --
fi
expect_error 'secret\.o.*[Pp]ermission denied|[Pp]ermission denied.*secret\.o' "$@" "$LD" m.o secret.o -o m
