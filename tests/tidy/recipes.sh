#!/bin/sh
# The recipes of CONTRIBUTING.md and the map of README.md: each file or folder they name is there, and each CPU has its
# rows in tests/reloc.
. "$(dirname "$0")/lib.sh"

for page in README.md CONTRIBUTING.md tests/README.md; do
	[ -e "$page" ] || {
		echo "$page is missing" | bad "page"
		continue
	}
	grep -oE '`[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?`' "$page" | tr -d '`' | sort -u | while read -r name; do
		case $name in
		*NAME* | *CPU*) ;;
		include/* | linker/* | arch/* | fs/* | tests/* | mnt-scripts/* | .ci/*)
			[ -e "$name" ] || echo "$page names $name, which does not exist"
			;;
		esac
	done | bad "page"
done

for file in arch/*.c; do
	cpu=$(basename "$file" .c)
	[ -e "tests/reloc/$cpu.def" ] || [ -e "tests/reloc/check_$cpu.c" ] ||
		echo "$file: neither tests/reloc/$cpu.def nor tests/reloc/check_$cpu.c"
	grep -q "^const struct arch arch_$cpu\b" "$file" || echo "$file: does not define arch_$cpu"
done | bad "cpu"
verdict
