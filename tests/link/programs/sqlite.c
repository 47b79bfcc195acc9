/* A shell of SQLite: runs what comes from standard input. The tests of both modes link it. */
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
