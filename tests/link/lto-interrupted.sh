#!/bin/sh
# A signal ends the linker and the compiler that works for it; the old output stays, temporary files do not.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they leave files"

echo 'int main(void) { return 3; }' >m.c
gcc -flto -c m.c
echo old >m
mkdir temp
TMPDIR=$PWD/temp
export TMPDIR
plugin=$(gcc -print-file-name=liblto_plugin.so)
printf '#!/bin/sh\necho $$ >pid.new\nmv pid.new pid\nexec sleep 100\n' >wrapper
chmod +x wrapper
for which in INT:2 TERM:15 HUP:1; do
	sig=${which%:*}
	rm -f pid
	env --default-signal=INT "$LD" -plugin "$plugin" -plugin-opt="$PWD/wrapper" -plugin-opt=-fresolution=x.res m.o -e main -o m \
		2>err &
	linker=$!
	i=0
	until [ -e pid ]; do
		i=$((i + 1))
		[ "$i" -lt 400 ] || fail "the compiler was not started"
		sleep 0.05
	done
	compiler=$(cat pid)
	kill "-$sig" "$linker"
	status=0
	wait "$linker" || status=$?
	equal "$status" $((128 + ${which#*:})) "its status after SIG$sig"
	! kill -0 "$compiler" 2>/dev/null || fail "the compiler works on after SIG$sig"
	equal "$(ls temp)" "" "temporary files were left by SIG$sig"
	equal "$(cat m)" old "the output after SIG$sig"
done
