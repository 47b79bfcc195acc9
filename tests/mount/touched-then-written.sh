#!/bin/sh
# An output that was only touched, and is written to later: what was written stays, whatever name it came by.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

big_object one one
link_file one.o -o want
printf tail >>want
start_mount settle=never

link one.o -o touched
touch touched
says ./touched one
printf tail >>touched
await test ! -L touched
cmp touched want || fail "what was written after a touch is lost"

link one.o -o alias
mkdir other
cp -a alias other/kept
says other/kept one
printf tail >>"$mnt$PWD/alias"
await test ! -L alias
cmp alias want || fail "what was written to the alias is lost"
await cmp -s other/kept want
