#!/bin/sh
# Debug sections may refer to sections that were dropped: no message, and readelf reads them to the end.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__attribute__((section(".text.unused"))) void unused(void) {}
int main(void) { return 0; }
END
cc -g3 -ffunction-sections a.c -Wl,--gc-sections -o a >out 2>&1
hasnt . out
./a
readelf -w a >dump 2>err
hasnt . err
