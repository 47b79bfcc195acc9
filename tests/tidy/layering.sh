#!/bin/sh
# Who may include whom: include < linker/mem < input < symbols < sections < layout < render < linker; arch and fs see
# include/ and themselves; libelf is for linker/input, libfuse for fs.
. "$(dirname "$0")/lib.sh"

# check DIR FOLDER...: every "header" of DIR's files lies in one of the folders.
check() {
	dir=$1
	shift
	for file in "$dir"/*.[ch]; do
		[ -e "$file" ] || continue
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" | while read -r header; do
			for folder; do
				[ ! -e "$folder/$header" ] || continue 2
			done
			echo "$file includes \"$header\", which is in none of: $*"
		done
	done | bad layering
}

# only HEADERS DIR: the system headers that match belong to DIR alone.
only() {
	files 'include/*.[ch]' 'linker/*.[ch]' 'arch/*.[ch]' 'fs/*.[ch]' | grep -v "^$2/" | while read -r file; do
		grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($1)>" "$file" | sed "s|^|$file:|"
	done | bad "only in $2"
}

seen=include
for layer in mem input symbols sections layout render; do
	seen="$seen linker/$layer"
	# shellcheck disable=SC2086 # a list of folders
	check "linker/$layer" $seen
done
# shellcheck disable=SC2086
check linker $seen linker
check include include
check arch include arch
check fs include fs

only 'libelf\.h|gelf\.h|elfutils/.*' linker/input
only 'fuse.*\.h' fs
verdict
