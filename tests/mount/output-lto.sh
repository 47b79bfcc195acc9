#!/bin/sh
# Link-time optimisation on the mount: the compiler's plugin runs in ld.linkfs, and what it yields, deleted right after, is
# linked in the place of what it compiled: the same bytes as in file mode, also after the linker process died.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
case $(gcc -print-file-name=liblto_plugin.so) in /*) ;; *) skip "liblto_plugin.so is not installed" ;; esac

cat >m.c <<'X'
#include <stdio.h>
int f(int); int from_native(int); char big[5 << 20] = "x";
int called(int x) { return x + 1; }
int main(int c, char **v) { (void)v; printf("%d %d %c\n", f(c), from_native(c), big[0]); return 0; }
X
echo 'static int twice(int x) { return 2 * x; } int f(int x) { return twice(x) + 5; }' >f.c
echo 'int called(int); int from_native(int x) { return called(x) * 10; }' >n.c
gcc -flto -O1 -c m.c f.c
gcc -O1 -fPIC -c n.c
gcc-ar rc f.a f.o
mkdir temp
TMPDIR=$PWD/temp
export TMPDIR
start_mount settle=never
link -flto -O1 m.o n.o f.a -o prog -Wl,--dependency-file=deps -Wl,-Map=map
on_mount prog
equal "$(ls temp)" "" "temporary files were left"
says ./prog "7 20 x"
link_file -flto -O1 m.o n.o f.a -o prog.file -Wl,--dependency-file=deps.file -Wl,-Map=map.file
mv prog.file prog.copy
link_file -flto -O1 m.o n.o f.a -o prog.file
cmp prog.copy prog.file || skip "this compiler's code is another one each time"
same_bytes prog prog.file
has ' m\.o' deps
sed 's/prog\.file/prog/' deps.file | cmp - deps || fail "the dependency files differ"
sed 's/prog\.file/prog/' map.file | cmp - map || fail "the maps differ"

# The inputs are the intermediate code: older than the output, and its change is another output.
for input in m.o f.a n.o; do
	[ "$(stat -Lc %Y prog)" -ge "$(stat -c %Y $input)" ] || fail "prog is older than $input"
done
has 'prog\.ltrans0\.o' "$mnt/.linkfs/map$PWD/prog"
[ "$(info_of "${PWD#/}/prog" state)" = ok ] || fail "its state: $(info_of "${PWD#/}/prog" state)"

# A library and a program of it, both on the mount.
gcc -flto -O1 -fPIC -c f.c -o lib_f.o
link -flto -shared lib_f.o n.o -Wl,-z,lazy -o libf.so
on_mount libf.so
link -flto -O1 m.o -L. -lf -Wl,-rpath,"$PWD" -o with_lib
says ./with_lib "7 20 x"

# A new linker process makes the rest from what is held: nothing was deleted for it.
link -flto -O1 m.o n.o f.a -o cold
kill -9 "$(stat_of worker_pid)"
same_bytes cold prog.file
rm -f m.o f.o f.a n.o
link_fails 'm\.o' -flto m.o n.o f.a -o prog
same_bytes prog prog.file
