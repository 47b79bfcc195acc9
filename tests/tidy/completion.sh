#!/bin/sh
# Completion: bash sources it without a word, and knows every command, their options, live links, and the linker's options;
# zsh parses its own.
. "$(dirname "$0")/lib.sh"
T=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-tidy.XXXXXX")
trap 'rm -rf "$tally" "$T"' EXIT
command -v bash >/dev/null || {
	echo "SKIP: bash is not installed"
	exit 77
}
cat >"$T/ask" <<'END'
set -u
. mnt-scripts/completion/linkfs.bash
# offers WORD...: what is offered for the last of them, sorted.
offers() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	if [ "${1##*/}" = linkfs ]; then _linkfs; else _ld_linkfs; fi
	printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort -u | tr '\n' ' '
}
want() {
	local want=$1
	shift
	got=$(offers "$@")
	case " $got" in *" $want "*) ;; *) echo "for: $*: no $want among: $got" ;; esac
}
export LINKFS_MOUNT=/none/at/all
for c in $COMMANDS; do want "$c" linkfs "${c%?}"; done
want --watch linkfs status --w
want made linkfs status --sort = m
want file linkfs run --linkfs = ''
want cache_size= linkfs mount -o c
want settle= linkfs run -o s
want watches= linkfs run -o w
want threads=4,settle= linkfs mount -o threads=4,s
want --no-settle linkfs umount -
want --relink linkfs doctor --
want --json linkfs status -
want fs/who.c linkfs why fs/who.
want tests linkfs check test
want --gc-sections "$LINKFS_BUILD/bin/ld.linkfs" --gc
want README.md "$LINKFS_BUILD/bin/ld.linkfs" READ
[ -z "$(offers linkfs rm x)" ] || [ "$(offers linkfs rm x)" = " " ] || echo "names without a mount"
END
# but for what scripts call
COMMANDS=$(grep -oE '\{ "[a-z-]+", cmd_' fs/linkfs.c | grep -oE '[a-z-]+"' | tr -d '"' | grep -v -e before-install -e run-command | tr '\n' ' ')
export COMMANDS
bash --norc "$T/ask" 2>&1 | bad "bash"
for c in $COMMANDS; do
	grep -qE "'$c:" mnt-scripts/completion/_linkfs || echo "zsh: no $c"
done | bad "zsh"
! command -v zsh >/dev/null || zsh -n mnt-scripts/completion/_linkfs 2>&1 | bad "zsh"
verdict
