# shellcheck shell=sh
# lib-build.sh: what the tests of build systems share, on top of lib-output.sh, which it sources. Such a test says how its
# system does the steps, as functions, and calls go_through, which does them with outputs that stay on the mount and with
# outputs that become plain files by themselves:
#
#     describe       writes the build files in the current directory, beside the sources
#     configure, build, test_it, clean
#     is_done        builds again, and fails where that does anything
#     install_to DIR (a staging directory; the prefix is /usr)
#
# and where things are: $prog and $big, two programs, and $links, how many links a full build makes.

. "$(dirname "$0")/lib-output.sh"
rounds=${LINKFS_TEST_ROUNDS:-${rounds:-10}}
[ -z "${LINKFS_SANITIZE:-}" ] || rounds=1

# A program that asks a shared library, and one that is too big to be made a plain file at once.
sources() {
	echo 'int answer(void) { return 42; }' >answer.c
	cat >main.c <<-'END2'
		#include <stdio.h>
		int answer(void);
		int main(void)
		{
			printf("answer %d\n", answer());
			return answer() / 10 != 4;
		}
	END2
	cat >big.c <<-'END2'
		#include <stdio.h>
		char data[5 << 20] = "big 42";
		int main(void) { return puts(data) < 0; }
	END2
}

says_both() {
	says "$prog" "answer $1"
	says "$big" "big $1"
	for file in "$prog" "$big"; do
		readelf -p .comment "$file" 2>/dev/null | grep -qi linkfs || fail "$file was not linked by linkfs"
	done
}

# edit WORD WORD: in all sources; with another time than what was just built.
edit() {
	sleep 0.02
	sed -i "s/$1/$2/" answer.c big.c
}

# In the tree there is no symbolic link to the mount.
all_plain() {
	find "$1" -type l -lname "$mnt/*" >symbolic
	[ ! -s symbolic ] || fail "still on the mount: $(head -n 3 symbolic)"
}

is_collected() {
	run "$linkfs" gc >/dev/null
	[ "$(stat_of outputs)" = 0 ] && [ "$(stat_of generations)" = 0 ]
}

go_through() {
	for settle in ${LINKFS_TEST_SETTLE:-never 5s}; do
		start_mount "settle=$settle"
		mkdir "$T/work/$settle"
		cd "$T/work/$settle" || exit
		sources
		describe
		configure >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "configuring"; }
		made=$(stat_of links_made)
		build >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "building, settle=$settle"; }
		equal $(($(stat_of links_made) - made)) "$links" "links made by a full build, settle=$settle"
		on_mount "$big"
		[ $settle != never ] || on_mount "$prog"
		says_both 42
		is_done >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "something is to do after a build, settle=$settle"; }

		# Builds one after the other: never is anything left to do.
		i=0
		while [ $i -lt "$rounds" ]; do
			i=$((i + 1))
			touch answer.c main.c
			[ $((i % 5)) != 0 ] || touch big.c
			build >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "building in round $i"; }
			is_done >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "something is to do in round $i, settle=$settle"; }
		done

		edit 42 43
		build >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "building after an edit"; }
		says_both 43
		is_done >"$T/out" 2>&1 || fail "something is to do after an edit"
		test_it >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "testing"; }

		rm -rf "$T/dest"
		install_to "$T/dest" >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "installing"; }
		all_plain "$T/dest"
		libs=$(find "$T/dest" -name 'libanswer*' -printf '%h\n' -quit)
		for file in "$prog" "$big"; do
			plain "$T/dest/usr/bin/${file##*/}"
			equal "$(run env LD_LIBRARY_PATH="$libs" "$T/dest/usr/bin/${file##*/}")" "$(run "$file")" "installed ${file##*/}"
		done

		clean >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "cleaning"; }
		[ ! -e "$big" ] && [ ! -L "$big" ] || fail "$big is still there"
		wait_until is_collected || fail "after cleaning $(stat_of outputs) outputs, $(stat_of generations) generations are left"

		edit 43 44
		build >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "building after cleaning"; }
		stop_mount
		all_plain .
		says_both 44
		cd "$T/work" || exit
	done
	# Without the mount, and with what was built on it: it is as any linker's.
	cd "$T/work/$settle" || exit
	is_done >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "something is to do after settling"; }
}
