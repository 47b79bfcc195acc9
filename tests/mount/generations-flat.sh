#!/bin/sh
# Many generations of one small program leave inputs, mappings and descriptors of both processes where they were.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
rounds=${LINKFS_TEST_ROUNDS:-300}
for i in 0 1 2; do
	echo "int main(void) { return VALUE; } char pad[20000] = {1};" >m.c
	gcc -DVALUE=$i -c m.c -o "m$i.o"
done
cp m0.o m.o
start_mount
add_linked p gcc m.o -o p
links_well p
fds() { for f in "/proc/$1/fd"/*; do [ -e "$f" ] || [ -L "$f" ] && echo "$f"; done | wc -l; }
# counts: what must not grow.
counts() {
	i=0
	while [ "$(stat_of generations)" != 1 ] && [ $i -lt 100 ]; do # the kernel lets go of old ones in its own time
		echo 2 >/proc/sys/vm/drop_caches 2>/dev/null || :
		i=$((i + 1))
		sleep 0.05
	done
	worker=$(stat_of worker_pid)
	echo "$(stat_of generations) $(stat_of inputs) $(stat_of mappings) $(stat_of leases)" \
		"$(fds "$worker") $(fds "$(stat_of mount_pid)") $(stat_of snapshot_bytes)"
}
anon() { stat_of anon_bytes; }
generation() {
	case $(($1 % 3)) in
	0) cp "m$(($1 / 3 % 3)).o" n.o && mv n.o m.o ;; # replaced
	*) cat "m$(($1 % 3)).o" >m.o ;;                 # overwritten
	esac
	status=0
	run "$mnt/p" || status=$?
}
n=0
while [ $n -lt 60 ]; do
	n=$((n + 1))
	generation $n
done
[ -w /proc/sys/vm/drop_caches ] || skip "needs root, to see the kernel let go of generations"
first=$(counts)
first_anon=$(anon)
while [ $n -lt "$rounds" ]; do
	n=$((n + 1))
	generation $n
done
last=$(counts)
# The linker process may have the version before of the one object that changes, or not yet.
echo "$first $last" | awk '{ for (i = 1; i <= NF / 2; i++) if ($(i + NF / 2) > $i + 1) exit 1 }' ||
	fail "generations, inputs, mappings, leases, descriptors of both processes, snapshot_bytes: $first, then $last"
equal "$(stat_of worker_restarts)" 0 "the linker process was replaced"
[ -n "${LINKFS_SANITIZE:-}" ] || [ "$(anon)" -lt $((first_anon + 2000000)) ] || fail "anon_bytes: $first_anon, then $(anon)"
