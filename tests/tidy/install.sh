#!/bin/sh
# `cmake --install` puts the programs, the `ld` that gcc -B finds, the public headers and the documents where they belong,
# below any prefix, and what it puts there runs.
set -eu

prefix=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-install.XXXXXX")
trap 'rm -rf "$prefix"' EXIT
[ -x "$LINKFS_BUILD/bin/ld.linkfs" ] || {
	echo "SKIP: ld.linkfs is not built"
	exit 77
}

cmake --install "$LINKFS_BUILD" --prefix "$prefix" >"$prefix/log"
for file in bin/linkfs bin/ld.linkfs libexec/linkfs/ld include/linkfs/linkfs.h include/linkfs/linkfs_ir.h include/linkfs/diag.h \
	share/man/man1/linkfs.1 share/man/man1/ld.linkfs.1 share/man/man5/linkfs.5 share/man/man8/mount.linkfs.8 sbin/mount.linkfs \
	sbin/umount.fuse.linkfs lib/systemd/user/linkfs.service share/bash-completion/completions/linkfs \
	share/bash-completion/completions/ld.linkfs share/zsh/site-functions/_linkfs \
	lib/linkfs/run/liblinkfs-run.so libexec/linkfs/run/ld.lld share/linkfs/cmake/linkfs.cmake share/linkfs/linkfs-gdb.py; do
	[ -s "$prefix/$file" ] || {
		echo "FAIL: $file is not installed"
		exit 1
	}
done
[ "$(readlink -f "$prefix/libexec/linkfs/ld")" = "$prefix/bin/ld.linkfs" ] || {
	echo "FAIL: libexec/linkfs/ld leads to $(readlink "$prefix/libexec/linkfs/ld")"
	exit 1
}
grep -q "^ExecStart=$prefix/bin/linkfs " "$prefix/lib/systemd/user/linkfs.service" || {
	echo "FAIL: the unit starts another linkfs than the one installed"
	exit 1
}
"$prefix/libexec/linkfs/ld" --version | grep -q linkfs
"$prefix/bin/linkfs" run --linkfs=file -- sh -c "ld.lld --version" | grep -q linkfs || {
	echo "FAIL: linkfs run does not lead to ld.linkfs"
	exit 1
}
for page in README.md CHANGELOG.md LICENSE; do
	find "$prefix/share" -name "$page" | grep -q . || {
		echo "FAIL: $page is not installed"
		exit 1
	}
done

# The public header stands alone.
echo '#include <linkfs.h>' >"$prefix/user.c"
${CC:-cc} -std=c17 -Wall -Wextra -Werror -I"$prefix/include/linkfs" -fsyntax-only "$prefix/user.c"
