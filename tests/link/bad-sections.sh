#!/bin/sh
# Odd sections: names that the linker uses itself, ties to what is dropped, sizes beyond any memory.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "their limits are others"

start='	.globl _start
_start:	ret
'
# The names of sections are the linker's own table, whatever else is called so.
printf '%s\t.section .shstrtab,"",@strtab\n\t.ascii "%0200d"\n' "$start" 0 >names.s
gcc -c -Wa,--no-warn names.s
"$LD" -o names names.o
readelf -SW names >readelf.out 2>&1
hasnt 'Warning|Error' readelf.out
equal "$(section names .text type)" PROGBITS "the sections have lost their names"

# Tied to a live section, but excluded: waiting for it to live must end.
printf '%s\t.section .tied,"aoe",@progbits,.text\n\t.long 1\n' "$start" >tied.s
gcc -c tied.s
timeout 30 "$LD" --gc-sections -o tied tied.o || fail "--gc-sections does not end"

# A reference to what is no part of the output.
printf '%s\t.quad .Lnote\n\t.section .note.GNU-stack,"",@progbits\n.Lnote:\n' "$start" >note.s
gcc -c note.s
expect_error 'note\.o:\(\.text\+0x1\): .* refers to a section that is no part of the output' "$LD" -o note note.o

# Sizes: each is possible, their sum or their place is not.
printf '%s\t.section .tbss,"awT",@nobits\n\t.zero 0x800000000000\n' "$start" >tbss.s
printf '%s\t.bss\n\t.zero 0x800000000000\n' "$start" >bss.s
printf '%s\t.comm c, 0xfffffffffffffff8, 8\n\t.comm d, 16, 8\n' "$start" >common.s
printf '%s\t.section .data.big,"aw",@nobits\n\t.zero 0x300000000000\n\t.data\n\t.long 1\n' "$start" >file.s
gcc -c -Wa,--no-warn tbss.s bss.s common.s file.s
expect_error '\.tbss: the output section is larger than an address space' "$LD" -o big tbss.o
expect_error '\.bss: the output section is larger than an address space' "$LD" -o big bss.o
expect_error 'common\.o: common symbol c: ' "$LD" -o big common.o
expect_error 'big: cannot write the output: ' "$LD" -o big file.o
[ ! -e big ] || fail "an output was left behind"
[ -z "$(ls -A | grep linkfs- || :)" ] || fail "a temporary file was left behind"

# Nothing that would be loaded: headers alone.
printf '\t.section .comment,"MS",@progbits,1\n\t.asciz "empty"\n' >empty.s
gcc -c empty.s
strip --strip-all -R .text -R .data -R .bss empty.o
"$LD" -static --build-id=none -o empty empty.o
readelf -lW empty >readelf.out 2>&1
has 'LOAD' readelf.out

# Writable, named as what RELRO protects or for threads, but not loaded: no segment is counted on.
for section in '.jcr,"w",@progbits' '.jcr,"w",@nobits' '.threads,"wT",@nobits'; do
	printf '%s\t.section %s\n\t.zero 4\n' "$start" "$section" >unloaded.s
	gcc -c -Wa,--no-warn unloaded.s
	"$LD" -static -o unloaded unloaded.o || fail "$section"
	readelf -lW unloaded >readelf.out 2>&1
	hasnt 'GNU_RELRO|TLS' readelf.out
done
