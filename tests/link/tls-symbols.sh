#!/bin/sh
# A thread-local symbol's value is its offset in the TLS segment; gdb and dlsym rely on it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
__thread long first = 1;
__thread long second = 2;
int main(void) { return 0; }
END
cc a.c -o a
equal "$(symlines a first | cut -d' ' -f1)" TLS "type"
equal "$(sym a first) $(sym a second)" "0000000000000000 0000000000000008" "offsets"
