#!/bin/sh
# The top level of the tree and the folders of linker/ and tests/ are fixed.
. "$(dirname "$0")/lib.sh"

files '*' | cut -d/ -f1 | sort -u | while read -r name; do
	case $name in
	CMakeLists.txt | CMakePresets.json | README.md | CONTRIBUTING.md | CHANGELOG.md | LICENSE) ;;
	include | linker | arch | fs | tests | mnt-scripts) ;;
	.ci | .clang-format | .editorconfig | .gitignore) ;;
	*) echo "$name is not in the layout" ;;
	esac
done | bad "top level"

files 'linker/*/*' 'tests/*/*' | cut -d/ -f1,2 | sort -u | while read -r name; do
	case $name in
	linker/mem | linker/input | linker/symbols | linker/sections | linker/layout | linker/render) ;;
	tests/unit | tests/link | tests/mount | tests/reloc | tests/fuzz | tests/fault | tests/torture) ;;
	tests/bench | tests/projects | tests/tidy) ;;
	*) echo "$name is not in the layout" ;;
	esac
done | bad "folders"
verdict
