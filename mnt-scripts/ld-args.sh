#!/bin/sh
# ld-args.sh OUTFILE COMPILER ARG...: which arguments the compiler would give its linker for this link line. They are
# written to OUTFILE in response-file form, one per line, ready for `ld @OUTFILE` or for the end of `linkfs add`.
#
# The compiler is given a program called ld that writes down what it is called with. Nothing is linked; what the compiler
# itself makes on the way and deletes afterwards (objects of sources on the line, LTO files) will not be there: give it
# objects. Relative names stay relative.
set -eu

if [ $# -lt 3 ]; then
	echo "usage: ld-args.sh OUTFILE COMPILER ARG..." >&2
	exit 2
fi
out=$1
shift
case $out in
/*) ;;
*) out=$PWD/$out ;;
esac

dir=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-args.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cat >"$dir/ld" <<'END'
#!/bin/sh
# Quotes and backslashes protect as in every response file; the compiler's plugin for LTO is its own affair.
skip=
for arg; do
	if [ -n "$skip" ]; then
		skip=
		continue
	fi
	case $arg in
	-plugin) skip=1; continue ;;
	-plugin=* | -plugin-opt=* | --plugin=* | --plugin-opt=*) continue ;;
	-fuse-ld=* | -L"$LINKFS_ARGS_DIR") continue ;;
	*[!A-Za-z0-9_./:=,+@%^-]* | "") arg=\'$(printf '%s' "$arg" | sed "s/'/'\\\\''/g")\' ;;
	esac
	printf '%s\n' "$arg"
done >"$LINKFS_ARGS_OUT"
END
chmod +x "$dir/ld"
LINKFS_ARGS_OUT=$out LINKFS_ARGS_DIR=$dir "$@" -B"$dir"
[ -s "$out" ] || { echo "ld-args.sh: $1 called no linker" >&2; exit 1; }
