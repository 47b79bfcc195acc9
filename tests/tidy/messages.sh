#!/bin/sh
# Messages: lower case, no full stop and no newline at the end; libraries neither print nor exit.
. "$(dirname "$0")/lib.sh"

files 'linker/*.c' 'fs/*.c' | while read -r file; do
	# Calls may be broken over lines: join each with its end first.
	awk -v file="$file" '
		/^#/ || in_macro { in_macro = /\\$/; next }
		/diag_(error|warn|note|add)\(/ { call = ""; first = NR; open = 1 }
		open {
			call = call $0
			if ($0 ~ /;[[:space:]]*$/) {
				open = 0
				n = index(call, "\"")
				if (!n) next
				text = substr(call, n + 1)
				if (text ~ /^[A-Z][a-z]/) print file ":" first ": starts with a capital: " text
				if (text ~ /[^.]\."[,)]/) print file ":" first ": ends with a full stop: " text
				if (text ~ /\\n"[,)]/) print file ":" first ": ends with a newline: " text
			}
		}' "$file"
done | bad "message"

files 'linker/*.c' 'arch/*.c' | while read -r file; do
	grep -nE '(^|[^_[:alnum:].>])(printf|puts|putchar|perror|exit|_exit|abort|err|errx|warn|warnx)[[:space:]]*\(' "$file" |
		grep -vE ':[[:space:]]*(/?\*|//)' | sed "s|^|$file:|"
	grep -nE '\b(stdout|stderr)\b' "$file" | grep -vE ':[[:space:]]*(/?\*|//)' | sed "s|^|$file:|"
done | bad "a library prints or exits"
verdict
