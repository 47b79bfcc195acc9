#!/bin/sh
# --gc-sections keeps the LSDA and the personality of live functions, and drops the dead ones' FDEs.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <cstdio>
struct noisy { ~noisy() { puts("unwound"); } };
void thrower() { throw 5; }
void middle() { noisy n; thrower(); }
void never() { try { thrower(); } catch (long) { puts("never"); } }
int main() { try { middle(); } catch (int i) { printf("%d\n", i); } return 0; }
END
cxx -O0 -ffunction-sections -fdata-sections a.cc -Wl,--gc-sections -o a
run_is "unwound
5" ./a
[ -z "$(sym a _Z5neverv)" ] || fail "the unused function is still there"
check_elf a
