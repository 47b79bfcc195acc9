#!/bin/sh
# --defsym defines an absolute symbol, an alias, or a sum.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 crashes on a sum"

cat >a.c <<'END'
extern char number[], sum[];
int alias(void);
int real(void) { return 3; }
int main(void) { return (long)number == 0x1234 && (long)sum == 0x1244 && alias() == 3 ? 0 : 1; }
END
cc -fno-pie -no-pie -O1 a.c -Wl,--defsym=number=0x1234 -Wl,--defsym,alias=real -Wl,--defsym=sum=number+0x10 -o a
./a
equal "$(symlines a number | cut -d' ' -f4)" ABS "the section of number"
equal "$(sym a alias)" "$(sym a real)" "the alias"
check_elf a
