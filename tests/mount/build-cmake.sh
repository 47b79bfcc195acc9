#!/bin/sh
# A CMake project on the mount, with try_compile, a versioned shared library and copies after the build: build, do nothing,
# edit, test, install, clean.
# NEEDS: gcc cmake ninja readelf linker
rounds=3
. "$(dirname "$0")/lib-build.sh"
prog=build/prog big=build/big links=3
describe() {
	cat >CMakeLists.txt <<-'END2'
		cmake_minimum_required(VERSION 3.20)
		project(both C)
		include(CTest)
		include(GNUInstallDirs)
		include(CheckFunctionExists)
		check_function_exists(puts HAVE_PUTS)
		if(NOT HAVE_PUTS)
			message(FATAL_ERROR "try_compile finds no puts")
		endif()
		add_library(answer SHARED answer.c)
		set_target_properties(answer PROPERTIES VERSION 1.2.3 SOVERSION 1)
		add_executable(prog main.c)
		target_link_libraries(prog answer)
		set_target_properties(prog PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
		add_executable(big big.c)
		add_custom_command(TARGET big POST_BUILD COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:big> copied)
		add_test(NAME prog COMMAND prog)
		add_test(NAME big COMMAND big)
		install(TARGETS prog big answer)
	END2
}
configure() {
	run cmake -G Ninja -S . -B build -DCMAKE_C_COMPILER=gcc -DCMAKE_INSTALL_PREFIX=/usr \
		-DCMAKE_EXE_LINKER_FLAGS="-B$ld_dir/" -DCMAKE_SHARED_LINKER_FLAGS="-B$ld_dir/"
}
build() { run cmake --build build -j2; }
is_done() { run cmake --build build | grep 'no work to do'; }
test_it() { run ctest --test-dir build && run ./build/copied; }
# What is installed is copied as it stands: a tree that is still on the mount is made plain first.
install_to() {
	run "$linkfs" materialize build
	DESTDIR=$1 run cmake --install build
	DESTDIR=$1.stripped run cmake --install build --strip
}
clean() {
	run cmake --build build --target clean
	rm -f build/copied
}
go_through
