#!/bin/sh
# A statically linked SQLite shell (30 lines over the C interface) executes SQL from its input.
# NEEDS: cc static libsqlite3.a /usr/include/sqlite3.h
. "$(dirname "$0")/../lib.sh"

cp "$lib_dir/programs/sqlite.c" shell.c
cp "$lib_dir/programs/sqlite.sql" in.sql
cc -O1 -c shell.c
for mode in "-static" "-static -Wl,--gc-sections" "-pie"; do
	cc $mode shell.o -o shell -lsqlite3 -lm -lpthread -ldl 2>warnings
	./shell file.db <in.sql >out
	equal "$(cat out)" "1000|500500|row 999|500.5
row 990
row 991
ok
2.5" "$mode"
	rm file.db
	check_elf shell
done
