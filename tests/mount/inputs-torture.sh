#!/bin/sh
# Programs whose text is still cold, while their inputs are overwritten, cut, appended to, replaced, deleted, `ar r`-ed,
# stripped and touched, and the linker process is killed: every byte is the one file mode makes, and the programs run on.
# LINKFS_TORTURE_SECONDS: for how long (15).
# NEEDS: gcc ar strip touch python3 linker
: "${LINKFS_TORTURE_SECONDS:=15}"
LINKFS_TEST_PATIENCE=$((LINKFS_TORTURE_SECONDS * 2 + 200))
. "$(dirname "$0")/lib.sh"
cat >gen.py <<'END_PY'
import sys
unit, cnt = sys.argv[1], int(sys.argv[2])
print("extern volatile unsigned seed;")
for i in range(cnt):
    table = ",".join(str((i * 7919 + k * 104729 + len(unit)) % 65521) for k in range(64))
    print(f"static const unsigned t_{unit}_{i}[] = {{{table}}};")
    print(f"__attribute__((noinline)) unsigned f_{unit}_{i}(unsigned x) {{")
    for k in range(0, 64, 4):
        print(f"x = x * 31 + t_{unit}_{i}[(x + {k}) % 64 + seed]; x ^= x >> {k % 13 + 1};")
    print("return x; }")
calls = "".join(f"x = f_{unit}_{i}(x);" for i in range(cnt))
print(f"unsigned run_{unit}(unsigned x) {{ {calls} return x; }}")
END_PY
units="a b c d"
members="m0 m1 m2 m3 m4 m5 m6 m7"
mkdir pristine inputs
for unit in $units $members; do
	python3 gen.py "$unit" 60 >"$unit.c"
	gcc -g -c "$unit.c" -o "pristine/$unit.o" || fail "compiling"
done
{
	echo '#include <stdio.h>'
	echo 'volatile unsigned seed;'
	for unit in $units $members; do echo "unsigned run_$unit(unsigned);"; done
	echo 'int main(void) { unsigned x = 1; puts("up"); fflush(stdout); getchar();'
	for unit in $units $members; do echo "x = run_$unit(x);"; done
	echo 'printf("%08x.", x); return 0; }'
} >main.c
gcc -g -c main.c -o pristine/main.o || fail "compiling"
for unit in $members; do set -- "$@" "pristine/$unit.o"; done
ar rcs pristine/lib.a "$@"
cp pristine/main.o pristine/a.o pristine/b.o pristine/c.o pristine/d.o pristine/lib.a inputs
cd inputs || exit
objects="main.o a.o b.o c.o d.o lib.a"
# shellcheck disable=SC2086 # a list
for kind in dynamic static; do
	[ $kind = dynamic ] && how=-no-pie || how=-static
	gcc -B"$LINKFS_BUILD/libexec/linkfs" $how $objects -o "../$kind.file" || fail "file mode"
done
start_mount cache_size=4M # so that much is made again and again
# shellcheck disable=SC2086 # a list
add_linked dynamic gcc -no-pie $objects -o dynamic
# shellcheck disable=SC2086 # a list
add_linked static gcc -static $objects -o static
cd .. || exit
links_well dynamic
links_well static
seed=${LINKFS_TEST_SEED:-$$}
timeout -k 10 $((LINKFS_TORTURE_SECONDS + 150)) python3 "$lib_dir/inputs_torture.py" "$mnt" "$LINKFS_TORTURE_SECONDS" "$seed" ||
	{ cat "$mnt/.linkfs/log/dynamic" "$mnt/.linkfs/log/static" >&2; cat "$mnt/.linkfs/stats" >&2; fail "seed $seed"; }
[ "$(stat_of lease_breaks)" -gt 0 ] || fail "no lease was broken"
