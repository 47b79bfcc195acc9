#!/bin/sh
# Scripts: parse, can be executed (but for what is sourced), and shellcheck has no complaint where it is installed.
. "$(dirname "$0")/lib.sh"

files '*.sh' '.ci/run' | while read -r file; do
	case $(head -n 1 "$file") in
	*bash) bash -n "$file" 2>&1 || : ;;
	*) sh -n "$file" 2>&1 || : ;;
	esac
	case $file in
	*/lib*.sh) ;;
	*) [ -x "$file" ] || echo "$file: not executable" ;;
	esac
done | bad "script"

if command -v shellcheck >/dev/null 2>&1; then
	# Sourced files are checked by themselves; what they define is unknown to the others.
	files '*.sh' '.ci/run' | xargs -r shellcheck -S warning -e SC1090,SC1091,SC2154,SC2034,SC2046,SC2010 -f gcc 2>&1 | bad "shellcheck"
fi
verdict
