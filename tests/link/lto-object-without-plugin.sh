#!/bin/sh
# An object of LTO bytecode alone is a message that says so, not "undefined symbol" by the dozen or a crash.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they use the plugin or say other things"

echo 'int f(void) { return 1; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -flto -fno-fat-lto-objects -c f.c m.c
expect_error 'LTO|lto|plugin|-ffat-lto-objects' "$LD" m.o f.o -o m
