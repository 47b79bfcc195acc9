#!/bin/sh
# What is parsed of an object, an archive's members among them, stays with it: a second program of the same inputs parses
# nothing, and a change of one object costs one.
# NEEDS: gcc ar linker
. "$(dirname "$0")/lib.sh"
echo 'int f(void); int main(void) { return f(); }' >main.c
echo 'const char *g(void); int f(void) { return g()[0] - 102; }' >f.c
echo 'const char *g(void) { return "from g"; }' >g.c
gcc -O1 -g -c main.c f.c g.c
ar rc libg.a g.o
start_mount
add_linked first gcc main.o f.o libg.a -o first
links_well first
objects=$(stat_of parsed_objects)
[ "$objects" -ge 3 ] || fail "parsed_objects: $objects"
add_linked second gcc main.o f.o libg.a -Wl,--gc-sections -o second
links_well second
equal "$(stat_of parsed_objects)" "$objects" "objects parsed after the second program"
run "$mnt/first" || fail "first returned $?"
run "$mnt/second" || fail "second returned $?"
LINKFS_MODE='file' gcc -B"$LINKFS_BUILD/libexec/linkfs/" main.o f.o libg.a -Wl,--gc-sections -o second.file
same_bytes "$mnt/second" second.file
echo 'const char *g(void); int f(void) { return g()[0] - 101; }' >f.c
gcc -O1 -g -c f.c -o f.new.o
mv f.new.o f.o
status=0
run "$mnt/first" || status=$?
equal "$status" 1 "what the first program returns once an object of it changed"
equal "$(stat_of parsed_objects)" $((objects + 1)) "objects parsed after one was replaced"
