#!/bin/sh
# What indexes a project (clangd, ctags, gtags) finds the same where its build folder is full of outputs, follows symbolic
# links to them or not, and has few of their bytes made.
# NEEDS: linker gcc cmake ninja
: "${LINKFS_TEST_PATIENCE:=300}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
HOME=$T
export HOME
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(indexed C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_EXE_LINKER_FLAGS "${LINKER}")
foreach(i RANGE 1 20)
	file(WRITE ${CMAKE_BINARY_DIR}/source${i}.c "#include \"shared.h\"\nint function${i}(void) { return SHARED + ${i}; }\n"
		"char data[5 << 20] = \"data\";\nint main(void) { return function${i}() != SHARED + ${i}; }\n")
	add_executable(prog${i} ${CMAKE_BINARY_DIR}/source${i}.c)
	target_include_directories(prog${i} PRIVATE ${CMAKE_SOURCE_DIR})
endforeach()
END
echo '#define SHARED 42' >shared.h
start_mount settle=never
for dir in plain out; do
	linker=-B$ld_dir/
	[ $dir = out ] || linker=-fuse-ld=bfd
	run cmake -G Ninja -S . -B $dir -DCMAKE_C_COMPILER=gcc -DLINKER="$linker" >log 2>&1 || { cat log >&2; fail "configuring"; }
	run cmake --build $dir -j2 >log 2>&1 || { cat log >&2; fail "building"; }
done
on_mount out/prog1
plain plain/prog1

# indexed PERCENT COMMAND: it finds the same where the outputs are on the mount, cold and warm, and has at most that share
# of them made.
absent=
indexed() {
	if ! command -v "${2%% *}" >/dev/null 2>&1; then
		absent="$absent ${2%% *}"
		return 0
	fi
	(cd plain && run sh -ec "$2") >want 2>want.err || { cat want.err >&2; fail "in plain: $2"; }
	[ -s want ] || fail "finds nothing: $2"
	for state in cold warm; do
		[ $state = warm ] || { rm -f out/prog* && run cmake --build out -j2 >log; }
		[ $state = cold ] || cat out/prog* >/dev/null
		before=$(stat_of filled_bytes)
		(cd out && run sh -ec "$2") >got 2>got.err || { cat got.err >&2; fail "$state: $2"; }
		cmp -s want got || { diff want got | head >&2; fail "another answer, $state: $2"; }
		made=$((($(stat_of filled_bytes) - before) * 100 / (20 * $(stat -c %s plain/prog1))))
		echo "$state: $made % made by: $2"
		[ $made -le "$1" ] || fail "$made % of the outputs made, $state: $2"
	done
}
# ctags reads what has no suffix to the end of its first line, which is nearly all of these.
indexed 100 'ctags -R --links=yes --sort=yes --exclude=CMakeFiles --exclude="*.json" -f- .'
indexed 0 'gtags && global -x "function.*"'
indexed 0 'clangd --check=source7.c --compile-commands-dir=. 2>&1 | grep -o "All checks completed, 0 errors"'

# clangd as an editor starts it: one file is opened, all are indexed in the background, and a symbol of another is found.
message() {
	printf 'Content-Length: %d\r\n\r\n%s' ${#1} "$1"
}
answers() { grep -aqF "$1" answers; }
if command -v clangd >/dev/null 2>&1; then
	rm -f out/prog* && run cmake --build out -j2 >log
	before=$(stat_of filled_bytes)
	mkfifo requests
	clangd --background-index --compile-commands-dir=out <requests >answers 2>clangd.err &
	at_exit="kill $!"
	exec 4>requests
	message '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"rootUri":"file://'"$PWD"'","capabilities":{}}}' >&4
	message '{"jsonrpc":"2.0","method":"initialized","params":{}}' >&4
	message '{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file://'"$PWD"'/out/source1.c",
		"languageId":"c","version":1,"text":"int opened;\n"}}}' >&4
	has_indexed() { [ "$(find out .cache -name '*.idx' 2>/dev/null | wc -l)" -ge 20 ]; }
	for _ in 1 2 3 4 5 6; do ! wait_until has_indexed || break; done
	has_indexed || { tail clangd.err >&2; fail "clangd has indexed $(find . -name '*.idx' | wc -l) files of 20"; }
	# What is written is not known yet to who answers: asked until it is.
	asked=1
	finds() {
		asked=$((asked + 1))
		message '{"jsonrpc":"2.0","id":'$asked',"method":"workspace/symbol","params":{"query":"function13"}}' >&4
		answers 'out/source13.c'
	}
	for _ in 1 2 3 4 5 6; do ! wait_until finds || break; done
	finds || { tail clangd.err >&2; fail "clangd finds no function of another file"; }
	exec 4>&-
	equal "$(stat_of filled_bytes)" "$before" "bytes made for clangd"
fi
[ -z "$absent" ] || skip "all else was looked at, but not installed:$absent"
