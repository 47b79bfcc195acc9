#!/bin/sh
# A compiler that fails at link time: exit status 1, its words shown, the old output and nothing else there.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they remove the old output, or leave files"

echo 'int main(void) { return 3; }' >m.c
gcc -flto -O1 -c m.c
cc -flto -O1 m.o -o m
cp m old
printf '#!/bin/sh\necho "this compiler is broken" >&2\nexit 1\n' >wrapper
chmod +x wrapper
mkdir temp
TMPDIR=$PWD/temp
export TMPDIR
plugin=$(gcc -print-file-name=liblto_plugin.so)
expect_error 'this compiler is broken' "$LD" -plugin "$plugin" -plugin-opt="$PWD/wrapper" \
	-plugin-opt=-fresolution="$PWD/m.res" m.o -e main -o m
has '(error|fatal|failed)' err
same m old
equal "$(ls temp)" "" "temporary files were left"
# An object whose intermediate code is of no version that this compiler knows.
objcopy --dump-section "$(readelf -SW m.o | grep -o '\.gnu\.lto_main\.[0-9.]*[0-9a-f]*')=code" m.o 2>/dev/null || skip "objcopy can't"
tr '\0-\377' '\377\0-\376' <code >damaged
objcopy --update-section "$(readelf -SW m.o | grep -o '\.gnu\.lto_main\.[0-9.]*[0-9a-f]*')=damaged" m.o bad.o
status=0
cc -flto -O1 bad.o -o m >out 2>err || status=$?
[ "$status" != 0 ] || fail "damaged code was linked"
same m old
equal "$(ls temp)" "" "temporary files were left"
