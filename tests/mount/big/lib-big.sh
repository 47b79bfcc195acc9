# shellcheck shell=sh
# lib-big.sh: what the tests over real programs share, on top of lib.sh, which it sources. Each program is linked twice by the
# same command line: to a file, and as a live link that is run from the mount while most of it is not made yet.

: "${LINKFS_TEST_PATIENCE:=900}"
. "$(dirname "$0")/../lib.sh"

ld_dir=$LINKFS_BUILD/libexec/linkfs
[ -x "$ld_dir/ld" ] || skip "$ld_dir/ld is not built"

# What eu-elflint says of every linker's files is listed where the link tests use it.
eval "$(sed -n '/^elflint_does_not_know=/p' "$lib_dir/../link/lib.sh")"
: "${elflint_does_not_know:?}"

# link_both NAME COMPILER ARG...: what the compiler would link, as the live link NAME and, from the same command line, by the file
# mode to NAME.file. The compiler itself would have the intermediate code in some inputs compiled anew by its plugin.
link_both() {
	link_name=$1
	shift
	add_linked "$link_name" "$@" -o "$link_name.file"
	LINKFS_MODE='file' timeout 300 "$ld_dir/ld" "@$T/args" -o "$link_name.file" || fail "$link_name in file mode"
	links_well "$link_name"
}

# lazily NAME PERCENT: how much was made up to now; more than PERCENT is a failure.
lazily() {
	size=$(info_of "$1" size) filled=$(info_of "$1" filled_bytes)
	total=$(info_of "$1" relocs_total) applied=$(info_of "$1" relocs_applied)
	echo "$1: $filled of $size bytes made ($((filled * 100 / size)) %), $applied of $total relocations applied"
	[ "$filled" -le $((size * $2 / 100)) ] || fail "$1: more than $2 % of its bytes were made"
	[ "$2" = 100 ] || [ "$applied" -lt "$total" ] || fail "$1: all relocations were applied"
}

# right_bytes NAME: as file mode's, read in random order by four threads; and no reader of ELF complains.
right_bytes() {
	timeout 300 "$randread" "$mnt/$1" "$1.file" 4 "${LINKFS_TEST_SEED:-$$}" ||
		fail "$1 differs from file mode's (seed ${LINKFS_TEST_SEED:-$$})"
	timeout 300 readelf -aW "$mnt/$1" >readelf.out 2>readelf.err || fail "readelf can't read $1"
	if grep -E '^readelf: (Warning|Error)|<corrupt' readelf.out readelf.err >&2; then
		fail "readelf complains about $1"
	fi
	if command -v eu-elflint >/dev/null 2>&1; then
		timeout 300 eu-elflint --gnu-ld "$mnt/$1" 2>&1 | grep -Ev "$elflint_does_not_know" >elflint.out || :
		if grep -v '^No errors' elflint.out >&2; then fail "eu-elflint complains about $1"; fi
	fi
}

# from_mount NAME ARG...: runs it.
from_mount() {
	run_name=$1
	shift
	timeout 120 "$mnt/$run_name" "$@"
}
