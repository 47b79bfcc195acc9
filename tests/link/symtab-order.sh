#!/bin/sh
# .symtab: null first, then locals, then globals (sh_info is the first of those); FILE symbols; sizes and types kept;
# no section symbols of inputs; local labels (.L) left out.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it makes globals that are not exported local"

cat >one.c <<'END'
static int local_data = 1;
static int local_func(int x) { return x + local_data; }
int global_data[5] = {1};
int main(void) { return local_func(-1) + global_data[1]; }
END
cat >two.s <<'END'
	.data
.Lprivate:
	.quad .Lprivate
	.section .note.GNU-stack,"",@progbits
END
cc -O0 -c one.c two.s
cc one.o two.o -o a
equal "$(symlines a local_data)" "OBJECT LOCAL DEFAULT $(symlines a local_data | cut -d' ' -f4) 4" "local_data"
equal "$(symlines a local_func | cut -d' ' -f1,2)" "FUNC LOCAL" "local_func"
equal "$(symlines a global_data | cut -d' ' -f1,2,5)" "OBJECT GLOBAL 20" "global_data"
equal "$(symlines a one.c | cut -d' ' -f1,2,4)" "FILE LOCAL ABS" "the file symbol"
readelf -W --symbols a >s
hasnt '\.Lprivate' s
awk '/symtab/ { on = 1 }
	on && $1 ~ /^[0-9]+:$/ && $5 != "LOCAL" && !first { first = $1 + 0 }
	on && $1 ~ /^[0-9]+:$/ && $5 == "LOCAL" && first { bad = 1 }
	END { print first, bad + 0 }' s >order
equal "$(cat order)" "$(section a .symtab inf) 0" "sh_info and order"
check_elf a
