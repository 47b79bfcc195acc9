#!/bin/sh
# The plugin is not even looked for where no input needs it: compilers always name it.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they load it"

echo 'int main(void) { return 3; }' >m.c
gcc -c m.c
"$LD" -plugin /nonexistent.so -plugin-opt=x m.o -e main -o m
gcc -flto -c m.c
cp m old
expect_error '-plugin /nonexistent.so: cannot load it' "$LD" -plugin /nonexistent.so m.o -e main -o m
same m old
expect_error 'LTO object.*-plugin.*-ffat-lto-objects' "$LD" m.o -e main -o m
expect_error 'cannot load it.*onload' "$LD" -plugin "$(gcc -print-file-name=libc.so.6)" m.o -e main -o m
same m old
