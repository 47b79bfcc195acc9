#!/bin/sh
# Listing names makes no link; stat makes one.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
i=0
while [ $i -lt 300 ]; do
	i=$((i + 1))
	echo "--chdir=$PWD a" >"$mnt/.linkfs/links/a-rather-long-name-for-a-link-$i"
done
equal "$(ls -f "$mnt" | wc -l)" 304 "names, with . and .., .linkfs and .o"
equal "$(find "$mnt/.linkfs/links" -name 'a-rather*' | sort -u | wc -l)" 300 "recipes"
equal "$(stat_of links)" 300 "links"
equal "$(stat_of links_made)" 0 "links made by listing"
equal "$(stat_of generations)" 0 "generations made by listing"
stat "$mnt/a-rather-long-name-for-a-link-7" >/dev/null
equal "$(stat_of links_made)" 1 "links made by one stat"
equal "$(stat_of filled_bytes)" 0 "bytes made by it"
equal "$(find "$mnt" -maxdepth 1 -type f | wc -l)" 300 "files"
