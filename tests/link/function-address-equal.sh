#!/bin/sh
# The address of a library's function is the same in the executable and in the library, though a position-dependent
# executable names its own PLT entry (the canonical PLT).
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 3; } int (*lib_sees(void))(void) { return f; }' >l.c
cat >m.c <<'END'
int f(void);
int (*lib_sees(void))(void);
static int (*const table[])(void) = {f};
int main(void) { return f != lib_sees() || table[0] != f ? 99 : table[0]() + f(); }
END
cc -fPIC -shared l.c -o libl.so
for mode in "-fno-pie -no-pie" "-fPIE -pie" "-fPIC -no-pie"; do
	cc -O1 $mode m.c ./libl.so -o m
	exits_with 6 ./m
	check_elf m
done
cc -O1 -fno-pie -no-pie m.c ./libl.so -o m
case $(dynsymlines m f) in
"FUNC GLOBAL DEFAULT UND "*) ;;
*) is_linkfs || exit 0; fail "the canonical entry should be undefined with a value: $(dynsymlines m f)" ;;
esac
[ "$(readelf --dyn-syms -W m | awk '$8 == "f" { print $2 }')" != 0000000000000000 ] || fail "the entry has no value"
