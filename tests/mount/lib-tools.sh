# shellcheck shell=sh
# lib-tools.sh: what the tests of tools on outputs share, on top of lib-output.sh, which it sources. The same program is
# three files named prog: plain/prog by file mode, out/prog as a build has it, and $mnt/prog, a live link. What a tool says
# of the first, or makes of it, it says of the others: cold, where no byte of them is made, and warm, where the kernel has
# all of them.

. "${lib_dir:-$(dirname "$0")}/lib-output.sh"
HOME=$T # some of them keep things there
export HOME
mkdir plain out
absent=

# have TOOL: it is installed. all_there ends a test: what is not makes it one that was skipped in part.
have() {
	command -v "$1" >/dev/null 2>&1 && return 0
	case " $absent " in
	*" $1 "*) ;;
	*) absent="$absent $1" ;;
	esac
	return 1
}

all_there() {
	[ -z "$absent" ] || skip "all else was looked at, but not installed:$absent"
}

# A program of two objects with debug information, too big to be a plain file at once.
cat >inner.c <<'END'
int inner(int value)
{
	int doubled = value * 2;
	return doubled;
}
END
cat >main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
char data[5 << 20] = "data", beyond[1 << 16];
int inner(int);
static int outer(int x)
{
	return inner(x + 1);
}
int main(int argc, char **argv)
{
	long sum = 0, rounds = argc > 1 ? atol(argv[1]) : 1;
	for (long i = 0; i < rounds; i++)
		sum += outer(20 * argc);
	printf("%s %ld\n", data, sum);
	return fflush(stdout);
}
END
objects="main.o inner.o"

# three_programs [ARG...]: compiled with these arguments; sets the mount up.
three_programs() {
	gcc -g "$@" -c main.c inner.c || fail "compiling"
	link_file $objects -o plain/prog || fail "linking plain/prog"
	start_mount settle=never
	"$lib_dir/../../mnt-scripts/ld-args.sh" "$T/args" gcc $objects -o plain/prog || fail "what would gcc link"
	{ echo "--chdir=\"$PWD\""; cat "$T/args"; } >recipe
}

# cold, warm: the state of out/prog and $mnt/prog.
cold() {
	rm -f out/prog "$mnt/.linkfs/links/prog"
	link $objects -o out/prog || fail "linking out/prog"
	on_mount out/prog
	cat recipe >"$mnt/.linkfs/links/prog"
	for cold_name in "$PWD/out/prog" prog; do
		equal "$(info_of "$cold_name" filled_bytes)" 0 "bytes of $cold_name made before anybody reads it"
	done
}

warm() {
	cat out/prog "$mnt/prog" >/dev/null
	equal "$(info_of "$PWD/out/prog" filled_bytes)" "$(stat -c %s plain/prog)" "bytes made after all were read"
}

# same_answer COMMAND ARG...: it says the same in all three folders, but for where in memory ldd finds libraries.
answer() {	# DIR COMMAND ARG...
	(cd "$1" && shift && run "$@") >answer 2>&1 || { cat answer >&2; fail "in $*"; }
	sed 's/ (0x[0-9a-f]*)$//' answer
}

same_answer() {
	have "$1" || return 0
	answer plain "$@" >want
	cold
	for dir in out "$mnt" warm; do
		[ $dir != warm ] || { warm && dir=out; }
		answer "$dir" "$@" >got
		cmp -s got want || { diff want got | head -n 20 >&2; fail "another answer in $dir: $*"; }
	done
}

# debug DIR COMMAND...: gdb on prog there; what it says is gdb.out.
debug() {
	debug_dir=$1
	shift
	{
		echo 'set debuginfod enabled off'
		echo "source $lib_dir/../../mnt-scripts/linkfs-gdb.py"
		printf '%s\n' "$@"
	} >commands
	(cd "$debug_dir" && run gdb -nx --batch -x "$T/work/commands" ./prog) >gdb.out 2>&1 </dev/null && return 0
	if grep -q 'ptrace: Operation not permitted' gdb.out; then skip "ptrace is not permitted"; fi
	cat gdb.out >&2
	fail "gdb in $debug_dir"
}

# backtrace_in FILE: of the program as three_programs made it, stopped in inner.c:4.
backtrace_in() {
	has '#0 +inner \(value=21\) at .*inner\.c:4' "$1"
	has '#1 .* outer \(x=20\) at .*main\.c:7' "$1"
	has '#2 .* main \(argc=1, argv=.*\) at .*main\.c:13' "$1"
}

# edit makes another program, with what gdb is to stop at in another line and at another address, and links it.
cat >edit <<END
set -e
{ echo 'int before(int x) { return x + 1; }'; sed 's/\* 2/* 3/' "$T/inner.c"; } >inner.c
gcc -g -c inner.c
gcc -B"$ld_dir/" $objects -o out/prog
END
cp inner.c "$T/inner.c"
