#!/bin/sh
# The gate on the data model: a clang frontend linked in file mode in at most 1.2 times mold's time, measured in the same run,
# with anonymous memory of at most 0.35 of the input's bytes; and the frontend compiles.
set -eu

skip() {
	echo "SKIP: $*"
	exit 77
}
[ -x "$LINKFS_BUILD/bin/ld.linkfs" ] || skip "ld.linkfs is not built"
[ -z "${LINKFS_SANITIZE:-}" ] || skip "a sanitizer is no measure"
for program in mold g++ llvm-config-14 python3; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done
[ -e "$(llvm-config-14 --libdir)/libclangFrontendTool.a" ] || skip "libclang-14-dev is not installed"

work=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-gate.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$LINKFS_SOURCE/tests/bench/run.sh" --work "$work" --runs 9 --linkers "linkfs mold" --gate cc1
