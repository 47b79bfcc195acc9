CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
	INSERT INTO t SELECT i, 'row ' || i FROM n;
CREATE INDEX i ON t(b);
SELECT count(*), sum(a), max(b), round(avg(a), 1) FROM t;
SELECT b FROM t WHERE b LIKE '%99_' ORDER BY b LIMIT 2;
PRAGMA integrity_check;
SELECT json_extract('{"x": [1, 2.5]}', '$.x[1]');
