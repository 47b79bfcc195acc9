#!/bin/sh
# gdb breaks on a line, shows arguments and a backtrace over two objects, in a PIE and a static program.
# NEEDS: cc gdb static
. "$(dirname "$0")/lib.sh"

cat >inner.c <<'END'
int inner(int value)
{
	int doubled = value * 2;
	return doubled;
}
END
cat >m.c <<'END'
int inner(int);
static int outer(int x) { return inner(x + 1); }
int main(void) { return outer(20) - 42; }
END
cc -g -O0 -fPIE -c inner.c m.c
for mode in -pie -no-pie -static; do
	cc $mode inner.o m.o -o m
	gdb -nx --batch -ex 'set debuginfod enabled off' -ex 'break inner.c:4' -ex run -ex 'print doubled' -ex bt ./m \
		>out 2>&1 || :
	grep -q 'ptrace: Operation not permitted' out && skip "ptrace is not permitted"
	has '\$1 = 42' out
	has '#0 +inner \(value=21\) at .*inner\.c:4' out
	has '#1 .* outer \(x=20\) at .*m\.c:2' out
	has '#2 .* main \(\) at .*m\.c:3' out
done
