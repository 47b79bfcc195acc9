#!/bin/sh
# What is read-only after relocation lies in PT_GNU_RELRO: .dynamic, .got, .init_array, .data.rel.ro; .data does not.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
int x;
int *const pointer = &x;
int writable = 1;
int main(void) { return *pointer + writable - 1; }
END
cc -fPIE -pie -Wl,-z,now a.c -o a
./a
readelf -lW a | awk '$1 == "GNU_RELRO" { print $3, $6 }' >r
read -r start size <r
inside() {
	addr=$(section a "$1" addr)
	[ -n "$addr" ] || fail "no $1"
	[ $((0x$addr)) -ge $((start)) ] && [ $((0x$addr)) -lt $((start + size)) ]
}
for s in .dynamic .init_array .fini_array .data.rel.ro .got; do
	inside $s || fail "$s is not in RELRO"
done
if inside .data; then fail ".data is in RELRO"; fi
check_elf a
