#!/bin/sh
# A script that names a missing file, another format or nonsense is an error that names the script.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >m.c
cc -c m.c
echo 'INPUT(no-such-input.o)' >missing.script
expect_error 'no-such-input' cc m.o ./missing.script -o m
echo 'INPUT(' >open.script
expect_error 'open\.script' cc m.o ./open.script -o m
echo 'certainly not a script' >nonsense.script
expect_error 'nonsense\.script' cc m.o ./nonsense.script -o m
