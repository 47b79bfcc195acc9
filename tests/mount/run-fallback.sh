#!/bin/sh
# Below linkfs run, what ld.linkfs refuses is made by the linker that was asked for, and told; elsewhere it is an error.
# An error in the link itself is an error everywhere.
# NEEDS: gcc ld.bfd readelf linker
. "$(dirname "$0")/lib-run.sh"
start_mount settle=never
makes one
echo 'int two(void) { return 2; }' >two.c
gcc -c two.c
export LINKFS_VERBOSE=1

# falls_back LINKER ERE OUTPUT COMMAND...: it works, by that linker, and the reason is told.
falls_back() {
	by=$1 ere=$2 out=$3
	shift 3
	rm -f "$out"
	lrun "$@" 2>said || { cat said >&2; fail "status $?: $*"; }
	[ -s "$out" ] || fail "there is no $out"
	has "made by .*$by: .*($ere)" said
}

falls_back /ld '-r ' both.o gcc -r one.o two.o -o both.o
has 'made by .*/ld: -r' "$mnt/.linkfs/info$PWD/both.o"
lrun gcc both.o -o both 2>said
linked_by linkfs both
says ./both one
echo 'SECTIONS { . = 0x400000; .text : { *(.text*) } .rest : { *(.rodata* .data* .eh_frame) } }' >script
printf '.globl _start\n_start: mov $60, %%eax; xor %%edi, %%edi; syscall\n' >bare.s
printf '.globl _start\n_start: nop\n' >bare32.s
falls_back /ld 'linker script' bare gcc -nostdlib -static -Wl,-T,script bare.s -o bare
run ./bare
falls_back /ld 'SECTIONS: this linker script command' bare gcc -nostdlib -static bare.s "$PWD/script" -o bare
as --32 -o bare32.o bare32.s
falls_back /ld 'unknown emulation' other ld -m elf_i386 bare32.o -o other
falls_back /ld 'no-such-thing|unknown option|not supported' odd gcc -Wl,--print-memory-usage one.o -o odd
if command -v ld.lld >/dev/null; then
	if command -v clang >/dev/null; then # LLD reads bitcode without a plugin
		clang -flto -fPIC -c two.c -o ir.o
		falls_back /ld.lld 'tells the CPU' ir.so ld.lld -shared ir.o -o ir.so
	fi
	falls_back /ld.lld '--icf' icf gcc -fuse-ld=lld -Wl,--icf=all one.o -o icf
	linked_by LLD icf
fi

echo '-r one.o two.o -o both.o' >nested
echo @nested >response
falls_back /ld '-r ' both.o ld @response
has '^linkfs: both.o: made by' said

# The other linker's own errors and status are passed on.
status=0
lrun ld --frobnicate one.o 2>said || status=$?
[ $status = 1 ] || fail "status $status"
has 'made by .*/ld: --frobnicate: unknown option' said
has 'unrecognized option .--frobnicate' said

# Where one link is wrong, nobody else is asked.
expect_error 'undefined symbol: three' "$linkfs" run -- sh -c 'echo "int three(void); int main(void) { return three(); }" >three.c &&
	gcc three.c -o three'
! grep -q 'made by' "$T/err" || fail "another linker was asked for a link that is wrong"
expect_error 'undefined symbol: three' "$linkfs" run --linkfs=file -- gcc three.c -o three

# Mount mode is strict; file mode does without a mount; outside linkfs run it is an error.
expect_error 'linkfs=mount: .*neither an executable' "$linkfs" run --linkfs=mount -- gcc -r one.o two.o -o both.o
lrun_file() { run "$linkfs" run --linkfs=file -- "$@"; }
lrun_file gcc -r one.o two.o -o both.o
link_fails '-r .*not supported' -r one.o two.o -o both.o
# Without another linker of that name in PATH the refusal stands.
mkdir empty
expect_error 'no other linker of that name' "$linkfs" run -- env LD_PRELOAD= PATH="$PWD/empty" "$ld_dir/run/ld" -r one.o -o both.o
# A build that was configured under linkfs run has such a name in its files.
env PATH=/usr/bin:/bin "$ld_dir/run/ld" -r one.o two.o -o both.o 2>said
has 'made by .*/ld: -r' said
# Two of them, one below the other: neither takes the other for another linker.
mkdir -p elsewhere/bin elsewhere/libexec/linkfs/run
cp "$LINKFS_BUILD/bin/ld.linkfs" elsewhere/bin
ln -s ../../../bin/ld.linkfs elsewhere/libexec/linkfs/run/ld
rm both.o
run env PATH="$PWD/elsewhere/libexec/linkfs/run:$ld_dir/run:/usr/bin:/bin" "$ld_dir/run/ld" -r one.o two.o -o both.o \
	2>said || fail "status $?: $(tail -n 2 said)"
has 'made by /usr/bin/ld: -r' said
[ -s both.o ] || fail "there is no both.o"
