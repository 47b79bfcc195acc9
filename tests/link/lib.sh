# shellcheck shell=sh
# lib.sh: what every link test shares. A test sources it first; after that it stands in a private empty directory
# which the trap removes, with the linker under test behind cc, cxx, clang_cc, clang_cxx and $LD.
#
# The linker is $LINKFS_BUILD/bin/ld.linkfs. LINKFS_TEST_LD=ld|ld.lld|mold|PATH puts another one in its place, to
# prove that the test itself is right. A test says `not_for "lld mold" "why"` where a peer differs by design.
# `# NEEDS: word...` in a test's head names what it needs; what is missing is told and the test exits 77 (skipped).
# It leaves mounting to tests/mount: here the linker writes files (LINKFS_TEST_MODE changes that).

set -eu
umask 022
LC_ALL=C
export LC_ALL
unset LINKFS_MOUNT LD_LIBRARY_PATH LD_PRELOAD LD_BIND_NOW LD_RUN_PATH 2>/dev/null || :
LINKFS_MODE=${LINKFS_TEST_MODE:-file}
export LINKFS_MODE

lib_dir=$(cd "$(dirname "$0")" && pwd)
[ -e "$lib_dir/lib.sh" ] || lib_dir=$(dirname "$lib_dir")
: "${LINKFS_BUILD:=$lib_dir/../../build/release}"

