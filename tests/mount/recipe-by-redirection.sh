#!/bin/sh
# A recipe can be written by the shell: it commits when data is followed by a close, and the old one serves until then.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
links=$mnt/.linkfs/links
printf 'first' >a
printf 'second' >b
echo "--chdir=$PWD a" >"$links/x"
equal "$(cat "$mnt/x")" first "the link of a"
echo "--chdir=$PWD b" >"$links/x"
equal "$(cat "$mnt/x")" second "the link of b"
equal "$(cat "$links/x")" "--chdir=$PWD b" "the recipe read back"
has '^relink_reason: the recipe changed' "$mnt/.linkfs/info/x"

# While it is being written the old one serves.
exec 7>"$links/x"
equal "$(cat "$mnt/x")" second "after truncation"
printf '%s "a" b\n' "--chdir=$PWD" >&7
exec 7>&-
equal "$(cat "$mnt/x")" firstsecond "the whole recipe"

# Opened for writing, and nothing written: nothing changes.
exec 7>"$links/x"
exec 7>&-
equal "$(cat "$mnt/x")" firstsecond "after an empty write"

# Appending, renaming over another, removing.
echo "b" >>"$links/x"
equal "$(cat "$mnt/x")" firstsecondsecond "after appending"
echo "--chdir=$PWD a" >"$links/y"
mv "$links/x" "$links/y"
equal "$(ls "$mnt")" y "names after the rename"
equal "$(cat "$mnt/y")" firstsecondsecond "the renamed link"
cp /dev/null "$links/empty"
[ ! -e "$mnt/empty" ] || fail "a recipe without text made a link"
rm "$links/y" "$links/empty"
equal "$(ls -A "$mnt" | tr '\n' ' ')" ".linkfs .o " "names after rm"
echo '"open quote' >"$links/z"
expect_error 'Input/output error' cat "$mnt/z"
has 'quote' "$mnt/.linkfs/log/z"
