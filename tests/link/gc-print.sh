#!/bin/sh
# --print-gc-sections names what is dropped.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
int dropped_function(int x) { return x; }
int main(void) { return 0; }
END
cc -ffunction-sections a.c -Wl,--gc-sections,--print-gc-sections -o a >out 2>&1
has '\.text\.dropped_function' out
hasnt '\.text\.main' out
