#!/bin/bash
# run.sh [--runs N] [--work DIR] [--linkers "mold lld ..."] [--gate] [--prepare] [WORKLOAD...]: linkfs in file mode
# against its peers.
#
#   cc1      a clang frontend of some lines over all archives of LLVM and clang: 410 MB in, 2,500 members used, 165 MB out
#   units    120 generated C++ units with -g: 570 MB of objects, most of it debug information
#   cpython  CPython from its archive: small
#
# and, when named,
#
#   relink   cc1 once more: the time from an edit of one object until the program has run, of a live link on a mount and of
#            files that peers link (relink.py); with `--gate` it fails above 0.10 of mold's time
#
# and what needs no peer and no input:
#
#   prot     ways to make pages fault, as linker/mem/prot.h has them: cost, mappings, charge (prot.c)
#
# Inputs are made once, in DIR (by default ${TMPDIR:-/tmp}/linkfs-bench); `--prepare` stops there. DIR/WORKLOAD.args is the
# linker's command line, to be replayed by hand as `ld @DIR/WORKLOAD.args`. The linker measured is that of $LINKFS_BUILD
# (by default build/release). With `--gate` it fails where linkfs takes more than 1.2 times mold's time, or anonymous memory of
# more than 0.35 of its input. UNITS=N and UNIT_TYPES=N change the size of the second workload. What is measured and how
# is told in measure.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=${TMPDIR:-/tmp}/linkfs-bench
runs=7
linkers="linkfs mold lld gold bfd"
prepare=
gate=
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2 && shift 2 ;;
	--work) work=$2 && shift 2 ;;
	--linkers) linkers=$2 && shift 2 ;;
	--gate) gate="--max-of-mold=1.2 --max-anon=0.35" && shift ;;
	--prepare) prepare=1 && shift ;;
	-*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || set -- cc1 units cpython
build=${LINKFS_BUILD:-$top/build/release}
if [ "$*" = prot ]; then
	exec "$build/tests/prot"
fi
"$top/mnt-scripts/install-packages.sh" build bench

mkdir -p "$work/out"
work=$(cd "$work" && pwd)
jobs=$(nproc)
unset LIBRARY_PATH LINKFS_MOUNT LINKFS_MODE

# args WORKLOAD COMPILER ARG...: writes WORKLOAD.args.
args() {
	name=$1
	shift
	"$top/mnt-scripts/ld-args.sh" "$work/$name.args.new" "$@" -o "$work/out/$name"
	mv "$work/$name.args.new" "$work/$name.args"
}

prepare_cc1() {
	llvm=$(llvm-config-14 --libdir)
	mkdir -p "$work/cc1"
	object=$work/cc1/cc1main.o
	edited=$work/cc1/cc1main-edited.o
	if [ ! "$object" -nt "$here/cc1main.cc" ] || [ ! "$edited" -nt "$here/cc1main.cc" ]; then
		# shellcheck disable=SC2046 # a list of flags
		set -- $(llvm-config-14 --cxxflags)
		g++ -O1 "$@" -fno-rtti -DEDITED -c "$here/cc1main.cc" -o "$edited"
		g++ -O1 "$@" -fno-rtti -c "$here/cc1main.cc" -o "$object.new"
		mv "$object.new" "$object"
	fi
	# The tools' archives hold nothing a frontend uses.
	# shellcheck disable=SC2010 # their names have no odd letters
	archives=$(ls "$llvm"/libLLVM*.a "$llvm"/libclang*.a | grep -vE \
		'libclang(Tidy|Daemon|Doc|IncludeFixer|ChangeNamespace|Move|ReorderFields|ApplyReplacements|Query)')
	# shellcheck disable=SC2086 # a list of files
	args cc1 g++ -pie "$object" -Wl,--start-group $archives -Wl,--end-group -lz3 -lz -ltinfo -lpthread -ldl -lm
}

prepare_units() {
	python3 "$here/units.py" "$work/units" "${UNITS:-120}" "${UNIT_TYPES:-1}"
	set --
	for source in "$work"/units/*.cc; do
		object=${source%.cc}.o
		set -- "$@" "$object"
		[ "$object" -nt "$source" ] || echo "$source"
	done | sort >"$work/units/stale"
	echo "units: $(wc -l <"$work/units/stale") objects to compile"
	xargs -r -n 1 -P "$jobs" sh -c 'g++ -std=c++17 -g -c "$0" -o "$0.tmp" && mv "$0.tmp" "${0%.cc}.o"' <"$work/units/stale"
	args units g++ -g "$work"/units/*.o -lpthread
}

prepare_cpython() {
	config=$(dirname "$(dpkg -L libpython3.11-dev | grep '/python\.o$')")
	args cpython gcc -no-pie -Wl,-export-dynamic "$config/python.o" "$config/libpython3.11.a" -lexpat -lz -lm -ldl -lutil
}

# What the linked program must do, whoever linked it: prints one line.
cat >"$work/sample.c" <<'END'
int printf(const char *, ...);
int twice(int x) { return 2 * x; }
int main(void) { return printf("%d\n", twice(21)) < 0; }
END
cat >"$work/try-cc1" <<'END'
#!/bin/sh
"$1" -triple x86_64-pc-linux-gnu -emit-obj -O2 -o "$1.sample.o" "${0%/*}/sample.c" && cksum <"$1.sample.o"
rm -f "$1.sample.o"
END
printf '#!/bin/sh\n"$1"\n' >"$work/try-units"
printf '#!/bin/sh\n"$1" -S -c "import sys; print(sys.version)"\n' >"$work/try-cpython"
chmod +x "$work"/try-*

for workload; do
	case $workload in
	cc1 | units | cpython) "prepare_$workload" ;;
	relink) prepare_cc1 ;;
	*)
		echo "run.sh: no workload is called $workload; there are: cc1 units cpython relink, and prot by itself" >&2
		exit 2
		;;
	esac
done
[ -z "$prepare" ] || exit 0

status=0
for workload; do
	if [ "$workload" = relink ]; then
		python3 "$here/relink.py" ${gate:+--max-of-mold=0.10} --build "$build" --runs "$runs" cc1 "$work/cc1.args" \
			"$work/cc1/cc1main.o" "$work/cc1/cc1main-edited.o" -- {} -version || status=1
		continue
	fi
	# shellcheck disable=SC2086 # two words or none
	python3 "$here/measure.py" $gate --linkfs "$build/bin/ld.linkfs" --runs "$runs" --linkers "$linkers" \
		--try "$work/try-$workload" "$workload" "$work/$workload.args" "$work/out" || status=1
done
exit $status
