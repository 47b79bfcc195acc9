#!/bin/sh
# An archive without members is no error, alone or whole.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >m.c
ar rc empty.a
printf '!<thin>\n' >thin.a
cc m.c empty.a thin.a -Wl,--whole-archive empty.a -Wl,--no-whole-archive -o m
./m
