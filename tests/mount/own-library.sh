#!/bin/sh
# A shared library that is an output of the mount is an input of another link: by its symbolic link, its ID, or -l; also
# after a crash of the linker process, and without its bytes being made.
# NEEDS: linker gcc
. "$(dirname "$0")/lib.sh"

unset LINKFS_MODE
start_mount settle=never
cc() { gcc -B"$LINKFS_BUILD/libexec/linkfs" "$@"; }

mkdir lib
cat >foo.c <<'END'
const char bulk[6 << 20] = { 7 };
int foo(void) { return bulk[0]; }
END
cat >main.c <<'END'
int foo(void);
int main(void) { return foo() != 7; }
END
gcc -fPIC -O1 -c foo.c
gcc -c main.c
cc -shared -Wl,-soname,libfoo.so.1 foo.o -o lib/libfoo.so.1
ln -s libfoo.so.1 lib/libfoo.so
[ -L lib/libfoo.so.1 ] || fail "the library is no output of the mount"

cc main.o -Llib -lfoo -Wl,-rpath,"$PWD/lib" -o by-name
LINKFS_MODE="file" cc main.o -Llib -lfoo -Wl,-rpath,"$PWD/lib" -o want
cmp by-name want || fail "another program than in file mode"
LD_BIND_NOW=1 ./by-name || fail "it does not run"

cc main.o "$(readlink lib/libfoo.so.1)" -o by-id
readelf -d by-id | grep -q 'NEEDED.*libfoo.so.1' || fail "by its ID"

kill -9 "$(stat_of worker_pid)"
cc main.o -Llib -lfoo -Wl,-rpath,"$PWD/lib" -o after-crash
cmp after-crash want || fail "another program after a crash"

# A live link of it is fresh until there is another library.
add_linked live gcc main.o lib/libfoo.so.1 -o live
links_well live
"$mnt/live" || LD_LIBRARY_PATH=$PWD/lib "$mnt/live" || fail "the live link does not run"
made=$(info_of live generation)
equal "$(info_of live generation)" "$made" "relinked for nothing"
printf 'int bar(void) { return 1; }\n' >>foo.c && gcc -fPIC -O1 -c foo.c
cc -shared -Wl,-soname,libfoo.so.1 foo.o -o lib/libfoo.so.1
[ "$(info_of live generation)" != "$made" ] || fail "not relinked for another library"
