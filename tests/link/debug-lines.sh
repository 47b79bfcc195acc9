#!/bin/sh
# addr2line finds file and line of functions in several objects and archives; DWARF 4 and 5 mixed.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

printf '\n\nint four(void) { return 4; }\n' >four.c
printf '\n\n\n\nint five(void) { return 5; }\n' >five.c
echo 'int four(void), five(void); int main(void) { return four() + five(); }' >m.c
cc -gdwarf-4 -c four.c
cc -gdwarf-5 -c five.c
ar rc libfive.a five.o
cc -g m.c four.o libfive.a -o m
exits_with 9 ./m
addr2line -f -e m 0x$(sym m four) 0x$(sym m five) >lines
has 'four\.c:3' lines
has 'five\.c:5' lines
readelf -w m >dump 2>err
hasnt . err
check_elf m
