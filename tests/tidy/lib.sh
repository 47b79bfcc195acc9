# shellcheck shell=sh
# lib.sh: what the tidy tests share. They read the tree at $LINKFS_SOURCE as text. `files` lists it; `bad` notes what
# breaks a rule, by file and line where it can; `verdict` ends the test.
set -eu
LC_ALL=C
export LC_ALL

cd "${LINKFS_SOURCE:-$(dirname "$0")/../..}"
tally=$(mktemp "${TMPDIR:-/tmp}/linkfs-tidy.XXXXXX")
trap 'rm -f "$tally"' EXIT

# files GLOB...: regular files of the project whose path (no leading ./) matches one of the patterns.
files() {
	find . \( -path ./.git -o -path './build*' -o -path ./.cache -o -name __pycache__ \) -prune -o -type f -print |
		sed 's|^\./||' | sort | while read -r file; do
		for glob; do
			# shellcheck disable=SC2254 # a pattern is meant
			case $file in
			$glob)
				printf '%s\n' "$file"
				break
				;;
			esac
		done
	done
}

# bad RULE: each line of standard input is one complaint.
bad() {
	sed "/./s|^|$1: |" >>"$tally"
}

verdict() {
	if [ -s "$tally" ]; then
		cat "$tally"
		echo "FAIL: $(wc -l <"$tally") complaints"
		exit 1
	fi
	exit 0
}
