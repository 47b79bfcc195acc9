#!/bin/sh
# info and stats have every promised key, once, with a value.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add x a
cat "$mnt/x" >/dev/null
check() {	# FILE KEY...
	file=$1
	shift
	run cat "$file" >keys.out
	for key; do
		equal "$(grep -c "^$key: .*[^ ]" keys.out)" 1 "$key in $file"
	done
	grep -vqE '^[a-z_]+: ' keys.out && fail "not a key and a value: $(grep -vE '^[a-z_]+: ' keys.out)"
	return 0
}
check "$mnt/.linkfs/info/x" state mode generation size inputs input_bytes link_ms filled_bytes eager_bytes relocs_total \
	relocs_applied relink_reason restart_safe
check "$mnt/.linkfs/stats" links generations inputs input_bytes mappings cache_bytes cache_limit anon_bytes \
	pinned_deleted_bytes reads fills filled_bytes relocs_applied evictions lease_breaks snapshots worker_restarts worker_pid \
	parsed_objects
equal "$(info_of x state)" ok state
equal "$(info_of x mode)" live mode
equal "$(info_of x size)" 5 size
equal "$(info_of x inputs)" 1 inputs
equal "$(stat_of generations)" 1 generations
[ "$(stat_of anon_bytes)" -gt 10000 ] || fail "anon_bytes is too small to be true"
exec 7<"$mnt/x"
rm a
equal "$(stat_of pinned_deleted_bytes)" 5 "a deleted input is held"
exec 7<&-
run "$linkfs" info x | grep -q '^state: failed' || fail "linkfs info"
run "$linkfs" log x | grep -q 'cannot open' || fail "linkfs log"
