#!/bin/sh
# An undefined symbol is an error that names it and who refers to it: file, and function or section.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >refers.c <<'END'
int missing_thing(void);
int caller(void) { return missing_thing(); }
int main(void) { return caller(); }
END
cc -g -c refers.c
expect_error 'undefined (symbol|reference).*missing_thing' cc refers.o -o a
has 'refers\.(o|c)' err
[ ! -e a ] || fail "an output was made"
if is_linkfs; then
	has 'caller|\.text' err
fi
