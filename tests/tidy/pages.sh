#!/bin/sh
# The manual pages: no complaint of groff's or mandoc's, and a place for every command, option, variable, file and key that
# the code has.
. "$(dirname "$0")/lib.sh"
T=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-tidy.XXXXXX")
trap 'rm -rf "$tally" "$T"' EXIT
man=$LINKFS_BUILD/share/man
[ -s "$man/man1/ld.linkfs.1" ] || {
	echo "SKIP: the pages are not built"
	exit 77
}
pages="$man/man1/linkfs.1 $man/man1/ld.linkfs.1 $man/man5/linkfs.5 $man/man8/mount.linkfs.8"
for page in $pages; do
	! command -v groff >/dev/null || groff -man -ww -Tutf8 -z "$page" 2>&1
	! command -v man >/dev/null || LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null
	! command -v mandoc >/dev/null || mandoc -T lint -W warning "$page"
	grep -n '@[a-z]*@' "$page" | sed "s|^|$page: not replaced: |"
done | bad "a page"

# plain PAGE...: as it reads, so that fonts and macros part no words.
plain() {
	sed 's/\\f[BIRP]//g; s/\\-/-/g; s/\\&//g; s/\\(ti/~/g; s/^\.[A-Z]* //; s/"//g; s/ = /=/g' "$@" | tr -s ' '
}
plain "$man/man1/linkfs.1" >"$T/linkfs.1"
plain "$man/man5/linkfs.5" >"$T/linkfs.5"
plain "$man/man1/linkfs.1" "$man/man1/ld.linkfs.1" >"$T/man1"

# has_all FILE WHAT: the words of standard input.
has_all() {
	sort -u | while read -r word; do
		grep -qw -e "$word" "$1" || echo "$2 $word is not in $(basename "$1")"
	done | bad "a page is not complete"
}
commands=$(grep -oE '\{ "[a-z-]+", cmd_' fs/linkfs.c | grep -oE '[a-z-]+"' | tr -d '"')
internal="run-command before-install" # which parts of linkfs call
[ "$(echo "$commands" | wc -l)" -ge 17 ] || echo "only these commands are found: $commands" | bad "commands"
for c in $commands; do
	case " $internal " in *" $c "*) continue ;; esac
	grep -qE "^linkfs $c" "$T/linkfs.1" || echo "the synopsis of linkfs(1) has no $c"
	grep -qE "^$c( |\$)" "$T/linkfs.1" || echo "linkfs(1) tells nothing of $c"
	"$LINKFS_BUILD/bin/linkfs" --help | grep -qE "(usage:| |\|) *linkfs $c" || echo "--help has no $c"
done | bad "commands"
grep -oE 'strcmp\(word, "[a-z_]+"' fs/cmd_mount.c | grep -oE '[a-z_]+"' | tr -d '"' | has_all "$T/linkfs.1" "the mount option"
find fs -name 'cmd_*.c' ! -name cmd_install.c -exec grep -hoE '"--[a-z]+(-[a-z]+)*=?"' {} + | tr -d '"=' | sort -u | while read -r option; do
	grep -qF -e "$option" "$T/linkfs.1" "$T/linkfs.5" || echo "the option $option is in no page"
done | bad "options"
{
	grep -hoE 'getenv\("[A-Z_]+"\)' fs/*.c | grep -oE '[A-Z_]+"' | tr -d '"'
	grep -hoE '"LINKFS_[A-Z]+"' fs/*.[ch] | tr -d '"'
} | has_all "$T/man1" "the variable"
grep -oE '\{ "[a-z]+", NODE_' fs/ops.c | grep -oE '[a-z]+"' | tr -d '"' | has_all "$T/linkfs.5" "the file"
{
	grep -oE '(put|put_text)\((t|ret), "[a-z_]+"' fs/report.c | grep -oE '"[a-z_]+' | tr -d '"'
	grep -oE '"[a-z_]+: %' fs/report.c | grep -oE '[a-z_]+'
	grep -oE '"[a-z]+_input"' fs/report.c | tr -d '"'
} | has_all "$T/linkfs.5" "the key"

# As many options as the linker knows.
want=$("$LINKFS_BUILD/bin/ld.linkfs" --help | sed '/^ld.linkfs:/d' | grep -oE '(^ +|, )-[^ ,=[]+' | wc -l)
got=$(grep -oE '\\fB\\-[^ ]' "$man/man1/ld.linkfs.1" | wc -l)
[ "$got" -ge "$want" ] || echo "ld.linkfs(1) has $got options, --help $want" | bad "options"
verdict
