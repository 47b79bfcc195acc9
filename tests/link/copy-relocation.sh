#!/bin/sh
# Data of a library that position-dependent code names directly is copied into the executable; the library sees
# the copy.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int shared_data[4] = {1, 2, 3, 4}; int sum(void) { return shared_data[0] + shared_data[3]; }' >l.c
echo 'extern int shared_data[4]; int sum(void); int main(void) { shared_data[3] = 40; return sum(); }' >m.c
cc -fPIC -shared l.c -o libl.so
cc -O1 -fno-pie -no-pie m.c ./libl.so -o m
exits_with 41 ./m
readelf -rW m >r
has 'R_X86_64_COPY.* shared_data' r
equal "$(dynsymlines m shared_data | cut -d' ' -f1,2,5)" "OBJECT GLOBAL 16" "the copied symbol"
check_elf m
