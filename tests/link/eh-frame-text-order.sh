#!/bin/sh
# With text sections laid out in another order than the FDEs, the search table is still sorted by address.
# NEEDS: cxx python3
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <cstdio>
__attribute__((section(".text.unlikely.z"))) void z() { throw 1; }
__attribute__((section(".text.a"))) void a() { try { z(); } catch (int i) { std::printf("%d ", i); throw 2L; } }
__attribute__((section(".text.hot.m"))) void m() { try { a(); } catch (long l) { std::printf("%ld\n", l); } }
int main() { m(); return 0; }
END
cxx -O0 a.cc -o a
run_is "1 2" ./a
[ "$peer" = mold ] || "$python3" "$lib_dir/elfcheck.py" a
check_elf a
