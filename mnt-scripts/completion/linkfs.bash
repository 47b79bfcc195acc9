# linkfs.bash - completion of linkfs and ld.linkfs for bash. Names of links come from a mount only if one is there: a
# dead mount is never touched.

_linkfs_mountpoint() {
	local word point=${LINKFS_MOUNT:-${XDG_CACHE_HOME:-$HOME/.cache}/linkfs/mnt}
	for word in "${COMP_WORDS[@]}"; do
		case $word in --mount=*) point=${word#--mount=} ;; esac
	done
	while read -r _ _ _ _ at _ rest; do
		case "$at $rest" in "$point "*" fuse.linkfs "*) printf '%s\n' "$point"; return ;; esac
	done </proc/self/mountinfo
	return 1
}

# _linkfs_add FUNCTION ARG...: its lines that begin with the word are candidates.
_linkfs_add() {
	local line
	while IFS= read -r line; do
		case $line in "$cur"*) COMPREPLY+=("$line") ;; esac
	done < <("$@")
}

_linkfs_names() {
	local point
	point=$(_linkfs_mountpoint) || return 0
	command ls -1 -- "$point/.linkfs/links" 2>/dev/null
}

_linkfs_words() {
	printf '%s\n' "$@"
}

_linkfs_mount_options() {
	local before=
	case $cur in *,*) before=${cur%,*}, ;; esac
	cur=${cur#-o}
	_linkfs_words "${before}cache_dir=" "${before}cache_size=" "${before}threads=" "${before}watches=" "${before}settle=" \
		"${before}link_timeout=" "${before}fill_timeout=" "${before}allow_other"
}

_linkfs() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	# "=" parts words: what stands before it belongs to this one.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ "$COMP_CWORD" = 1 ]; then
		_linkfs_add _linkfs_words run enable disable mount umount add rm status why info log check doctor materialize gc uninstall \
			--help --version
		return
	fi
	case $prev in
	--sort) _linkfs_add _linkfs_words age name size time made pinned; return ;;
	--linkfs) _linkfs_add _linkfs_words auto mount file; return ;;
	--mount) compopt -o filenames 2>/dev/null; _linkfs_add compgen -d -- "$cur"; return ;;
	-o)
		if [ "$command" = mount ] || [ "$command" = run ]; then
			compopt -o nospace 2>/dev/null
			_linkfs_add _linkfs_mount_options
			return
		fi
		;;
	esac
	case $command in
	run)
		local i
		for ((i = 2; i < COMP_CWORD; i++)); do
			if [ "${COMP_WORDS[i]}" = -- ]; then
				if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); else _linkfs_add compgen -c -- "$cur"; fi
				return
			fi
		done
		_linkfs_add _linkfs_words --linkfs= --mount= -o --
		;;
	mount) _linkfs_add _linkfs_words -f -o ;;
	uninstall) _linkfs_add _linkfs_words --user; return ;;
	umount) _linkfs_add _linkfs_words --lazy --no-settle ;;
	rm) _linkfs_add _linkfs_names; _linkfs_add _linkfs_words --mount= ; return ;;
	status) _linkfs_add _linkfs_words --watch --json --all --sort= --mount=; return ;;
	why | info | log) _linkfs_add _linkfs_names; _linkfs_add _linkfs_words --mount= ;;
	check) _linkfs_add _linkfs_words --summary ;;
	doctor) _linkfs_add _linkfs_words --relink --remove --mount= ;;
	add) _linkfs_add _linkfs_words --mount= -- ;;
	gc) _linkfs_add _linkfs_words --mount=; return ;;
	esac
	case $cur in -*) compopt -o nospace 2>/dev/null; return ;; esac
	compopt -o filenames 2>/dev/null
	case $command in
	mount | umount | enable | disable | check | doctor) _linkfs_add compgen -d -- "$cur" ;;
	*) _linkfs_add compgen -f -- "$cur" ;;
	esac
}

# The long options, from its own --help.
_ld_linkfs() {
	local cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	case $cur in
	-*) _linkfs_add eval "'${COMP_WORDS[0]}' --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-zA-Z][-a-zA-Z0-9_]*' | tr -d ' ,' | sort -u" ;;
	*) compopt -o filenames 2>/dev/null; _linkfs_add compgen -f -- "$cur" ;;
	esac
}

complete -F _linkfs linkfs
complete -F _ld_linkfs ld.linkfs
