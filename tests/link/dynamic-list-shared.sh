#!/bin/sh
# In a shared library the names of a dynamic list can be interposed and the others not; all are exported. The same for
# --export-dynamic-symbol beside -Bsymbolic.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 exports nothing else"

cat >l.c <<'END'
int func(void) { return 1; }
int other(void) { return 1; }
int data = 1, other_data = 1;
int sum(void) { return func() * 27 + other() * 9 + data * 3 + other_data; }
END
cat >m.c <<'END'
int func(void) { return 2; }
int other(void) { return 2; }
int data = 2, other_data = 2;
int sum(void);
int main(void) { return sum(); }
END
echo '{ func; dat?; };' >l.list
cc -O0 -fPIC -c l.c
for row in "80 -Wl,-z,now" "70 -Wl,--dynamic-list,l.list" "70 -Wl,-Bsymbolic,--dynamic-list,l.list" \
	"70 -Wl,-Bsymbolic-functions,--dynamic-list,l.list" "40 -Wl,-Bsymbolic"; do
	cc -shared l.o ${row#* } -o libl.so
	for name in func other data other_data sum; do
		[ -n "$(dynsymlines libl.so $name)" ] || fail "$row: $name is not exported"
	done
	check_elf libl.so
	case $row in *symbolic,*) continue ;; esac	# DF_SYMBOLIC: the loader looks here first
	cc m.c ./libl.so -o m
	exits_with "${row%% *}" ./m
done
[ "$peer" != bfd ] || exit 0	# there it implies a dynamic list
cc -shared l.o -Wl,-Bsymbolic-functions,--export-dynamic-symbol=fun* -o libl.so
cc m.c ./libl.so -o m
exits_with 71 ./m
