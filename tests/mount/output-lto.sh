#!/bin/sh
# Objects for a compiler's link-time plugin are refused by name and reason, on the mount as in file mode, until they are
# linked; fat ones are linked as what they are.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one
gcc -flto -c "$T/one.c" -o lto.o
gcc -flto -ffat-lto-objects -c "$T/one.c" -o fat.o
start_mount settle=never
link one.o -o first
for mode in file auto; do
	LINKFS_MODE=$mode
	export LINKFS_MODE
	rm -f prog
	status=0
	link -flto lto.o -o prog 2>said.$mode || status=$?
	if [ $status = 0 ]; then
		says ./prog one
	else
		grep -Eqi 'lto' said.$mode || { cat said.$mode >&2; fail "the message does not say what is wrong"; }
		[ ! -e prog ] && [ ! -L prog ] || fail "a refused link left a file"
	fi
	link fat.o -o prog
	says ./prog one
done
sed 's|/tmp/[^ ]*||g' said.file >a
sed 's|/tmp/[^ ]*||g' said.auto >b
diff a b || fail "the modes say different things"
