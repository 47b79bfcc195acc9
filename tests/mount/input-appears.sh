#!/bin/sh
# Names that were looked for and not found are inputs, too: a library that appears earlier on the search path is used.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
mkdir first second
printf 'from the second' >second/libx.a
add x -Lfirst -Lsecond -lx
equal "$(cat "$mnt/x")" "from the second" "the only one there is"
printf 'from the first' >first/libx.a
equal "$(cat "$mnt/x")" "from the first" "the one that appeared"
has '^relink_reason: first/libx.a appeared' "$mnt/.linkfs/info/x"
rm first/libx.a
equal "$(cat "$mnt/x")" "from the second" "after it vanished"
rm -r second
ln -s first second
printf 'through a link' >first/libx.a
equal "$(cat "$mnt/x")" "through a link" "a directory became a symbolic link"
