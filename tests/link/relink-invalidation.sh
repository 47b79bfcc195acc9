#!/bin/sh
# What a change makes a linker that stays do again, row by row as in DESIGN.md: objects it parses, objects whose relocations it
# walks. Each output has the bytes of a link from nothing.
# NEEDS: cc cxx python3
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "keeps a linker in process"
[ -x "$LINKFS_BUILD/tests/relinker" ] || skip "$LINKFS_BUILD/tests/relinker is not built"

mkfifo ask
"$LINKFS_BUILD/tests/relinker" <ask >answers &
exec 3>ask
parsed=0 scanned=0 asked=0

# relink PARSED SCANNED WHAT: what the next link does.
relink() {
	echo "$T/work/args" >&3
	asked=$((asked + 1))
	n=0
	while [ "$(wc -l <answers)" -lt "$asked" ]; do
		n=$((n + 1))
		[ "$n" -lt 2000 ] || fail "$3: no answer"
		sleep 0.01
	done
	line=$(tail -n 1 answers)
	case $line in
	same*) ;;
	*) fail "$3: $line" ;;
	esac
	p=${line#*parsed_objects=} p=${p%% *}
	s=${line#*scanned_objects=} s=${s%% *}
	[ "$((p - parsed)) $((s - scanned))" = "$1 $2" ] ||
		fail "$3: $((p - parsed)) objects parsed and $((s - scanned)) scanned, expected $1 and $2"
	parsed=$p scanned=$s
}

# compile FILE: as a build does, a new file under the name.
compile() {
	gcc -O1 -fPIC -c "$1" -o "$1.new" && mv "$1.new" "${1%.*}.o"
}

cat >start.c <<'END'
int f(void), member(void), other(void), lib(void);
int _start(void) { return f() + member() + other() + lib(); }
END
echo 'int f(void) { return 1; }' >f.c
echo 'int member(void) { return 2; }' >member.c
echo 'int other(void) { return 3; }' >other.c
for n in 1 2; do
	cat >"comdat$n.cc" <<-END
	inline int twice(int x) { static int calls; return x * 2 + calls++; }
	int (*volatile user$n)(int) = twice;
	END
	compile "comdat$n.cc"
done
echo 'int lib(void) { return 4; } int more(void) { return 5; }' >lib.c
for n in start f member other; do compile $n.c; done
ar rc lib.a member.o other.o
gcc -O1 -shared -fPIC -nostdlib -o libs.so lib.c
echo '{ global: *; };' >script
put_args() {
	printf '%s\n' -o out --build-id -pie --eh-frame-hdr "$@" start.o f.o comdat1.o comdat2.o lib.a libs.so >args
}
put_args

relink 6 6 "the first link"
relink 0 0 "nothing changed"
cp f.o f.new && mv f.new f.o
relink 0 0 "an object was written once more"
echo 'int f(void) { return 17; }' >f.c && compile f.c
relink 1 1 "a body changed"
echo 'static int g[30]; int f(void) { return g[f == 0]; } int h(void) { return f(); }' >f.c && compile f.c
relink 1 1 "a symbol was added"
echo 'int (*volatile user1)(int);' >comdat1.cc && compile comdat1.cc
relink 1 2 "the first copy of a COMDAT group went: the next one is looked at, too"
echo 'int member(void) { return 22; }' >member.c && compile member.c && rm lib.a && ar rc lib.a member.o other.o
relink 1 1 "one of two members changed"
rm lib.a && ar rc lib.a other.o member.o
relink 0 0 "members changed places"
echo 'int lib(void) { return 44; } int more(void) { return 55; }' >lib.c
gcc -O1 -shared -fPIC -nostdlib -o libs.new lib.c && mv libs.new libs.so
relink 0 0 "a library has other code, but the same dynamic symbols"
echo 'int lib = 4;' >lib.c
gcc -O1 -shared -fPIC -nostdlib -o libs.new lib.c && mv libs.new libs.so
relink 0 1 "a library has other dynamic symbols: who mentions them is scanned"
put_args -z now
relink 0 0 "an option that no relocation depends on"
put_args -shared --version-script=script
relink 0 6 "another kind of output"
echo '{ global: *; local: member; };' >script
relink 0 2 "a version script binds names: who defines or mentions them is scanned"
put_args -shared --version-script=script --gc-sections
relink 0 6 "sections died"
exec 3>&-
wait
