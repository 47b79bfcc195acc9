#!/bin/sh
# What can't be done with intermediate code on the mount says so: a live link, which has nobody's compiler; a plugin that is
# not there; a compiler that fails. What stood at -o stays, and nothing else is left.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
case $(gcc -print-file-name=liblto_plugin.so) in /*) ;; *) skip "liblto_plugin.so is not installed" ;; esac

makes one two
gcc -flto -c "$T/one.c" -o lto.o
gcc -flto -ffat-lto-objects -c "$T/two.c" -o fat.o
start_mount settle=never
link one.o -o prog
printf '#!/bin/sh\necho "this compiler is broken" >&2\nexit 1\n' >wrapper
chmod +x wrapper
mkdir temp
plugin=$(gcc -print-file-name=liblto_plugin.so)
for mode in mount auto file; do
	LINKFS_MODE=$mode
	export LINKFS_MODE
	TMPDIR=$PWD/temp expect_error 'this compiler is broken' \
		"$ld" -plugin "$plugin" -plugin-opt="$PWD/wrapper" -plugin-opt=-fresolution=x.res lto.o -e main -o prog
	equal "$(ls temp)" "" "temporary files were left"
	expect_error 'LTO object.*-plugin' "$ld" lto.o -e main -o prog
	expect_error 'cannot load it' "$ld" -plugin /nonexistent.so lto.o -e main -o prog
	says ./prog one
	rm -f new
	link -fno-lto fat.o -o new # GCC names its plugin all the same: compiled or not, it runs
	says ./new two
done
LINKFS_MODE="file"
on_mount prog
add live lto.o -e main
expect_error 'Input/output error' cat "$mnt/live"
has 'lto\.o: is an LTO object' "$mnt/.linkfs/log/live"
add_linked live gcc -fno-lto fat.o # GCC names its plugin: there is machine code, so nobody need be asked
links_well live
says "$mnt/live" two

# A plan that does not fit its command line is refused, whoever wrote it.
for word in claimed:0 claimed:7-9999999 claimed:2-1 claimed:1-x claimed:99999999999999999999 linked:-1 at:4294967295 at:; do
	printf '%s\n' "--chdir=\"$PWD\"" one.o -e main "--linkfs-lto=$word" >"$mnt/.linkfs/links/bad"
	expect_error 'Input/output error' cat "$mnt/bad"
	has 'plan.*does not fit' "$mnt/.linkfs/log/bad"
done
printf '%s\n' "--chdir=\"$PWD\"" one.o -e main --linkfs-lto=check:1 >"$mnt/.linkfs/links/bad"
expect_error 'Input/output error' cat "$mnt/bad"
has 'changed while' "$mnt/.linkfs/log/bad"

# ^C while the compiler works: it goes with the linker, and what stood there stays.
printf '#!/bin/sh\necho $$ >pid.new\nmv pid.new pid\nexec sleep 100\n' >wrapper
LINKFS_MODE=mount TMPDIR=$PWD/temp timeout 40 env --default-signal=INT "$ld" -plugin "$plugin" -plugin-opt="$PWD/wrapper" \
	-plugin-opt=-fresolution=x.res lto.o -e main -o prog 2>said &
linker=$!
await test -e pid
kill -INT "$(cat "/proc/$linker/task/$linker/children")"
wait "$linker" 2>/dev/null && fail "SIGINT did not end the linker"
! kill -0 "$(cat pid)" 2>/dev/null || fail "the compiler works on"
equal "$(ls temp)" "" "temporary files were left"
says ./prog one
nothing_beside .
