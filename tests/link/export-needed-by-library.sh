#!/bin/sh
# A symbol of the executable that a library on the command line refers to or also defines is exported without being
# asked: the library must see the executable's.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int callback(void); int both(void) { return 1; } int f(void) { return callback() + both(); }' >f.c
cat >m.c <<'END'
int f(void);
int callback(void) { return 10; }
int both(void) { return 20; }
int unrelated(void) { return 0; }
int main(void) { return f() + unrelated(); }
END
cc -fPIC -shared f.c -Wl,--allow-shlib-undefined -o libf.so
cc m.c ./libf.so -o a
exits_with 30 ./a
[ -n "$(dynsymlines a callback)" ] || fail "callback is not exported"
[ -n "$(dynsymlines a both)" ] || fail "both is not exported"
[ -z "$(dynsymlines a unrelated)" ] || fail "unrelated is exported"
check_elf a
