#!/bin/sh
# linkfs run: each function that starts a program starts ld.linkfs where that is a linker, tells it which one, and passes
# on arguments and environment. What is no linker, or is not there, is as without it.
# NEEDS: linker
. "$(dirname "$0")/lib-run.sh"
exec_family=$LINKFS_BUILD/tests/exec_family

# A linkfs whose ld.linkfs says what it was given.
mkdir -p fake/bin fake/lib fake/libexec/linkfs bin
cp "$linkfs" fake/bin/linkfs
cp -r "$LINKFS_BUILD/lib/linkfs" fake/lib/linkfs
cp -r "$ld_dir/run" fake/libexec/linkfs/run
echo '#!/bin/sh
echo "ours for $LINKFS_FALLBACK: $1 $2 $WORD"' >fake/bin/ld.linkfs
for name in ld ld.gold ld.lld-14 x86_64-pc-linux-gnu-ld aarch64-linux-gnu-ld.bfd ldd ld.so arm-none-eabi-ld old-ld; do
	echo '#!/bin/sh
echo "theirs: $1 $2 $WORD"' >bin/$name
	chmod +x bin/$name
done
chmod +x fake/bin/ld.linkfs
frun() { run env LINKFS_FALLBACK=stale fake/bin/linkfs run --linkfs=file -- "$@"; }

for how in execve execv execvp execvpe execl execlp execle fexecve execveat vfork posix_spawn posix_spawnp; do
	equal "$(frun "$exec_family" $how "$PWD/bin/ld")" "ours for $PWD/bin/ld: a b yes" "$how"
	equal "$(frun "$exec_family" $how "$PWD/bin/ldd")" "theirs: a b yes" "$how of another program"
	case $how in fexecve | vfork) continue ;; esac # the helper opens it, or says nothing
	if frun "$exec_family" $how "$PWD/none/ld" >out 2>&1; then fail "$how of nothing"; fi
	has 'No such file' out
done
equal "$(frun "$exec_family" system 'bin/ld a b')" "ours for bin/ld: a b yes" system
for how in execvp execvpe execlp posix_spawnp; do
	equal "$(frun env PATH="$PWD/none:$PWD/bin:/usr/bin:/bin" "$exec_family" $how ld)" "ours for $PWD/bin/ld: a b yes" "$how in PATH"
done
equal "$(frun "$exec_family" execvp ld)" "ours for : a b yes" "the folder of names"
for name in ld.gold ld.lld-14 x86_64-pc-linux-gnu-ld aarch64-linux-gnu-ld.bfd; do
	equal "$(frun "$exec_family" execve bin/$name)" "ours for bin/$name: a b yes" "$name"
done
for name in ld.so arm-none-eabi-ld old-ld; do
	equal "$(frun "$exec_family" execve bin/$name)" "theirs: a b yes" "$name"
done
chmod -x bin/ld
if frun "$exec_family" execve bin/ld >out 2>&1; then fail "of a file that can't be executed"; fi
has 'Permission denied' out
