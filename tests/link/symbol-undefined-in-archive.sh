#!/bin/sh
# A reference from an archive member is reported as ARCHIVE(MEMBER).
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int missing(void); int f(void) { return missing(); }' >member.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c member.c m.c
ar rc libarchive.a member.o
expect_error 'missing' cc m.o libarchive.a -o a
has 'libarchive\.a[(:]member\.o|member\.o.*libarchive|libarchive\.a' err
if is_linkfs; then has 'libarchive\.a\(member\.o\)' err; fi
