#!/bin/sh
# A C compiler made of 400 MB of LLVM's and clang's archives compiles a C file from the mount, with less than half of its
# bytes made.
# NEEDS: gcc g++ linker /usr/lib/llvm-14/lib/libclangFrontendTool.a /usr/lib/x86_64-linux-gnu/libz3.so
# NEEDS: /usr/lib/llvm-14/include/clang/FrontendTool/Utils.h
. "$(dirname "$0")/lib-big.sh"
llvm=/usr/lib/llvm-14
g++ -fno-rtti -fPIE -I$llvm/include -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_LIMIT_MACROS \
	-c "$lib_dir/../bench/cc1main.cc" -o cc1.o
cat >hello.c <<'END'
int puts(const char *);
static int square(int x) { return x * x; }
int main(void) { puts("compiled by cc1"); return square(7); }
END
start_mount
# shellcheck disable=SC2046
link_both cc1 g++ -pie cc1.o -Wl,--start-group \
	$(find $llvm/lib/ -name 'libclang[A-Z]*.a' -o -name 'libLLVM?*.a' | LC_ALL=C sort) -Wl,--end-group \
	-lz3 -lz -lrt -ldl -ltinfo -lm -lpthread
from_mount cc1 -triple x86_64-unknown-linux-gnu -emit-obj -O2 -mrelocation-model pic -pic-level 2 -pic-is-pie -o hello.o hello.c
lazily cc1 50
gcc hello.o -o hello
status=0
./hello >out || status=$?
equal "$(cat out) $status" "compiled by cc1 49" "the program that it compiled"
right_bytes cc1
