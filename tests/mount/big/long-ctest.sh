#!/bin/sh
# ctest runs tests that are outputs nobody has read yet, several at a time; again, when they are all in memory; tells which
# fails after an edit, and reruns that one.
# NEEDS: linker gcc cmake ctest ninja
: "${LINKFS_TEST_PATIENCE:=300}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.20)
project(tests C)
enable_testing()
add_library(answer SHARED answer.c)
foreach(i RANGE 1 30)
	add_executable(test${i} main.c)
	target_compile_definitions(test${i} PRIVATE NUMBER=${i})
	target_link_libraries(test${i} answer)
	add_test(NAME test${i} COMMAND test${i} ${i})
	set_tests_properties(test${i} PROPERTIES PASS_REGULAR_EXPRESSION "^test ${i} of 42\n$")
endforeach()
add_test(NAME memory COMMAND $<TARGET_FILE:test1> 2)
set_tests_properties(memory PROPERTIES WILL_FAIL TRUE)
END
echo 'int answer(void) { return 42; }' >answer.c
cat >main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
char data[5 << 20] = "of";
int answer(void);
int main(int argc, char **argv)
{
	if (argc != 2 || atoi(argv[1]) != NUMBER)
		return 1;
	printf("test %d %s %d\n", NUMBER, data, answer());
	return 0;
}
END
start_mount settle=never
build() {
	run cmake --build build -j2 >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "building"; }
}
run cmake -G Ninja -S . -B build -DCMAKE_C_COMPILER=gcc -DCMAKE_EXE_LINKER_FLAGS="-B$ld_dir/" \
	-DCMAKE_SHARED_LINKER_FLAGS="-B$ld_dir/" >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "configuring"; }
build
for i in 1 30; do
	on_mount build/test$i
	equal "$(info_of "$PWD/build/test$i" filled_bytes)" 0 "bytes made before a test runs"
done
for state in cold warm; do
	[ $state = cold ] || cat build/test* >/dev/null
	run ctest --test-dir build -j4 --timeout 30 >out 2>&1 || { cat out >&2; fail "ctest, $state"; }
	has '100% tests passed, 0 tests failed out of 31' out
	[ $state = warm ] || [ "$(info_of "$PWD/build/test1" filled_bytes)" -lt 2000000 ] || fail "a test made all of its program"
done

sed -i 's/NUMBER, data/NUMBER == 7 ? 8 : NUMBER, data/' main.c
build
expect_error . sh -c 'ctest --test-dir build -j4 --timeout 30 >out 2>&1 || { echo failed >&2; exit 8; }'
equal "$status" 8 "what ctest exits with"
has '97% tests passed, 1 tests failed out of 31' out
has '7 - test7 \(Failed\)' out
sed -i 's/NUMBER == 7 ? 8 : //' main.c
build
run ctest --test-dir build --rerun-failed >out 2>&1 || { cat out >&2; fail "the one that failed, mended"; }
has '100% tests passed, 0 tests failed out of 1' out
