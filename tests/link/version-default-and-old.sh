#!/bin/sh
# Against a library with foo@V1 and foo@@V2 a plain reference binds to V2 and .symver foo@V1 to the old one.
# NEEDS: cc bfd
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
int old(void) { return 1; }
int new(void) { return 2; }
__asm__(".symver old, foo@V1");
__asm__(".symver new, foo@@V2");
END
echo 'V1 { global: foo; local: *; }; V2 { global: foo; } V1;' >l.map
cat >m.c <<'END'
int foo(void), oldfoo(void);
__asm__(".symver oldfoo, foo@V1");
int main(void) { return foo() * 10 + oldfoo(); }
END
bfd_cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,-soname,libl.so -o libl.so
cc m.c ./libl.so -Wl,-rpath,"$PWD" -o m
exits_with 21 ./m
readelf --dyn-syms -W m >s
has 'foo@V1' s
has 'foo@V2' s
check_elf m
