#!/bin/sh
# A file of another user can't be leased without the right to: it is copied, but for what is root's and nobody here can
# write, which stays as it is.
# NEEDS: root setpriv openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 900000 want
cp want a
cp want root
chown 12345 a
chown 0:0 root
chmod 644 root
real=$linkfs
# Without the right to lease others' files, and to write them.
cat >weak <<END_SH
#!/bin/sh
exec setpriv --bounding-set -lease,-dac_override --inh-caps -lease,-dac_override '$real' "\$@"
END_SH
chmod 755 weak
linkfs=$T/work/weak
"$linkfs" --version >/dev/null 2>err || skip "setpriv: $(cat err)"
start_mount
add x a
exec 7<"$mnt/x"
run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - want || fail "the first page"
equal "$(stat_of leases) $(stat_of snapshots)" "0 1" "leases, snapshots"
tr '\000-\377' '\001-\377\000' <want >other
cat other >a
same_bytes /dev/fd/7 want
exec 7<&-
run cmp other "$mnt/x" || fail "the new generation"
# Its owner may lease what is root's.
add y root
exec 7<"$mnt/y"
equal "$(stat_of leases)" 1 "leases of own files"
cat other >root
same_bytes /dev/fd/7 want
exec 7<&-
