#!/bin/sh
# --build-id=0xHEX is taken as given; none makes no note, also after another; the note lies in a PT_NOTE.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

id() { readelf -nW "$1" | sed -n 's/.*Build ID: //p'; }
echo 'int main(void) { return 0; }' >a.c
cc a.c -Wl,--build-id=0xDEADbeef01020304 -o hex
equal "$(id hex)" deadbeef01020304 "the build-id given"
cc a.c -Wl,--build-id,--build-id=none -o none
equal "$(id none)" "" "the build-id of --build-id=none"
section none .note.gnu.build-id addr >n
hasnt . n
readelf -lW hex >l
has 'NOTE' l
has '[0-9]+ .*\.note\.gnu\.build-id' l
check_elf hex none
