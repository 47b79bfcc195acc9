#!/bin/sh
# The mount process and the linker process are killed while links are made: auto mode falls back to a file or the next
# process makes the link, mount mode says what is wrong, and make links again what only a dead mount had.
# NEEDS: gcc make linker
. "$(dirname "$0")/lib-output.sh"
makes one two
start_mount settle=never
link one.o -o before

# The linker process, while eight links wait for it.
stop_worker
pids=
for i in 1 2 3 4 5 6 7 8; do
	link two.o -o "prog$i" &
	pids="$pids $!"
done
for i in 1 2 3 4 5 6 7 8; do await is_linking "$PWD/prog$i"; done
kill -9 "$worker"
for pid in $pids; do wait "$pid" || fail "a link that its linker process was killed under"; done
for i in 1 2 3 4 5 6 7 8; do
	on_mount "prog$i"
	says "./prog$i" two
done
[ "$(stat_of worker_restarts)" -ge 1 ] || fail "the linker process was not killed"

# The mount process, while it links.
server=$(stat_of mount_pid)
stop_worker
LINKFS_VERBOSE=1
export LINKFS_VERBOSE
link two.o -o fallback 2>said.auto &
auto=$!
link two.o -o refused -Wl,--linkfs=mount 2>said.mount &
must=$!
for name in fallback refused; do await is_linking "$PWD/$name"; done
kill -9 "$server"
wait "$auto" || { cat said.auto >&2; fail "auto mode"; }
wait "$must" && fail "mount mode made a link without its mount"
plain fallback
says ./fallback two
has 'file mode: .*the mount process has ended' said.auto
has 'linkfs=mount: .*the mount process has ended' said.mount
[ ! -e refused ] && [ ! -L refused ] || fail "mount mode left something at -o"
nothing_beside .
unset LINKFS_VERBOSE

# Dangling now; make links anew, to a file while the mount is dead, to a new mount afterwards.
printf 'before: one.o\n\tgcc -B%s/ one.o -o before\n' "$ld_dir" >Makefile
run ./before 2>/dev/null && fail "a program of a dead mount runs"
cp -a before copy
run make -s before || fail "make on a dead mount"
plain before
says ./before one
mv copy before
start_mount settle=never
run make -s before || fail "make on the new mount"
on_mount before
says ./before one
run make -q before || fail "make is not done"
