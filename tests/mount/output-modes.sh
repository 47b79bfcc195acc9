#!/bin/sh
# chmod and chown on an output: every bit of the mode is kept, and giving it to its owner is no change.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

big_object one one
start_mount settle=never
link one.o -o prog
chown "$(id -u):$(id -g)" prog || fail "chown to its owner"
chmod 4751 prog
equal "$(stat -L -c %a prog)" 4751 "the mode on the mount"
run "$linkfs" umount "$mnt"
equal "$(stat -c %a prog)" 4751 "the mode of the plain file"

start_mount settle=never
link one.o -o prog
printf x >>prog
await test ! -L prog
chmod 755 prog
link one.o -o prog
chmod 2755 prog
cp prog plain # the same bytes, by the kernel's cache
cmp prog plain || fail "it has other bytes"
equal "$(stat -L -c %a prog)" 2755 "the mode after it was read"
