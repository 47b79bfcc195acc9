#!/bin/sh
# What comes out when an output is made again after a restart is compared with what was kept of it: another one is absent,
# not read. Here a file is made that says of a link what is not true, with good sums.
# NEEDS: linker gcc python3
. "$(dirname "$0")/lib-output.sh"

kept=$T/cache/linkfs/outputs

# forge FIELD: changes one number of the head (fs/kept.h) of what was kept of FIELD.
forge() {
	python3 - "$(find "$kept" -name "$(id_of "$1")")" "$1" <<-'EOF' || fail "forging $1"
	import struct, sys
	fields = ("magic version head_sum body_sum linker kept_ns path_sz place_sz recipe_sz record_sz size mode mtime_ns "
	          "input_bytes eager_bytes relocs_total link_us").split()
	fmt = "<QIxxxx15Q"
	data = bytearray(open(sys.argv[1], "rb").read())
	head = dict(zip(fields, struct.unpack_from(fmt, data)))
	def fnv(b):
	    h = 0xcbf29ce484222325
	    for c in b:
	        h = (h ^ c) * 0x100000001b3 & (1 << 64) - 1
	    return h
	def pack():
	    struct.pack_into(fmt, data, 0, *(head[f] for f in fields))
	    return bytes(data[:struct.calcsize(fmt) + head["path_sz"] + head["place_sz"]])
	given = head["head_sum"]
	head["head_sum"] = 0
	assert fnv(pack()) == given, "the sum is another one by now: see fs/kept.c"
	head[sys.argv[2]] ^= 8
	head["head_sum"] = fnv(pack())
	pack()
	open(sys.argv[1], "wb").write(data)
	EOF
}

id_of() {
	readlink "$1" | sed "s,$mnt/.o/\([^/]*\)/.*,\1,"
}

is_safe() {
	[ "$(info_of "$PWD/$1" restart_safe)" = yes ]
}

fields="size input_bytes eager_bytes relocs_total linker version"
big_object prog word
start_mount settle=never
for field in $fields; do
	link prog.o -o "$field"
done
for field in $fields; do
	await is_safe "$field"
done
run "$linkfs" umount --no-settle "$mnt"
for field in $fields; do
	forge "$field"
done
start_mount settle=never
for field in $fields; do
	expect_error "No such file" cat "$field"
	case $field in
	linker | version) has "$(id_of "$field"): another linkfs made it" "$T/mount.err" ;;
	*)
		has "made again it is another one" "$mnt/.linkfs/log$PWD/$field"
		equal "$(info_of "$PWD/$field" restart_safe)" no "restart_safe"
		;;
	esac
	expect_error "No such file" stat -L "$field"
done
equal "$(find "$kept" -type f | wc -l)" 0 "files left of them"
link prog.o -o size
says ./size word
