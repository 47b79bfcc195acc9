#!/bin/sh
# What ld.linkfs leaves beside -o when it is killed before it has renamed it, a symbolic link with a temporary name, is
# removed, and not made a plain file.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

big_object one one
start_mount settle=300ms
link one.o -o prog
mv prog .linkfs-1-0-1f # as it would be called
await test ! -L .linkfs-1-0-1f
nothing_beside .
