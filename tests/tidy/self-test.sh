#!/bin/sh
# The tidy tests see what they are for: each is shown a small tree that is right but for one thing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-tidy.XXXXXX")
trap 'rm -rf "$work"' EXIT
status=0

# fresh: a tree without fault at $work/tree.
fresh() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree"
	cd "$work/tree"
	mkdir -p include linker/mem linker/input arch fs tests/reloc tests/tidy
	echo '/* diag.h - errors */' >include/diag.h
	printf '/* arena.h - memory */\n#include "diag.h"\n' >linker/mem/arena.h
	printf '/* object.c - objects */\n#include <gelf.h>\n#include "arena.h"\n' >linker/input/object.c
	printf '/* cpu.c - a CPU */\n#include "diag.h"\nconst struct arch arch_cpu = {};\n' >arch/cpu.c
	printf '/* ops.c - operations */\n#include <fuse_lowlevel.h>\n#include "diag.h"\n' >fs/ops.c
	echo 'R(1)' >tests/reloc/cpu.def
	for page in README.md CONTRIBUTING.md tests/README.md; do echo 'See `include/diag.h`.' >$page; done
}

# sees RULE WHAT: the rule must now complain of the tree.
sees() {
	if LINKFS_SOURCE=$work/tree "$here/$1.sh" >"$work/out" 2>&1; then
		echo "FAIL: $1 does not see $2"
		status=1
	fi
	fresh
}

fresh
for rule in "$here"/*.sh; do
	case $rule in
	*/lib.sh | */self-test.sh | */packages.sh) continue ;;
	*/install.sh | */pages.sh | */completion.sh) continue ;; # of a build
	esac
	if ! LINKFS_SOURCE=$work/tree "$rule" >"$work/out" 2>&1; then
		echo "FAIL: $(basename "$rule" .sh) complains of a tree without fault"
		cat "$work/out"
		status=1
	fi
done

echo '#include "object.h"' >>linker/mem/arena.h
: >linker/input/object.h
sees layering "an earlier layer that includes a later one"
echo '#include "arena.h"' >>fs/ops.c
sees layering "the mount including the linker"
echo '#include <libelf.h>' >>linker/mem/arena.h
sees layering "libelf outside linker/input"
echo '#include <fuse.h>' >>arch/cpu.c
sees layering "libfuse outside fs"

printf 'int a = R_X86_64_%s;\n' 64 >>linker/input/object.c
sees cpu-names "a relocation's name"
printf 'int a = EM_%s;\n' X86_64 >>fs/ops.c
sees cpu-names "a machine's name"

printf '/* TO%s: later */\n' DO >>fs/ops.c
sees unfinished "an open end"

yes '/* line */' | head -n 901 >>fs/ops.c
sees file-size "a long file"

echo hello >notes.txt
sees top-level "a stray file"
mkdir linker/misc && echo '/* x.c - x */' >linker/misc/x.c
sees top-level "a stray folder"

printf 'int a; \n' >>fs/ops.c
sees text-hygiene "a space at the end"
printf 'int a;' >>fs/ops.c
sees text-hygiene "a missing newline"
printf 'int a;\r\n' >>fs/ops.c
sees text-hygiene "a carriage return"
printf '        int a;\n' >>fs/ops.c
sees text-hygiene "indentation by spaces"
printf '/*%0130d*/\n' 0 >>fs/ops.c
sees text-hygiene "a wide line"
printf '/* caf\303\251 */\n' >>fs/ops.c
sees text-hygiene "a letter that is not ASCII"
printf 'int a;\n' >fs/ops.c
sees text-hygiene "a file without a head"

printf '\tdiag_error(d, 0,\n\t\t   "%%s: bad thing.", name);\n' >>linker/input/object.c
sees messages "a full stop"
printf '\tdiag_warn(d, 0, "Bad thing");\n' >>linker/input/object.c
sees messages "a capital"
printf '\tprintf("hello");\n' >>linker/input/object.c
sees messages "a library that prints"
printf '\tabort();\n' >>arch/cpu.c
sees messages "a library that aborts"

printf '#!/bin/sh\nif true; then\n' >tests/tidy/x.sh
chmod +x tests/tidy/x.sh
sees scripts "a script that does not parse"
printf '#!/bin/sh\ntrue\n' >tests/tidy/x.sh
sees scripts "a script that cannot be executed"

echo 'See `linker/nothing.c`.' >>CONTRIBUTING.md
sees recipes "a page that names a missing file"
printf '/* new.c - a CPU */\nconst struct arch arch_new = {};\n' >arch/new.c
sees recipes "a CPU without rows"
exit $status
