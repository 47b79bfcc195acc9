#!/bin/sh
# Names of temporary files are in no output, link map or dependency file, and the files are gone; two links are equal.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "their maps name them"

cat >a.c <<'X'
#include <stdio.h>
int f(int);
static int s(int x) { return x + 1; }
int main(int c, char **v) { (void)v; return printf("%d\n", s(f(c))) < 0; }
X
echo 'static int s(int x) { return x + 2; } int f(int x) { return s(x) * 2; }' >b.c
gcc -flto -g -O1 -c a.c b.c
mkdir temp
TMPDIR=$PWD/temp
export TMPDIR
for i in 1 2; do
	cc -flto -flto-partition=max -g -O1 a.o b.o -o prog -Wl,-Map=map -Wl,--dependency-file=deps
	equal "$(ls temp)" "" "temporary files were left"
	run_is 7 ./prog
	check_elf prog
	for f in prog map deps; do
		mv "$f" "$f.$i"
		strings -a "$f.$i" >text
		hasnt "$PWD/temp|/cc[A-Za-z0-9]{6}\." text
	done
done
same prog.1 prog.2
same map.1 map.2
has '^ *prog\.ltrans0\.o|prog\.ltrans0\.o:' map.1
has ' a\.o' deps.1
has ' b\.o' deps.1
hasnt 'ltrans' deps.1
readelf -SW prog.1 >s
has '\.debug_info' s
hasnt '\.gnu\.(lto|debuglto)' s
