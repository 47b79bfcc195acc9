#!/bin/sh
# A SQLite shell (30 lines over the C interface), statically linked, executes SQL from the mount.
# NEEDS: gcc linker /usr/include/sqlite3.h /usr/lib/x86_64-linux-gnu/libsqlite3.a
. "$(dirname "$0")/lib-big.sh"
cat >shell.c <<'END_C'
#include <sqlite3.h>
#include <stdio.h>
static int row(void *p, int n, char **value, char **name)
{
	for (int i = 0; i < n; i++)
		printf("%s%s", i ? "|" : "", value[i] ? value[i] : "NULL");
	putchar('\n');
	return 0;
}
int main(int argc, char **argv)
{
	static char sql[1 << 16];
	char *problem = 0;
	sqlite3 *db;
	fread(sql, 1, sizeof(sql) - 1, stdin);
	if (sqlite3_open(argc > 1 ? argv[1] : ":memory:", &db) || sqlite3_exec(db, sql, row, 0, &problem)) {
		fprintf(stderr, "%s\n", problem ? problem : sqlite3_errmsg(db));
		return 1;
	}
	return sqlite3_close(db);
}
END_C
cat >in.sql <<'END_SQL'
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
	INSERT INTO t SELECT i, 'row ' || i FROM n;
CREATE INDEX i ON t(b);
SELECT count(*), sum(a), max(b), round(avg(a), 1) FROM t;
SELECT b FROM t WHERE b LIKE '%99_' ORDER BY b LIMIT 2;
PRAGMA integrity_check;
SELECT json_extract('{"x": [1, 2.5]}', '$.x[1]');
END_SQL
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
