# shellcheck shell=sh
# lib-start.sh: a program whose start reads a part of it. Sourced after lib.sh.

# start_code CNT CONDITION: code.o, CNT functions of a page each, of which main calls number i where awk finds CONDITION true.
start_code() {
	awk -v cnt="$1" 'BEGIN {
		for (i = 0; i < cnt; i++) {
			printf "\t.globl f%d\n\t.text\n\t.balign 4096\nf%d:\tret\n\t.fill 3000, 1, 0x90\n", i, i
			if ('"$2"') calls = calls "\tcall f" i "\n"
		}
		print "\t.globl main\nmain:\tpush %rbx\n" calls "\txor %eax, %eax\n\tpop %rbx\n\tret"
		print "\t.section .note.GNU-stack,\"\",@progbits"
	}' >code.s
	gcc -c code.s
}

# edit: edited.o, another one each time.
turn=0
edit() {
	turn=$((turn + 1))
	echo "int answer[20] = {$turn};" >edited.c && gcc -c edited.c -o new.o && mv new.o edited.o
}
