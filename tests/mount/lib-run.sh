# shellcheck shell=sh
# lib-run.sh: what the tests of `linkfs run` share, on top of lib-output.sh, which it sources: builds that know nothing of
# linkfs.

. "${lib_dir:-$(dirname "$0")}/lib-output.sh"
unset LINKFS_LD LINKFS_FALLBACK COMPILER_PATH
[ -e "$LINKFS_BUILD/lib/linkfs/run/liblinkfs-run.so" ] || skip "liblinkfs-run.so is not built"

# lrun COMMAND...: below linkfs run.
lrun() {
	run "$linkfs" run -- "$@"
}

# linked_by WORD FILE...: what each file's own note says of its linker.
linked_by() {
	by=$1
	shift
	for file; do
		readelf -p .comment "$file" >"$T/comment" 2>/dev/null || :
		case $by in
		ld) ! grep -Eqi 'linkfs|LLD|mold' "$T/comment" || { cat "$T/comment" >&2; fail "$file is not by GNU ld"; } ;;
		*) grep -qi "linker: .*$by" "$T/comment" || { cat "$T/comment" >&2; fail "$file is not by $by"; } ;;
		esac
	done
}
