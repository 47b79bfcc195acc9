#!/bin/sh
# A file of more than 900 lines holds two things. (Tests may be long: tables of rows.)
. "$(dirname "$0")/lib.sh"

files '*.c' '*.h' '*.sh' '*.py' | grep -v '^tests/' | while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 900 ] || echo "$file has $lines lines"
done | bad "file size"
verdict
