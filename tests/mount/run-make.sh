#!/bin/sh
# linkfs run with make and ninja: projects that name their linkers, by flags and by paths, one relocatable link and a linker
# script among them; a build that fails; nothing to do afterwards; a tree of plain files after umount.
# NEEDS: gcc make ld.bfd readelf linker
. "$(dirname "$0")/lib-run.sh"
big_object big one
makes one
echo 'int answer(void) { return 42; }' >answer.c
echo 'SECTIONS { . = 0x400000; .text : { *(.text*) } .rest : { *(.rodata* .data* .eh_frame) } }' >script
printf '.globl _start\n_start: mov $60, %%eax; xor %%edi, %%edi; syscall\n' >bare.s
cat >Makefile <<'END2'
LD = ld
all: big small direct absolute bare libanswer.so
big: big.o
	gcc -o $@ big.o
small: whole.o
	gcc -fuse-ld=bfd -o $@.tmp whole.o && mv $@.tmp $@
whole.o: one.o answer.o
	$(LD) -r -o $@ one.o answer.o
direct: bare.o
	$(LD) -o $@ bare.o
absolute: bare.o
	/usr/bin/ld -o $@ bare.o
bare: bare.o script
	$(LD) -T script -o $@ bare.o
libanswer.so: answer.o
	gcc -shared -o $@ answer.o
answer.o: CFLAGS = -fPIC
broken: one.o
	gcc -o $@ one.o -lno-such-library
END2
[ -x /usr/bin/ld ] || skip "there is no /usr/bin/ld"
lrun make -s -j2 all >said 2>&1 || { cat said >&2; fail "make"; }
[ ! -s said ] || { cat said >&2; fail "something is said"; }
on_mount big
linked_by linkfs big small direct absolute libanswer.so
linked_by ld bare
says ./big one
says ./small one
run ./bare
lrun make -q all || fail "there is something to do"
status=0
lrun make broken >said 2>&1 || status=$?
equal $status 2 "the status of a build that fails"
has 'unable to find library -lno-such-library' said
! grep -q 'made by' said || fail "another linker was asked"

if command -v ninja >/dev/null; then
	mkdir out
	printf 'rule link\n  command = gcc @$out.rsp -o $out\n  rspfile = $out.rsp\n  rspfile_content = $in\n' >build.ninja
	printf 'build out/big: link big.o\nbuild out/one: link one.o\n' >>build.ninja
	lrun ninja >said 2>&1 || { cat said >&2; fail "ninja"; }
	on_mount out/big
	linked_by linkfs out/big out/one
	lrun ninja | grep -q 'no work to do' || fail "there is something to do"
fi
stop_mount
left=$(find . -type l)
[ -z "$left" ] || fail "still symbolic links: $left"
make -q all || fail "after umount there is something to do"
says ./big one
