#!/bin/sh
# --export-dynamic (-E) exports every default-visibility global; hidden and local ones stay out.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
int shown(void) { return 1; }
__attribute__((visibility("hidden"))) int unseen(void) { return 2; }
static int own(void) { return 3; }
int (*volatile p)(void) = own;
int main(void) { return shown() + unseen() + p() - 6; }
END
cc a.c -Wl,-E -o a
./a
[ -n "$(dynsymlines a shown)" ] || fail "shown is not exported"
[ -z "$(dynsymlines a unseen)" ] || fail "the hidden symbol is exported"
[ -z "$(dynsymlines a own)" ] || fail "the local symbol is exported"
check_elf a
