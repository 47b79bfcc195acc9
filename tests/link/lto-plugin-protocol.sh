#!/bin/sh
# What a plugin is told: of the output, of each symbol, of the end; and what becomes of the files it brings. GNU ld is the
# measure (LINKFS_TEST_LD=ld), but where it takes a definition that machine code has as well for nobody else's.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they take plugins of compilers alone"

gcc -D_GNU_SOURCE -Wall -Wextra -Werror -g -shared -fPIC -I"$lib_dir/../../fs" "$lib_dir/plugin/lto_plugin.c" -o plugin.so

# ir NAME LINE...: NAME.o, intermediate code for that plugin.
ir() {
	name=$1
	shift
	{
		printf '\t.comm __gnu_lto_slim,1,1\n\t.section .gnu.lto_fake,"e"\n\t.ascii "\\nFAKEIR\\n'
		for line; do printf '%s\\n' "$line"; done
		printf 'END\\n"\n'
	} >"$name.s"
	gcc -c "$name.s" -o "$name.o"
}

cat >m_native.c <<'X'
extern int from_shared, native_data, late(void); int common_ir; int used_by_native = 1, exported = 2, by_option = 3, used_by_shared = 5;
__attribute__((weak)) int weak_ir = 6; int wanted(void);
int main(void) { return from_shared + native_data + used_by_native + late() + wanted(); }
X
echo 'int wanted(void) { return 100; }' >member_native.c
echo 'int late(void) { return 20; }' >late.c
cat >native.c <<'X'
extern int used_by_native; int native_data = 4; int preempts_weak = 1; int *p = &used_by_native; int common_both;
__attribute__((weak)) int strong_in_ir = 9; int *q = &strong_in_ir;
X
echo 'extern int used_by_shared; int from_shared = 7; int f(void) { return used_by_shared; } int in_both = 1;' >shared.c
gcc -fPIC -fcommon -c m_native.c member_native.c native.c late.c
bfd_cc -shared -fPIC shared.c -o libshared.so
mkdir dir && ar rc dir/liblate.a late.o
ir m 'native m_native.o' '0 main 0 -' '2 from_shared 0 -' '2 native_data 0 -' '2 nowhere 0 -' '3 nowhere_weak 0 -' \
	'0 used_by_native 0 -' '0 alone 0 -' '0 exported 0 -' '0 hidden 3 -' '0 by_option 0 -' '0 used_by_shared 0 -' \
	'1 preempts_weak 0 -' '1 weak_ir 0 -' '2 wanted 0 -' '4 common_ir 0 -' '4 common_both 0 -' '1 group_ir 0 group_ir' \
	'2 late_only 0 -'
ir second '1 weak_ir 0 -' '2 alone 0 -' '4 common_ir 0 -' '1 group_ir 0 group_ir' '2 group_native 0 -'
ir member 'native member_native.o' '0 wanted 0 -'
ir unwanted '0 nobody_asks 0 -' '2 nowhere 0 -'
gcc-ar rc lib.a unwanted.o member.o 2>/dev/null || ar rc lib.a unwanted.o member.o

# resolved LOG WHAT...: a line of the log, that of OBJECT SYMBOL RESOLUTION.
resolved() {
	grep -qxF -e "$2" "$1" || { cat "$1" >&2; fail "not told: $2"; }
}

try() {	# KIND OPTION...
	kind=$1
	shift
	cc m.o second.o native.o member.o libshared.so -Wl,-rpath,. -Wl,-u,by_option \
		-Wl,-plugin,"$PWD/plugin.so" -Wl,-plugin-opt,"log=$PWD/log" -Wl,-plugin-opt,"dir=$PWD/dir" -Wl,-plugin-opt,lib=late \
		"$@" -o prog >said 2>&1 || { cat said >&2; fail "$kind"; }
	[ "$kind" = dyn ] || exits_with 132 ./prog
	has 'compiled 3 inputs' said
	resolved log "output $kind"
	resolved log "name prog"
	resolved log "version good"
	resolved log "m.o from_shared resolved_dyn"
	resolved log "m.o native_data resolved_exec"
	resolved log "m.o used_by_native prevailing"
	resolved log "m.o by_option prevailing"
	resolved log "m.o hidden ironly"
	resolved log "m.o preempts_weak preempted_reg"
	resolved log "m.o wanted resolved_ir"
	resolved log "m.o nowhere undef"
	resolved log "m.o nowhere_weak undef"
	resolved log "second.o weak_ir preempted_ir"
	resolved log "second.o alone resolved_ir"
	resolved log "second.o common_ir resolved_ir"
	resolved log "second.o group_ir preempted_ir"
	resolved log "m.o common_both resolved_exec"
	equal "$(tail -n 1 log)" "clean up" "the end"
}
try pie
resolved log "m.o main prevailing"
resolved log "m.o alone ironly"
resolved log "m.o exported ironly"
resolved log "m.o group_ir ironly"
resolved log "m.o used_by_shared ironly_exp"
try pie -Wl,-plugin-opt,api=2
resolved log "m.o used_by_shared ironly_exp"
try pie -Wl,-plugin-opt,api=1
resolved log "m.o used_by_shared prevailing"
try exec -no-pie
try pie -rdynamic
resolved log "m.o exported ironly_exp"
resolved log "m.o alone ironly_exp"
try dyn -shared
resolved log "m.o alone ironly_exp"

# Members whose symbols no index tells: those that nobody wants are not linked, and the plugin is told so.
is_linkfs || exit 0
cc m.o second.o native.o lib.a libshared.so -Wl,-rpath,. -Wl,-plugin,"$PWD/plugin.so" -Wl,-plugin-opt,"log=$PWD/log" \
	-Wl,-plugin-opt,"dir=$PWD/dir" -Wl,-plugin-opt,lib=late -o prog
exits_with 132 ./prog
resolved log "lib.a() wanted ironly"
resolved log "lib.a() not linked"
