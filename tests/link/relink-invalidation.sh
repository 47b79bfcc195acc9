#!/bin/sh
# What a change makes a linker that stays do again, row by row as in DESIGN.md: objects it parses, objects whose relocations it
# walks, whether it resolves symbols. Each output has the bytes of a link from nothing.
# NEEDS: cc cxx python3
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "keeps a linker in process"
[ -x "$LINKFS_BUILD/tests/relinker" ] || skip "$LINKFS_BUILD/tests/relinker is not built"

mkfifo ask
"$LINKFS_BUILD/tests/relinker" <ask >answers &
exec 3>ask
parsed=0 scanned=0 resolved=0 asked=0

# relink PARSED SCANNED RESOLVED WHAT: what the next link does.
relink() {
	echo "$T/work/args" >&3
	asked=$((asked + 1))
	n=0
	while [ "$(wc -l <answers)" -lt "$asked" ]; do
		n=$((n + 1))
		[ "$n" -lt 2000 ] || fail "$4: no answer"
		sleep 0.01
	done
	line=$(tail -n 1 answers)
	case $line in
	same*) ;;
	*) fail "$4: $line" ;;
	esac
	p=${line#*parsed_objects=} p=${p%% *}
	s=${line#*scanned_objects=} s=${s%% *}
	r=${line#*resolutions=} r=${r%% *}
	[ "$((p - parsed)) $((s - scanned)) $((r - resolved))" = "$1 $2 $3" ] ||
		fail "$4: $((p - parsed)) objects parsed, $((s - scanned)) scanned, $((r - resolved)) resolutions:" \
			"expected $1, $2 and $3"
	parsed=$p scanned=$s resolved=$r
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

relink 6 6 1 "the first link"
relink 0 0 0 "nothing changed"
cp f.o f.new && mv f.new f.o
relink 0 0 0 "an object was written once more"
echo 'int f(void) { return 17; }' >f.c && compile f.c
relink 1 1 0 "a body changed"
echo 'static int g(int x) { return x; } int (*volatile p)(int); int f(void) { p = g; return 17; }' >f.c && compile f.c
relink 1 1 1 "a variable was added"
echo 'static int g(int x) { return x; } static int k(int x) { return x + 1; } int (*volatile p)(int);' >f.c
echo 'int f(void) { p = g; p = k; return 17; }' >>f.c && compile f.c
relink 1 1 0 "a static function was added: the same globals, at other indices"
relink 0 0 0 "nothing changed after that"
sed -i 's/return 17/return 18/' f.c && compile f.c
relink 1 1 0 "a body changed after that"
echo 'static int g(int x) { return x; } int (*volatile p)(int);' >f.c
echo '__attribute__((section(".text.own"))) static int k(int x) { return x + 1; }' >>f.c
echo 'int f(void) { p = g; p = k; return 17; }' >>f.c && compile f.c
relink 1 1 0 "a static function got a section of its own: the others are numbered otherwise"
relink 0 0 0 "nothing changed after that, either"
echo 'static int g[30]; int f(void) { return g[f == 0]; } int h(void) { return f(); }' >f.c && compile f.c
relink 1 1 1 "a symbol was added"
echo 'static int g[30]; int f(void) { return g[f == 0]; } int i(void) { return f(); }' >f.c && compile f.c
relink 1 1 1 "a symbol was renamed"
echo 'static int g[30]; int f(void) { return g[f == 0]; } __attribute__((weak)) int i(void) { return f(); }' >f.c
compile f.c
relink 1 1 1 "a symbol became weak"
echo 'static int g[30]; int f(void) { return g[f == 0]; } int j(void) { return f(); } int i;' >f.c && compile f.c
relink 1 1 1 "a symbol was added, another became data"
echo 'static int g[30]; int f(void) { return g[f == 0]; } int i;' >f.c && compile f.c
relink 1 1 1 "a symbol was removed"
echo '__attribute__((visibility("protected"))) int f(void) { return 1; }' >f.c && compile f.c
relink 1 1 1 "a symbol got a visibility, and a section went"
for n in 10 20; do
	echo "__attribute__((common)) int array[$n]; int f(void) { return array[0]; }" >f.c && compile f.c
	relink 1 1 1 "a common symbol of $n"
done
sed -i 's/array.0./array[1]/' f.c && compile f.c
relink 1 1 0 "a body beside a common symbol"
echo 'int f(void) { return 17; }' >f.c && compile f.c
relink 1 1 0 "symbols are as they were long ago"
cat >f.c <<'END'
int f(void) { return 17; }
__attribute__((section("first"), used)) static int v = 1;
extern int bound[] __asm__("__start_first") __attribute__((weak)), other[] __asm__("__start_other") __attribute__((weak));
int *volatile bounds[] = { bound, other };
END
compile f.c
relink 1 1 1 "a section that has bounds"
sed -i 's/"first"/"other"/' f.c && compile f.c
relink 1 1 1 "it got another name"
echo 'int f(void) { return 17; } __asm__(".globl far; .set far, f + 1");' >f.c && compile f.c
relink 1 1 1 "a symbol in the middle"
sed -i 's/f + 1/f + 2/' f.c && compile f.c
relink 1 1 0 "it moved"
sed -i 's/f + 2/f + 200000/' f.c && compile f.c
relink 1 1 1 "it moved out of its section"
echo 'int f(void) { return 17; }' >f.c && compile f.c
relink 1 1 0 "all that went"
for where in '.text.g,\"axG\",@progbits,group,comdat' .text; do
	cat >f.c <<-END
	int f(void) { return 17; }
	__asm__(".section .text.g,\"axG\",@progbits,group,comdat\nnop\n.section $where\n.weak grouped\ngrouped: nop");
	END
	compile f.c
	relink 1 1 1 "a symbol in ${where%%,*}"
done
for signature in first second; do
	echo "int f(void) { return 17; } __asm__(\".section .text.g, \\\"axG\\\", @progbits, $signature, comdat; nop\");" >f.c
	compile f.c
	relink 1 1 1 "a group with the $signature signature"
done
echo 'int f(void) { return 17; }' >f.c && compile f.c
relink 1 1 0 "it went"
cp comdat2.cc kept.cc
for n in 1 2 3; do
	echo "__attribute__((section(\".text.own$n\"))) static int own$n() { return $n; } int (*volatile use$n)() = own$n;"
done >comdat2.cc
cat kept.cc >>comdat2.cc && compile comdat2.cc
relink 1 1 1 "variables were added"
sed 's/"\.text\.own."/".text.own"/' comdat2.cc >own.cc && mv own.cc comdat2.cc && compile comdat2.cc
relink 1 1 0 "fewer sections before the copy of a group that lost"
mv kept.cc comdat2.cc && compile comdat2.cc
relink 1 1 0 "they went"
echo 'int (*volatile user1)(int);' >comdat1.cc && compile comdat1.cc
relink 1 2 1 "the first copy of a COMDAT group went: the next one is looked at, too"
echo 'int member(void) { return 22; }' >member.c && compile member.c && rm lib.a && ar rc lib.a member.o other.o
relink 1 1 0 "the body of one of two members changed"
echo 'int member(void) { return 22; } int member2;' >member.c && compile member.c && rm lib.a && ar rc lib.a member.o other.o
relink 1 1 1 "one of two members has a symbol more"
rm lib.a && ar rc lib.a other.o member.o
relink 0 0 1 "members changed places"
echo 'int unused;' >unused.c && compile unused.c && rm lib.a && ar rc lib.a unused.o member.o other.o
relink 0 0 1 "an archive has a member that nobody wants"
echo 'int unused(void) { return 1; }' >unused.c && compile unused.c && rm lib.a && ar rc lib.a unused.o member.o other.o
relink 0 0 0 "its type is not in the archive's index"
echo 'int member(void) { return 33; }' >unused.c && compile unused.c && rm lib.a && ar rc lib.a unused.o member.o other.o
relink 1 1 1 "now it is the first to have what one does"
echo 'int lib(void) { return 44; } int more(void) { return 55; }' >lib.c
gcc -O1 -shared -fPIC -nostdlib -o libs.new lib.c && mv libs.new libs.so
relink 0 0 0 "a library has other code, but the same dynamic symbols"
echo 'int lib = 4;' >lib.c
gcc -O1 -shared -fPIC -nostdlib -o libs.new lib.c && mv libs.new libs.so
relink 0 1 1 "a library has other dynamic symbols: who mentions them is scanned"
put_args -z now
relink 0 0 0 "an option that no relocation depends on"
mkdir early late && cp libs.so late/libx.so
put_args -Learly -Llate && sed -i 's/libs.so/-lx/' args
relink 0 0 0 "the same library under another name"
echo 'int lib = 4, member = 5;' >lib.c && gcc -O1 -shared -fPIC -nostdlib -o early/libx.so lib.c
relink 0 0 1 "a library came to be earlier on the search path"
rm early/libx.so
relink 0 0 0 "it went again"
cp args first && sed 's/start.o/start.o -e f/' first >args
relink 0 0 1 "another entry"
cp first args
relink 0 0 0 "two programs in turn"
put_args -shared --version-script=script
relink 0 6 1 "another kind of output"
echo '{ global: *; local: member; };' >script
relink 0 2 1 "a version script binds names: who defines or mentions them is scanned"
put_args -shared --version-script=script --gc-sections
relink 0 6 0 "sections died"
put_args -shared --version-script=script --gc-sections --trace-symbol=f
relink 0 0 1 "what is reported is found anew"
relink 0 0 1 "and once more"
echo 'V1 { global: *; local: member; }; V2 { global: f; } V1;' >script
put_args -shared --version-script=script
relink 0 0 1 "versions are named"
sed -i 's/17/19/' f.c && compile f.c
relink 1 1 0 "a body changed in a library with versions"
sed -i 's/V2/V3/' script
relink 0 0 1 "a version got another name"
echo 'int f(void) { return __LINE__; } int f(void);' >twice.c && compile twice.c
put_args twice.o
for round in first second; do
	echo "$T/work/args" >&3
	asked=$((asked + 1))
	n=0
	while [ "$(wc -l <answers)" -lt "$asked" ] && [ $n -lt 2000 ]; do
		n=$((n + 1))
		sleep 0.01
	done
	tail -n 1 answers | grep -q '^failed' || fail "a duplicate, the $round time: $(tail -n 1 answers)"
done
exec 3>&-
wait
