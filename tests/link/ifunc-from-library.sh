#!/bin/sh
# An executable calls and points to an IFUNC of a shared library; both see one address.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
static int two(void) { return 2; }
static int (*resolve(void))(void) { return two; }
int chosen(void) __attribute__((ifunc("resolve")));
int (*lib_sees(void))(void) { return chosen; }
END
cat >m.c <<'END'
int chosen(void);
int (*lib_sees(void))(void);
int (*pointer)(void) = chosen;
int main(void)
{
	return chosen() * 10 + pointer() + (lib_sees() == chosen ? 0 : 100) + (lib_sees() == pointer ? 0 : 100);
}
END
cc -fPIC -shared l.c -o libl.so
for mode in "-fno-pie -no-pie" "-fPIE -pie"; do
	cc -O1 $mode m.c ./libl.so -o m
	exits_with 22 ./m
	check_elf m
done
