# shellcheck shell=sh
# lib-far.sh: a second linkfs on $far, whose link `lib` is an input for the first; who stops its process, $server, makes a file
# system that does not answer. Sourced after lib.sh and use_fake.

far=$T/far
mkdir "$far"
printf ready >r
server=
resume() {
	[ -z "$server" ] || kill -CONT "$server"
}
at_exit=resume
run "$linkfs" mount -o "cache_dir=$T/cache/far,settle=never" "$far" || fail "can't mount"
server=$(sed -n 's/^mount_pid: //p' "$far/.linkfs/stats")
LINKFS_MOUNT=$far "$linkfs" add lib -- "$PWD/r"
equal "$(cat "$far/lib")" ready "the far mount"
