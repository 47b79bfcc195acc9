#!/bin/sh
# Harmless options that configure scripts and build systems pass are accepted.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "none knows all of them"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
for o in --no-add-needed --no-copy-dt-needed-entries --fatal-warnings "-z combreloc" "-z nocopyreloc" "-z origin" \
	"-z separate-code" "-z noseparate-code" "-z max-page-size=4096" "-z common-page-size=4096" "-z notext" --sort-common \
	--sort-section=name --warn-common --no-warn-mismatch --color-diagnostics=auto -X -x --discard-locals --discard-all \
	--no-keep-memory --reduce-memory-overheads "-rpath-link /x" --enable-new-dtags --disable-new-dtags \
	--warn-unresolved-symbols --error-limit=0 --no-fatal-warnings --demangle --no-demangle; do
	"$LD" $o a.o -o a 2>err || { cat err >&2; fail "not accepted: $o"; }
	[ -s a ] || fail "no output with $o"
	rm a
done
