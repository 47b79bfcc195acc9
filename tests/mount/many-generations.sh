#!/bin/sh
# However many generations there were, of a live link and of ld.linkfs's outputs: descriptors, mappings, memory and
# blocks are what they were after the first few. LINKFS_GENERATIONS says how many (120).
# NEEDS: linker gcc
. "$(dirname "$0")/lib.sh"
count=${LINKFS_GENERATIONS:-120}

cat >main.c <<'END'
extern int value;
int main(void) { return value; }
END
for i in 0 1 2; do
	echo "int value = $i; char pad${i}[70000] = { 1 };" >v.c
	gcc -c v.c -o v$i.o
done
gcc -c main.c
unset LINKFS_MODE
start_mount settle=never
cp v0.o v.o
add_linked live gcc main.o v.o -o live
links_well live

# next I: a new object under the old name, as compilers make it.
next() {
	cp v$(($1 % 3)).o v.tmp && mv v.tmp v.o
}
# hold WHAT-PID: descriptors, mappings.
hold() {
	echo "$(find "/proc/$1/fd" -mindepth 1 | wc -l) $(wc -l <"/proc/$1/maps")"
}
measure() {
	"$linkfs" gc >/dev/null
	sleep 0.3
	next 0
	"$mnt/live" || fail "it does not run" # what is no longer needed goes when a link was made
	mount_holds=$(hold "$(stat_of mount_pid)")
	linker_holds=$(hold "$(stat_of worker_pid)")
	anon=$(stat_of anon_bytes)
	blocks=$(stat_of cache_bytes)
	inputs=$(stat_of inputs)
	generations=$(stat_of generations)
}
make_some() {	# FROM TO
	i=$1
	while [ "$i" -lt "$2" ]; do
		next "$i"
		status=0
		"$mnt/live" || status=$?
		[ $status = $((i % 3)) ] || fail "generation $i returned $status"
		if [ $((i % 4)) = 0 ]; then
			gcc -B"$LINKFS_BUILD/libexec/linkfs" main.o v.o -o out
			status=0
			./out || status=$?
			[ $status = $((i % 3)) ] || fail "output $i returned $status"
		fi
		i=$((i + 1))
	done
}

make_some 0 60
measure
before_mount=$mount_holds before_linker=$linker_holds before_anon=$anon before_blocks=$blocks before_inputs=$inputs
before_generations=$generations
make_some 60 "$count"
measure
echo "mount process: $before_mount -> $mount_holds (descriptors, mappings)"
echo "linker process: $before_linker -> $linker_holds"
echo "anon_bytes: $before_anon -> $anon, cache_bytes: $before_blocks -> $blocks, inputs: $before_inputs -> $inputs"

near() {	# GOT BEFORE SLACK WHAT
	[ "$1" -le $(($2 + $3)) ] || fail "$4: $2 before, $1 now"
}
near "${mount_holds% *}" "${before_mount% *}" 8 "descriptors of the mount process"
near "${mount_holds#* }" "${before_mount#* }" 8 "mappings of the mount process"
near "${linker_holds% *}" "${before_linker% *}" 8 "descriptors of the linker process"
near "${linker_holds#* }" "${before_linker#* }" 16 "mappings of the linker process"
# A sanitizer keeps what was freed for a while.
[ -n "${LINKFS_SANITIZE:-}" ] || near "$anon" "$before_anon" 8000000 "anonymous memory"
near "$blocks" "$before_blocks" 200000 "blocks"
near "$inputs" "$before_inputs" 3 "inputs"
near "$generations" "$before_generations" 1 "generations"
