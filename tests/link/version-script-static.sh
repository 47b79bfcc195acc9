#!/bin/sh
# A static executable has no dynamic symbols to version: the script changes nothing.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"

printf 'int old(void) { return 3; }\n__asm__(".symver old, foo@V1");\nint main(void) { return old(); }\n' >m.c
echo 'V1 { global: foo; local: *; };' >m.map
cc -static m.c -Wl,--version-script,m.map -o m
exits_with 3 ./m
equal "$(section m .gnu.version_d type)" "" "a static executable defines versions"
check_elf m
