#!/bin/sh
# install-packages.sh GROUP...: installs what packages.txt lists for the groups and is missing, and prints what that is.
# Nothing is done, and nothing asked, where all is there. As root, or through sudo.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
groups=" $* "
wanted=$(awk -v groups="$groups" '/^[a-z]/ && index(groups, " " $1 " ") { print $2 }' "$here/packages.txt" | sort -u)

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "This is no Debian: these packages, by Debian's names, are taken to be there:"
	echo "$wanted" | tr '\n' ' '
	echo
	exit 0
fi

missing=
for package in $wanted; do
	# A name that dpkg has only heard of is "not-installed"; of several architectures one is enough.
	dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "install-packages.sh: not root and no sudo; as root: apt-get install$missing" >&2
		exit 1
	}
	as_root=sudo
fi
log=$(mktemp "${TMPDIR:-/tmp}/linkfs-apt.XXXXXX")
trap 'rm -f "$log"' EXIT
get() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$log" 2>&1; }
# shellcheck disable=SC2086 # a list of words
if ! { get update && get install --no-install-recommends $missing; }; then
	cat "$log" >&2
	echo "install-packages.sh: apt-get failed, see above; wanted:$missing" >&2
	exit 1
fi
