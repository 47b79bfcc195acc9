#!/bin/sh
# Text: ends with one newline, no space before it, no carriage return, tabs for indentation in C, lines of about 120
# columns in C (a tab is 8, the limit 128), printable ASCII in sources; every C file opens with a comment: what it is.
. "$(dirname "$0")/lib.sh"

files '*.c' '*.h' '*.cc' '*.sh' '*.py' '*.md' '*.json' '*.txt' '*.def' '.*' | while read -r file; do
	grep -nE '[[:space:]]+$' "$file" | sed "s|^|$file:|; s|\$| <- space at the end|"
	[ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
	[ -n "$(tail -n 1 "$file")" ] || [ ! -s "$file" ] || echo "$file: an empty line at the end"
done | bad "text"

files '*.c' '*.h' '*.sh' '*.cc' '*.def' | while read -r file; do
	grep -nP '[^\x20-\x7e\t]' "$file" | sed "s|^|$file:|; s|\$| <- not ASCII|"
	case $file in *.sh) continue ;; esac
	expand -t 8 "$file" | awk -v file="$file" 'length($0) > 128 { print file ":" NR ": " length($0) " columns" }'
done | bad "text"

files '*.c' '*.h' | while read -r file; do
	grep -nE '^( {8}| +[^ *])' "$file" | sed "s|^|$file:|; s|\$| <- indented with spaces|"
	case $(head -c 2 "$file") in
	'/*' | '//') ;;
	*) echo "$file: does not open with a comment that says what it is" ;;
	esac
done | bad "text"
verdict