skip() {
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# --- what the test needs -------------------------------------------------------------------------------------------

need_program() {
	command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"
}

need_file_of() {	# compiler, file: what the compiler finds under that name
	case $("$1" -print-file-name="$2" 2>/dev/null || :) in
	/*) ;;
	*) skip "$2 is not installed" ;;
	esac
}

need() {
	case $1 in
	cc) need_program gcc ;;
	cxx) need_program g++ ;;
	clang) need_program clang ;;
	clangxx) need_program clang++ ;;
	static) need_file_of gcc libc.a ;;
	static-pie) need_file_of gcc rcrt1.o && need_file_of gcc libc.a ;;
	static-cxx) need_file_of g++ libstdc++.a && need_file_of gcc libc.a ;;
	lto) need_program gcc && need_file_of gcc liblto_plugin.so && need_file_of gcc lto-wrapper ;;
	clang-lto)
		need_program clang
		[ -e "$(clang -flto -fuse-ld=bfd -### -xc /dev/null 2>&1 | grep -o '[^" ]*LLVMgold\.so' | head -n 1)" ] ||
			skip "LLVMgold.so is not installed"
		;;
	gdb) need_program gdb ;;
	elfutils) need_program eu-readelf ;;
	python3) [ -x /usr/bin/python3 ] || need_program python3 ;;
	root) [ "$(id -u)" = 0 ] || skip "needs root" ;;
	not-root-bypass) [ "$(id -u)" != 0 ] || command -v setpriv >/dev/null || skip "needs setpriv to drop privileges" ;;
	bfd) [ -x /usr/bin/ld.bfd ] || skip "GNU ld is not installed" ;;
	/*) [ -e "$1" ] || skip "$1 is not installed" ;;
	lib*.a) need_file_of gcc "$1" ;;
	*) fail "unknown word in NEEDS: $1" ;;
	esac
}

for word in $(sed -n 's/^# NEEDS://p' "$0"); do
	need "$word"
done

python3=/usr/bin/python3
[ -x "$python3" ] || python3=python3

# --- the private directory and the linker ---------------------------------------------------------------------------

T=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-link.XXXXXX")
at_exit=:
clean_up() {
	status=$?
	trap - EXIT
	$at_exit
	if [ "$status" != 0 ] && [ "$status" != 77 ] && [ -n "${LINKFS_TEST_KEEP:-}" ]; then
		echo "kept: $T" >&2
	else
		rm -rf "$T"
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
TMPDIR=$T
export TMPDIR

case ${LINKFS_TEST_LD:-} in
"")
	peer=linkfs
	LD=$LINKFS_BUILD/bin/ld.linkfs
	ld_dir=$LINKFS_BUILD/libexec/linkfs
	[ -x "$LD" ] || skip "$LD is not built"
	;;
*)
	real=$(command -v "$LINKFS_TEST_LD") || skip "$LINKFS_TEST_LD is not installed"
	case $(basename "$real") in
	ld | ld.bfd) peer=bfd ;;
	ld.lld*) peer=lld ;;
	mold) peer=mold ;;
	ld.linkfs) peer=linkfs ;;
	*) peer=$(basename "$real") ;;
	esac
	mkdir "$T/.linker"
	ln -s "$real" "$T/.linker/ld"
	ld_dir=$T/.linker
	LD=$ld_dir/ld
	;;
esac

mkdir "$T/work"
cd "$T/work"

is_linkfs() {
	[ "$peer" = linkfs ]
}

# not_for "PEER..." REASON: the reference linkers named differ by design, so this test says nothing about them.
not_for() {
	case " $1 " in
	*" $peer "*) skip "$peer differs: $2" ;;
	esac
}

cc() { gcc -B"$ld_dir/" "$@"; }
cxx() { g++ -B"$ld_dir/" "$@"; }
clang_cc() { clang --ld-path="$LD" "$@"; }
clang_cxx() { clang++ --ld-path="$LD" "$@"; }

# bfd_cc: gcc with GNU ld, for inputs that this linker does not make (versioned libraries).
bfd_cc() { gcc -fuse-ld=bfd "$@"; }

# --- assertions -----------------------------------------------------------------------------------------------------

# has ERE FILE: some line of FILE matches.
has() {
	grep -Eq -e "$1" -- "$2" && return 0
	echo "--- $2:" >&2
	head -n 60 -- "$2" >&2
	fail "nothing in $2 matches: $1"
}

hasnt() {
	grep -Eq -e "$1" -- "$2" || return 0
	grep -En -e "$1" -- "$2" | head -n 20 >&2
	fail "$2 should have nothing that matches: $1"
}

# equal GOT WANT WHAT
equal() {
	[ "$1" = "$2" ] && return 0
	printf 'got:  %s\nwant: %s\n' "$1" "$2" >&2
	fail "$3"
}

# run_is WANT COMMAND...: it succeeds and prints exactly WANT.
run_is() {
	want=$1
	shift
	status=0
	got=$("$@" 2>run.err) || status=$?
	[ "$status" = 0 ] || { cat run.err >&2; fail "$*: exit status $status, printed: $got"; }
	equal "$got" "$want" "$*: wrong output"
}

# exits_with STATUS COMMAND...
exits_with() {
	want=$1
	shift
	status=0
	"$@" || status=$?
	equal "$status" "$want" "$*: wrong exit status"
}

# expect_error ERE COMMAND...: it fails, but not by a signal, and says so. The text stays in the file `err`.
expect_error() {
	want=$1
	shift
	status=0
	"$@" >stdout.txt 2>err || status=$?
	[ "$status" != 0 ] || fail "no error from: $*"
	[ "$status" -lt 126 ] || { cat err >&2; fail "killed (status $status): $*"; }
	hasnt '[Ss]egmentation fault|terminated with signal|AddressSanitizer|runtime error:|core dumped' err
	has "$want" err
}

# --- looking at files -----------------------------------------------------------------------------------------------

# What eu-elflint 0.188 says of GNU ld's files too: foreign notes (SystemTap's in libc.a), large sections, protected
# symbols, symbols that stand for the ELF header, thread-locals behind an alignment gap.
elflint_does_not_know='unknown object file note type|processor-specific flag\(s\) 0x10000000'
elflint_does_not_know="$elflint_does_not_know|dynamic symbol table with non-default visibility"
elflint_does_not_know="$elflint_does_not_know|\((__ehdr_start|__executable_start)\): st_value out of bounds"
elflint_does_not_know="$elflint_does_not_know|st_value out of bounds of referenced section .* '\.tbss'"

# check_elf FILE...: readelf, eu-elflint and elfcheck.py have no complaint. The peers have their own quirks in the eyes
# of eu-elflint and elfcheck.py, so for them only readelf is asked.
check_elf() {
	for f in "$@"; do
		readelf -aW "$f" >readelf.out 2>readelf.err || fail "readelf cannot read $f"
		if grep -E '^readelf: (Warning|Error)|<corrupt' readelf.out readelf.err >&2; then
			fail "readelf complains about $f"
		fi
		is_linkfs || [ -n "${LINKFS_TEST_STRICT:-}" ] || continue
		if command -v eu-elflint >/dev/null 2>&1; then
			eu-elflint --gnu-ld "$f" 2>&1 | grep -Ev "$elflint_does_not_know" >elflint.out || :
			if grep -v '^No errors' elflint.out >&2; then fail "eu-elflint complains about $f"; fi
		fi
		if command -v "$python3" >/dev/null 2>&1; then
			"$python3" "$lib_dir/elfcheck.py" "$f" >&2 || fail "elfcheck.py complains about $f"
		fi
	done
}

# sym FILE NAME: its value in hex (16 digits), from .symtab, else .dynsym.
sym() {
	readelf -sW "$1" 2>/dev/null | awk -v n="$2" '$8 == n && $7 != "UND" { v = $2 } END { print v }'
}

# symline FILE NAME: "type bind visibility section size", one line per entry of .symtab.
symlines() {
	readelf -W --symbols "$1" 2>/dev/null |
		awk -v n="$2" '/\.symtab/ { on = 1 } /\.dynsym/ { on = 0 } on && $8 == n { print $4, $5, $6, $7, $3 }'
}

# dynsymlines FILE NAME: the same from .dynsym; a version suffix belongs to the name.
dynsymlines() {
	readelf -W --dyn-syms "$1" 2>/dev/null | awk -v n="$2" '$8 == n { print $4, $5, $6, $7, $3 }'
}

# section FILE NAME FIELD: of addr off size es flg lk inf al; empty where there is no such section.
section() {
	readelf -SW "$1" 2>/dev/null | sed 's/^ *\[ *[0-9]*\] *//' | awk -v n="$2" -v f="$3" '
		$1 == n {
			i = 7; flg = ""
			if (NF == 10) flg = $(i++)
			v["type"] = $2; v["addr"] = $3; v["off"] = $4; v["size"] = $5; v["es"] = $6; v["flg"] = flg
			v["lk"] = $i; v["inf"] = $(i + 1); v["al"] = $(i + 2)
			print v[f]
			exit
		}'
}

# section_hex FILE SECTION: the section's bytes as one line of hex digits.
section_hex() {
	readelf -x "$2" "$1" 2>/dev/null | sed -n 's/^  0x[0-9a-f]* \(.\{35\}\).*/\1/p' | tr -d ' \n'
}

# disas FILE FUNCTION: one instruction per line, no bytes.
disas() {
	objdump -d --no-show-raw-insn --disassemble="$2" "$1" | sed -n '/^[0-9a-f]* </,$p'
}

# needed FILE: its DT_NEEDED names, in order, one per line.
needed() {
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# same FILE FILE
same() {
	cmp "$1" "$2" >&2 || fail "$1 and $2 differ"
}
