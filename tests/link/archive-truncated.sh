#!/bin/sh
# An archive that ends inside a member, or has a bad member header, is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they take a bad size for zero"

echo 'int f(void) { return 6; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c m.c
ar rc good.a f.o
head -c $(($(stat -c %s good.a) - 100)) good.a >truncated.a
expect_error 'truncated\.a' cc m.o truncated.a -o m
off=$(grep -abo 'f\.o/' good.a | head -n 1 | cut -d: -f1)
cp good.a badsize.a
printf 'nonsense  ' | dd of=badsize.a bs=1 seek=$((off + 48)) conv=notrunc 2>/dev/null
expect_error 'badsize\.a' cc m.o badsize.a -o m
