#!/bin/sh
# Link map, dependency file and messages of a link on the mount are those of file mode; so are errors and exit statuses.
# NEEDS: gcc ar linker
. "$(dirname "$0")/lib-output.sh"
makes one
echo 'int other(void) { return 1; }' >other.c
gcc -c other.c
ar rc libother.a other.o
echo 'int missing(void); int main(void) { return missing(); }' >bad.c
echo 'void _start(void) { for (;;); }' >bare.c
gcc -c bad.c bare.c
start_mount settle=never

# same ARG...: both modes, with the same -o in directories of the same names.
same() {
	for mode in file auto; do
		rm -rf "$mode" && mkdir "$mode"
		status=0
		(run env LINKFS_MODE=$mode gcc -B"$ld_dir/" -o prog "$@" >"$mode/stdout" 2>"$mode/stderr") || status=$?
		echo "$status" >"$mode/status"
		for side in map deps prog; do
			[ ! -e $side ] || cp $side "$mode/$side"
			rm -f $side
		done
		sed -i "s|$T/cc[A-Za-z0-9]*||g" "$mode/stderr"
	done
	diff -r file auto || fail "the modes differ: $*"
}
same one.o -Wl,-Map=map
[ -s auto/map ] || fail "there is no map"
same one.o -Wl,--dependency-file=deps
grep -q 'one.o' auto/deps || fail "there is no dependency file"
same one.o -u other -L. -lother -Wl,-Map,map,--dependency-file,deps,--gc-sections,--build-id=sha1,-s
same one.o -Wl,-Map=-
grep -q . auto/stdout || fail "no map on standard output"
same one.o -Wl,-Map=map,-z,now -static
same one.o -shared
same one.o -no-pie -rdynamic
same one.o -Wl,--version
same one.o -Wl,--trace
same one.o -Wl,--print-gc-sections,--gc-sections
same bad.o
same bad.o other.o
same one.o one.o
same one.o absent.o
same one.o -labsent
same one.o -Wl,--no-such-option
same one.o -Wl,-T,absent
same one.o -Wl,-Map=absent/map
same other.o
for mode in file auto; do
	cp bare.o copy.o
	expect_error 'it is one of the inputs' "$ld_dir/ld" copy.o -o copy.o --linkfs=$mode
	cmp bare.o copy.o || fail "an input was replaced"
done
expect_error 'absent/map: .*No such file' gcc -B"$ld_dir/" one.o -o none -Wl,-Map=absent/map
[ ! -e none ] && [ ! -L none ] || fail "an output without the map that was asked for"
