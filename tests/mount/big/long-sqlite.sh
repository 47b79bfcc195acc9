#!/bin/sh
# A SQLite shell (30 lines over the C interface), statically linked, executes SQL from the mount.
# NEEDS: gcc linker /usr/include/sqlite3.h /usr/lib/x86_64-linux-gnu/libsqlite3.a
. "$(dirname "$0")/lib-big.sh"
cp "$lib_dir/../link/programs/sqlite.c" shell.c
cp "$lib_dir/../link/programs/sqlite.sql" in.sql
gcc -O1 -c shell.c
start_mount
link_both shell gcc -static shell.o -lsqlite3 -lm -lpthread -ldl 2>warnings
echo 'SELECT 1;' | from_mount shell >out
lazily shell 90
from_mount shell file.db <in.sql >out
equal "$(cat out)" "1000|500500|row 999|500.5
row 990
row 991
ok
2.5" "what it answers"
right_bytes shell
