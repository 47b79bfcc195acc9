#!/bin/sh
# .debug_str is merged over the objects and every reference still gives the right name; readelf reads all of it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

for n in 1 2 3; do
	echo "struct common_structure_name { int common_member_name; }; struct common_structure_name variable_$n;" >$n.c
done
echo 'int main(void) { return 0; }' >m.c
cc -g 1.c 2.c 3.c m.c -o m
readelf -wi m >info 2>err
hasnt . err
has 'variable_1' info
has 'variable_3' info
equal "$(grep -c 'common_structure_name' info)" 3 "mentions of the structure"
readelf -p .debug_str m >s
equal "$(grep -c 'common_structure_name' s)" 1 "copies in .debug_str"
check_elf m
