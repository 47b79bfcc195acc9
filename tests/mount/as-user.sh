#!/bin/sh
# Other tests of the mount, run by an ordinary user with fusermount3.
. "$(dirname "$0")/lib-user.sh"
private_fuse
. "$(dirname "$0")/lib.sh"
use_fake
use_users
bad=
for name in add-rm-list default-mount-point foreground keys mount-umount options recipe-by-redirection recipes-persist \
	run-command signal stale-mount umount-busy worker-crash-fill fresh-names; do
	status=0
	"$as" "$user" "$lib_dir/$name.sh" >"$T/out" 2>&1 || status=$?
	[ "$status" != 77 ] || echo "$name: $(tail -n 1 "$T/out")"
	[ "$status" = 0 ] || [ "$status" = 77 ] || { echo "$name: status $status" && tail -n 5 "$T/out" && bad=1; }
	[ "$status" != 0 ] || passed=1
done
[ -z "$bad" ] || fail "see above"
[ -n "${passed:-}" ] || skip "each of them was skipped"
