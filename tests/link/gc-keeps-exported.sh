#!/bin/sh
# --gc-sections keeps what a shared library exports, what -rdynamic exports, and what a library on the command line
# uses; hidden unused functions go.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >lib.c <<'END'
int exported(void) { return 2; }
__attribute__((visibility("hidden"))) int concealed(void) { return 3; }
END
echo 'int callback(void); int f(void) { return callback(); }' >f.c
cat >m.c <<'END'
int f(void);
int callback(void) { return 6; }
int rest(void) { return 0; }
int main(void) { return f(); }
END
cc -ffunction-sections -fPIC -shared lib.c -Wl,--gc-sections -o lib.so
[ -n "$(sym lib.so exported)" ] || fail "the exported function is gone"
[ -z "$(sym lib.so concealed)" ] || fail "the hidden function is still there"
cc -fPIC -shared f.c -o libf.so
cc -ffunction-sections m.c ./libf.so -Wl,--gc-sections -o m
exits_with 6 ./m
[ -z "$(sym m rest)" ] || fail "rest is still there"
cc -ffunction-sections m.c ./libf.so -rdynamic -Wl,--gc-sections -o m2
if is_linkfs || [ "$peer" = lld ]; then
	[ -n "$(sym m2 rest)" ] || fail "-rdynamic does not keep rest"
fi
check_elf lib.so m m2
