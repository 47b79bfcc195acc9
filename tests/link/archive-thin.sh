#!/bin/sh
# A thin archive names its members relative to its own folder, not to the working directory.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir -p sub/objects
echo 'int f(void) { return 6; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c -o sub/objects/a-member-with-a-long-name.o
(cd sub && ar rcT lib.a objects/a-member-with-a-long-name.o)
cc m.c sub/lib.a -o m
exits_with 6 ./m
cc m.c -Lsub -l:lib.a -o m
exits_with 6 ./m
cc m.c -Wl,--whole-archive sub/lib.a -Wl,--no-whole-archive -o m
exits_with 6 ./m
rm sub/objects/a-member-with-a-long-name.o
expect_error 'a-member-with-a-long-name' cc m.c sub/lib.a -o n
