#!/bin/sh
# Every kind of change to what a name means is seen at the very next stat: directories and symbolic links on the way to it,
# names that were looked for and not found. While nothing changes no file is looked at.
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-fresh.sh"
use_fake
mkdir -p one/in two/in deep/er/est second
printf 1 >one/in/a
printf 22 >two/in/a
printf 333 >deep/er/est/a
ln -s one first-hop
ln -s first-hop/in hop
start_mount

add x hop/a
now_gives x 1 "through two symbolic links"
quiet x
ln -sfn two first-hop
now_gives x 22 "a hop in the middle points elsewhere"
quiet x
ln -sfn one/in hop
now_gives x 1 "the link itself points elsewhere"
quiet x
ln -sfn "$PWD/two/in" hop
now_gives x 22 "and to an absolute path"
quiet x
rm hop && cp -r deep/er/est hop
now_gives x 333 "a directory in its place"
quiet x

add y "$PWD/deep/er/est/../est/a"
now_gives y 333 "a deep one"
quiet y
mv deep/er deep/away
expect_error 'Input/output error' cat "$mnt/y"
quiet y
mkdir -p deep/er/est
expect_error 'Input/output error' cat "$mnt/y"
printf 4444 >deep/er/est/a
now_gives y 4444 "another directory of that name"
quiet y
mv deep shallow && cp -r shallow deep && printf 55555 >deep/er/est/a
now_gives y 55555 "an ancestor renamed and made again"
quiet y
rm -r deep/er && mv deep/away deep/er
now_gives y 333 "the first one again"
quiet y

printf from-second >second/libz.a
add z -Lnone/yet -Lfirst -Lsecond -lz
now_gives z from-second "the only library"
quiet z
mkdir none
now_gives z from-second "a directory on the way to none"
quiet z
mkdir first
printf from-first >first/libz.a
now_gives z from-first "one that appears earlier"
quiet z
mkdir none/yet
quiet z
ln -s ../../second/libz.a none/yet/libz.a
now_gives z from-second "a link to it, earlier still"
quiet z
printf 'what the link leads to' >new && mv new second/libz.a
now_gives z 'what the link leads to' "what it leads to changed"
quiet z

# The directory that the link runs in.
mkdir -p up/here
printf 666666 >up/here/b
echo "--chdir=$PWD/up/here b" >"$mnt/.linkfs/links/w"
now_gives w 666666 "relative to its directory"
quiet w
mv up/here up/there && mkdir up/here && printf 7777777 >up/here/b
now_gives w 7777777 "another directory of that name"
quiet w

# A directory that may not be entered any more, by who is not root (as-user.sh).
if [ "$(id -u)" != 0 ]; then
	at_exit='chmod -R u+rwX .'
	add v one/in/a
	now_gives v 1 "first"
	quiet v
	chmod 0 one
	expect_error 'Input/output error' cat "$mnt/v"
	chmod 755 one
	now_gives v 1 "it may be entered again"
	chmod 444 one/in
	expect_error 'Input/output error' cat "$mnt/v"
	quiet v
	chmod 755 one/in
	now_gives v 1 "and so may the one in it"
	quiet v
	chmod 311 one # nor can it be watched
	now_gives v 1 "it may not be read"
	quiet v 1
fi
