#!/bin/sh
# linkfs linked by linkfs: its own programs are built anew with ld.linkfs as the linker, and pass mount tests.
# NEEDS: gcc cmake ninja linker
. "$(dirname "$0")/lib-big.sh"
top=$(cd "$lib_dir/../.." && pwd)
cmake -S "$top" -B self -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=gcc \
	-DCMAKE_EXE_LINKER_FLAGS="-B$ld_dir/" >configured 2>&1 || { tail -n 20 configured >&2; fail "configuring it"; }
LINKFS_MODE='file' timeout 800 ninja -C self bin/linkfs bin/ld.linkfs randread fake_linkfs >built 2>&1 ||
	{ tail -n 30 built >&2; fail "building it"; }
for program in bin/linkfs bin/ld.linkfs tests/randread; do
	readelf -p .comment self/$program | grep -q 'Linker: linkfs' || fail "$program was not linked by linkfs"
done
mkdir -p self/libexec/linkfs
[ -e self/libexec/linkfs/ld ] || ln -s ../../bin/ld.linkfs self/libexec/linkfs/ld
for t in add-rm-list program-links program-outlives-linker random-reads worker-killed worker-crash-fill stale-mount; do
	status=0
	LINKFS_BUILD=$PWD/self LINKFS_TEST_PATIENCE=200 "$lib_dir/$t.sh" >"$t.out" 2>&1 || status=$?
	[ $status = 0 ] || [ $status = 77 ] || { cat "$t.out" >&2; fail "$t with the linkfs that linkfs linked"; }
	echo "$t: $status"
done
