#!/bin/sh
# Whole C and C++ programs, static, PIE and shared, with debug information: any window of the image has the bytes of the
# file that was written at once.
# NEEDS: cc cxx static static-cxx static-pie
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "fills ranges of an image in process"
[ -x "$LINKFS_BUILD/tests/fill_windows" ] || skip "$LINKFS_BUILD/tests/fill_windows is not built"

cat >a.cc <<'END'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
thread_local int calls;
static std::map<std::string, int> words;
int count(const std::string &s)
{
	if (s.empty())
		throw std::invalid_argument("empty");
	calls++;
	return ++words[s];
}
int main()
{
	try {
		count("a");
		count("");
	} catch (const std::exception &e) {
		std::cout << e.what() << calls << std::endl;
	}
}
END
cxx -g -O1 -fPIC -c a.cc

# A linker for the driver that notes how it was called.
mkdir noting
cat >noting/ld <<END
#!/bin/sh
for arg; do printf '%s\n' "\$arg"; done >"$T/work/args"
exec "$LD" "\$@"
END
chmod +x noting/ld

seed=0
for mode in -static -static-pie -pie -no-pie -shared; do
	g++ -B"$T/work/noting/" $mode a.o -o out
	[ "$mode" = -shared ] || run_is "empty1" ./out
	set --
	while IFS= read -r arg; do set -- "$@" "$arg"; done <args
	seed=$((seed + 1))
	"$LINKFS_BUILD/tests/fill_windows" out $seed ld "$@" || fail "$mode: windows differ from the file"
done
