#!/bin/sh
# install-packages.sh installs what is missing of its groups, and what dpkg has only heard of ("not-installed") is missing.
. "$(dirname "$0")/lib.sh"

bin=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-tidy.XXXXXX")
trap 'rm -rf "$bin" "$tally"' EXIT
cat >"$bin/dpkg-query" <<'END_QUERY'
#!/bin/sh
for package; do :; done # the last word
case $package in
cmake) echo not-installed ;;
fuse3) echo config-files ;;
zlib1g-dev) exit 1 ;;
libelf-dev) printf 'not-installed\ninstalled\n' ;;
*) echo installed ;;
esac
END_QUERY
printf '#!/bin/sh\necho "$*" >>%s/asked\n' "$bin" >"$bin/apt-get"
printf '#!/bin/sh\nexec "$@"\n' >"$bin/sudo"
chmod +x "$bin"/*
told=$(PATH="$bin:$PATH" mnt-scripts/install-packages.sh build)
[ "$told" = "Installing: cmake fuse3 zlib1g-dev" ] || echo "it told: $told" | bad "packages"
grep -q 'install .* cmake fuse3 zlib1g-dev$' "$bin/asked" || echo "apt-get was asked: $(cat "$bin/asked")" | bad "packages"
verdict
