#!/bin/sh
# What a link was made of may be deleted the moment the linker returns, as compilers do with their temporary objects and
# response files: no byte is lost, not even with the linker process.
# NEEDS: gcc ar linker
. "$(dirname "$0")/lib-output.sh"
start_mount settle=never

# gcc deletes the object of a source before it returns.
mkdir gcc
cd gcc || exit
for word in one two three; do
	echo "#include <stdio.h>
int main(void) { puts(\"$word\"); return 0; }" >a.c
	links_made 1 link a.c -o $word
done
cd ..
for word in one two three; do
	on_mount gcc/$word
	says gcc/$word $word
done

# An archive, objects, a script and a response file, all gone before the first byte is read.
makes main
echo 'int main(void); int other(void) { return 1; }' >other.c
gcc -c other.c
ar rc libother.a other.o
printf '%s\n' main.o -Wl,-u,other -L. -lother -Wl,--version-script=versions -o >args
echo '{ global: main; local: *; };' >versions
link_file @args want
links_made 1 link @args prog
echo 'void _start(void) { for (;;); }' >bare.c
gcc -c bare.c
printf '"%s"\n' bare.o -o raw >args2
links_made 1 run "$ld_dir/ld" @args2
run "$ld_dir/ld" --linkfs=file @args2 -o raw.want
rm args args2 main.o other.o bare.o libother.a versions
kill -9 "$(stat_of worker_pid)"
same_bytes prog want
same_bytes raw raw.want
says ./prog main
equal "$(stat_of fill_errors)" 0 "ranges that failed"
says gcc/one one
