#!/bin/sh
# A statically linked SQLite shell (30 lines over the C interface) executes SQL from its input.
# NEEDS: cc static libsqlite3.a /usr/include/sqlite3.h
. "$(dirname "$0")/../lib.sh"

cat >shell.c <<'END'
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
END
cat >in.sql <<'END'
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
	INSERT INTO t SELECT i, 'row ' || i FROM n;
CREATE INDEX i ON t(b);
SELECT count(*), sum(a), max(b), round(avg(a), 1) FROM t;
SELECT b FROM t WHERE b LIKE '%99_' ORDER BY b LIMIT 2;
PRAGMA integrity_check;
SELECT json_extract('{"x": [1, 2.5]}', '$.x[1]');
END
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
