#!/bin/sh
# --help prints the options to stdout and succeeds; libtool and configure look for some of them.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

"$LD" --help >help
for o in --gc-sections --as-needed --whole-archive -rpath -soname --build-id --version-script -Map --hash-style; do
	has "$o" help
done
