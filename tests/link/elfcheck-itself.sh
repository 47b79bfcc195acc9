#!/bin/sh
# elfcheck.py, which check_elf relies on, accepts GNU ld's output and finds damage done to each table it walks.
# NEEDS: cc bfd python3
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
extern int out;
int *p = &out;
int f(void) { return out; }
int g(void) { return f(); }
int h(void) { return g(); }
END
bfd_cc -O0 -fPIC -shared l.c -Wl,--hash-style=both -o good.so
"$python3" "$lib_dir/elfcheck.py" good.so
damage() {	# section, offset in it, byte (octal), what must be said
	cp good.so bad.so
	off=$((0x$(section good.so "$1" off) + $2))
	printf "\\$3" | dd of=bad.so bs=1 seek=$off conv=notrunc 2>/dev/null
	if "$python3" "$lib_dir/elfcheck.py" bad.so >said; then fail "damage in $1 at $2 is not found"; fi
	has "$4" said
}
size() { echo $((0x$(section good.so "$1" size))); }
damage .gnu.hash $(($(size .gnu.hash) - 4)) 252 'DT_GNU_HASH does not find'
damage .gnu.hash 4 1 'DT_GNU_HASH|before the hashed'
damage .hash 4 1 'chains for'
damage .eh_frame_hdr 12 377 'eh_frame_hdr'
damage .eh_frame_hdr 8 1 'entries for'
damage .rela.dyn 8 0 'R_NONE'
damage .rela.dyn 3 377 'dynamic relocation at|two dynamic'
damage .symtab 28 20 'local symbols must come first'
