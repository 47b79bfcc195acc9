#!/bin/sh
# A plugin that binutils' folders have under several names, as where /usr/lib64 is /usr/lib, is one plugin: it is not asked, nor
# told to compile, twice.
# NEEDS: clang-lto
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "others have folders of their own"
ls /usr/lib/bfd-plugins/LLVMgold*.so >/dev/null 2>&1 || skip "LLVM's plugin is not in /usr/lib/bfd-plugins"
for options in -m -rm none; do
	[ $options != none ] || skip "unshare is not permitted here"
	unshare $options --propagation private mount -t tmpfs none /usr/local/lib 2>/dev/null && break
done

echo 'int f(int x) { return x + 41; }' >b.c
echo 'int f(int); int main(int c, char **v) { (void)v; return f(c); }' >a.c
clang -flto -O2 -c a.c b.c
# shellcheck disable=SC2016 # it is that shell's
unshare $options --propagation private sh -ec 'mount -t tmpfs none /usr/local/lib
	mkdir /usr/local/lib/bfd-plugins
	ln -s /usr/lib/bfd-plugins/LLVMgold*.so /usr/local/lib/bfd-plugins
	exec "$@"' sh gcc -B"$ld_dir/" a.o b.o -o prog
exits_with 42 ./prog
