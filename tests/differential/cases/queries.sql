-- NOCASE looks at the bytes before a zero byte, and at the length
CREATE TABLE t(a TEXT COLLATE NOCASE, n INTEGER)
INSERT INTO t VALUES (CAST(x'410078' AS TEXT), 1), (CAST(x'610079' AS TEXT), 2), (CAST(x'4100' AS TEXT), 3), ('a', 4), ('AB', 5), (CAST(x'4101' AS TEXT), 6), (CAST(x'41007879' AS TEXT), 7)
SELECT n FROM t ORDER BY a, n
SELECT count(*), min(n) FROM t GROUP BY a ORDER BY 2
SELECT x.n, y.n FROM t x JOIN t y ON x.a = y.a ORDER BY 1, 2
CREATE INDEX i ON t(a)
SELECT n FROM t WHERE a = CAST(x'410078' AS TEXT) ORDER BY n
SELECT n FROM t WHERE a > 'a' ORDER BY a DESC, n
SELECT count(DISTINCT a) FROM t
SELECT n FROM t WHERE a LIKE 'a%' ORDER BY n
CREATE TABLE u(a TEXT COLLATE NOCASE UNIQUE)
INSERT INTO u VALUES (CAST(x'410078' AS TEXT))
INSERT INTO u VALUES (CAST(x'410079' AS TEXT))
INSERT INTO u VALUES (CAST(x'41007980' AS TEXT))

-- an ORDER BY in EXISTS decides nothing, but its names must be right
CREATE TABLE t(x)
SELECT EXISTS (SELECT x FROM t ORDER BY nosuch)
SELECT EXISTS (SELECT x FROM t ORDER BY 2)
SELECT EXISTS (SELECT DISTINCT x FROM t ORDER BY x)
SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.x = t.x ORDER BY nosuch)

-- hidden columns are arguments
CREATE TABLE p(a INTEGER PRIMARY KEY, b TEXT UNIQUE)
CREATE TABLE c(x REFERENCES p(a), y REFERENCES p(b))
SELECT arg, schema, "from", "to" FROM pragma_foreign_key_list WHERE arg = 'c' ORDER BY id
SELECT name, arg FROM pragma_table_info WHERE 'p' = arg AND schema = 'main' ORDER BY cid
SELECT s.name, i.name FROM sqlite_schema s JOIN pragma_table_info i ON i.arg = s.name WHERE s.type = 'table' ORDER BY 1, 2
SELECT s.name, (SELECT count(*) FROM pragma_table_info WHERE arg = s.name) FROM sqlite_schema s WHERE s.type = 'table' ORDER BY 1
SELECT s.name FROM sqlite_schema s WHERE EXISTS (SELECT 1 FROM pragma_table_info i WHERE i.arg = s.name AND i.name = 'b')
SELECT count(*) FROM pragma_table_info
SELECT * FROM pragma_table_info('p') WHERE name = 'b'
SELECT value FROM json_each WHERE json = '[1, 2, 3]' ORDER BY value
SELECT value FROM json_each WHERE json = '{"a": [1, 2]}' AND root = '$.a' ORDER BY value
SELECT s.name, j.value FROM sqlite_schema s, json_each j WHERE j.json = json_array(s.name) AND s.type = 'table' ORDER BY 1
SELECT name FROM pragma_table_info('p', 'main', 1)

-- a condition that fails is not asked of rows that no key finds
CREATE TABLE o(id INTEGER, k INTEGER)
CREATE TABLE i(k INTEGER, v TEXT)
INSERT INTO o VALUES (1, 1), (2, 1), (3, 1), (4, 2)
INSERT INTO i VALUES (1, '{"a":1}'), (99, 'not json')
SELECT o.id, (SELECT count(*) FROM i WHERE i.k = o.k AND json_extract(i.v, '$.a') > 0) FROM o

-- what RIGHT JOIN USING has in common is the right side's, and FULL JOIN's the one that is there
CREATE TABLE a(k INTEGER, v)
CREATE TABLE b(k, w)
INSERT INTO a VALUES (1, 'x'), (2, 'y')
INSERT INTO b VALUES ('1', 'p'), ('3', 'q')
SELECT k, typeof(k), v, w FROM a RIGHT JOIN b USING (k) ORDER BY w
SELECT * FROM a RIGHT JOIN b USING (k) ORDER BY w
SELECT k, typeof(k), v, w FROM a FULL JOIN b USING (k) ORDER BY v, w

-- a column of a subquery has an order of its own
CREATE TABLE t(a TEXT COLLATE NOCASE, b TEXT)
INSERT INTO t VALUES ('A', 'a'), ('b', 'b')
SELECT nullif(s.x, t.a), s.x = t.a, t.a = s.x FROM t JOIN (SELECT lower(b) AS x, b FROM t) s ON s.b = t.b ORDER BY t.b
SELECT s.x = 'B', s.x = 'B' COLLATE NOCASE, s.x LIKE 'B' FROM (SELECT b || '' AS x FROM t) s ORDER BY s.x
SELECT json_array(x) FROM (SELECT json('[1]') AS x)

-- a common table may use one that is defined behind it
CREATE TABLE t(x, y)
INSERT INTO t VALUES (1, 'a'), (2, 'b'), (2, 'c'), (NULL, 'd')
WITH a AS (SELECT x + 1 AS z FROM b), b AS (SELECT x FROM t WHERE y > 'a') SELECT z FROM a ORDER BY z
WITH a AS (SELECT * FROM m), m AS (SELECT n + 1 AS k FROM b), b(n) AS (SELECT count(*) FROM t) SELECT * FROM a
WITH a AS (SELECT x FROM t), t AS (SELECT 7 AS x) SELECT * FROM a
WITH a AS (SELECT (SELECT max(x) FROM b) AS z), b AS (SELECT x FROM t) SELECT * FROM a, b ORDER BY x

-- common tables that several places read
CREATE TABLE t(x INTEGER, y TEXT COLLATE NOCASE)
INSERT INTO t VALUES (1, 'a'), (2, 'B'), (2, 'c'), (NULL, 'A')
WITH g AS (SELECT y, count(*) AS n, max(x) AS m FROM t GROUP BY y) SELECT n, m FROM g WHERE n = (SELECT max(n) FROM g) ORDER BY 1
WITH g AS (SELECT y, count(*) AS n, max(x) AS m FROM t GROUP BY y) SELECT a.n, b.n, b.y = 'B' FROM g AS a LEFT JOIN g AS b ON a.m = b.m ORDER BY 1, 2, 3
WITH g AS (SELECT DISTINCT x FROM t), h AS (SELECT count(x) AS n FROM g) SELECT x, (SELECT n FROM h), (SELECT count(*) FROM g WHERE g.x = t.x) FROM t WHERE x IN (SELECT x FROM g) ORDER BY 1
WITH g AS (SELECT x FROM t UNION SELECT 9) SELECT count(*) FROM g AS a, g AS b WHERE a.x <= b.x
WITH g(a, b) AS (SELECT x, count(*) FROM t GROUP BY x) SELECT typeof(g.a), (SELECT sum(b) FROM g), (SELECT b FROM g WHERE a IS t.x) FROM t JOIN g ON g.a = t.x ORDER BY 1, 3
SELECT x, (WITH g AS (SELECT max(y) AS m FROM t AS i WHERE i.x = t.x) SELECT count(*) FROM g, g AS h) FROM t ORDER BY 1
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT a.i, b.i FROM n AS a, n AS b WHERE a.i + b.i = 6 ORDER BY 1

-- A view means its own database's tables.
ATTACH ':memory:' AS other;
CREATE TABLE other.t(a);
CREATE VIEW v AS SELECT a FROM t;
SELECT * FROM v;
SELECT * FROM t;
CREATE TABLE t(a);
INSERT INTO main.t VALUES (1);
SELECT * FROM v;

-- COLLATE in what a column is computed from is the column's: one around a column goes before it.
CREATE TABLE t(a TEXT, b TEXT AS (a) COLLATE NOCASE);
INSERT INTO t(a) VALUES ('x'), ('X');
SELECT count(*) FROM t WHERE b = 'x';
SELECT count(*) FROM t WHERE b = 'x' COLLATE BINARY;
SELECT count(*) FROM (SELECT a COLLATE NOCASE AS c FROM t) WHERE c = 'x';
SELECT count(*) FROM (SELECT a COLLATE NOCASE AS c FROM t) WHERE c = 'x' COLLATE BINARY;
SELECT CASE WHEN 1 THEN c END FROM (SELECT a COLLATE NOCASE AS c FROM t) UNION SELECT 'x' ORDER BY 1;
SELECT DISTINCT c || '' FROM (SELECT a COLLATE NOCASE AS c FROM t) ORDER BY 1;

-- A column that says nothing of its order has that of bytes in a compound.
CREATE TABLE t(a TEXT COLLATE NOCASE);
INSERT INTO t VALUES ('b'), ('A'), ('a'), ('B');
CREATE VIEW v AS SELECT NULL AS a FROM t;
SELECT a FROM v UNION ALL SELECT a FROM t ORDER BY 1;
SELECT * FROM v UNION ALL SELECT a FROM t ORDER BY 1;

-- The last of several selects says how IN compares.
CREATE TABLE t(a TEXT, b NUMERIC, c);
INSERT INTO t VALUES ('1', 1, 1), ('2', 2, '2'), ('x', 'x', 3);
SELECT a FROM t WHERE a IN (SELECT c FROM t UNION ALL SELECT b FROM t);
SELECT a FROM t WHERE a IN (SELECT b FROM t UNION ALL SELECT c FROM t);
SELECT a FROM t WHERE a IN (SELECT b FROM t UNION SELECT c FROM t ORDER BY 1 LIMIT 2);

-- What the columns of views and indexes are said to be.
CREATE TABLE t(a INTEGER, b TEXT, c, d ANY, e REAL) STRICT;
CREATE TABLE t(a INTEGER, b TEXT, c, e REAL, f VARCHAR(9), g DATE);
CREATE VIEW v AS SELECT a, b, c, e, f, g, a + 1, CAST(b AS REAL), CAST(b AS TEXT), (SELECT a FROM t), max(a, b), +f FROM t;
PRAGMA table_info(v);
CREATE TABLE s(a ANY, b INT) STRICT;
CREATE VIEW w AS SELECT a, b FROM s;
PRAGMA table_info(w);
CREATE TABLE k(a, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE INDEX i ON k(b, c);
PRAGMA index_xinfo(i);
CREATE VIEW broken AS SELECT * FROM missing;
PRAGMA index_list(broken);

-- Constants of views are NULL in the rows that an outer join around parentheses makes up.
CREATE TABLE t(a);
INSERT INTO t VALUES (1);
CREATE TABLE e(x);
CREATE VIEW v AS SELECT 3 AS c FROM e;
SELECT t.a, b.c, c.c AS d FROM t LEFT JOIN (v AS b JOIN v AS c ON b.c = c.c);
SELECT t.a, b.c, c.c FROM (v AS b JOIN v AS c) RIGHT JOIN t;
SELECT t.a, b.c, c.c AS d FROM t FULL JOIN ((v AS b JOIN e) JOIN (SELECT 4 AS c FROM e) AS c);
SELECT count() IS c.c, b.c FROM t FULL JOIN (v AS b JOIN v AS c ON b.c = c.c);

-- A hint is a call: its column has no affinity.
CREATE TABLE t(a REAL, b INTEGER);
INSERT INTO t VALUES (0.5, 1), (2, 3);
SELECT a FROM t WHERE likely(a) = lower(a);
SELECT b FROM t WHERE likely(b) <= ('2' || '0');
SELECT b FROM t WHERE unlikely(b = '3');

-- Views have no foreign keys, broken or not.
CREATE VIEW v AS SELECT * FROM missing;
PRAGMA foreign_key_list(v);

-- The affinity of a compound's column: what an operator gives is a number.
CREATE TABLE t(a, b, c INTEGER);
INSERT INTO t VALUES (9, 1000000, -19), (5, 10, 38), (59, 1000000, NULL);
WITH w AS (SELECT ~c p, CAST(b AS TEXT) q FROM t UNION SELECT c, 'x y' FROM t WHERE 'ABC') SELECT count(*) FROM w x JOIN w y ON x.q < y.p;
WITH w AS (SELECT -c p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT NOT c p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT c IS NULL p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT c BETWEEN 1 AND 2 p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT c IN (1, 38) p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT CASE WHEN c THEN 1 ELSE 2.5 END p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT CASE WHEN c THEN 1 ELSE 'x' END p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT abs(c) p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT EXISTS (SELECT 1) p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT +c p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;
WITH w AS (SELECT c || '' p FROM t UNION ALL SELECT c FROM t) SELECT p, p < '5' FROM w;

-- The declared type of a generated column is seen through a view.
CREATE TABLE t(a, b INTEGER AS (NULL), c VARCHAR(5) AS (a) STORED);
CREATE VIEW v AS SELECT b, c, a, b + 1 AS d FROM t;
PRAGMA table_xinfo(v);
CREATE TABLE u AS SELECT b, c FROM t;
SELECT sql FROM sqlite_schema WHERE name = 'u';

-- What may not be written.
SELECT group_concat(column1 ORDER BY column1) OVER () FROM (VALUES (1), (3)); -- error
SELECT likelihood(1, 2); -- error
SELECT likelihood(1, 1); -- error
SELECT likelihood(1, column1) FROM (VALUES (0.5)); -- error
SELECT likelihood(1, 0.25), likelihood(1, 1.0), likelihood(1, 0.0);

-- A zero with a sign.
SELECT -0.0, -0, +0.0, -(0.0), - -0.0, -0.0 = 0.0, 0.0 * -1, typeof(-0.0), -0.0 + 0;
CREATE TABLE t(a, b REAL, c TEXT);
INSERT INTO t VALUES (-0.0, -0.0, -0.0);
SELECT * FROM t;
SELECT DISTINCT column1 FROM (VALUES (0.0), (-0.0), (0));

-- The schema is a table, too.
PRAGMA table_list;
PRAGMA table_list(sqlite_schema);
PRAGMA table_list(sqlite_master);
CREATE TABLE t(a);
PRAGMA main.table_list;
SELECT name, flags FROM pragma_function_list WHERE name IN ('abs', 'random', 'lower') ORDER BY 1;

-- What a compound's column may hold is told by how its parts are written.
CREATE TABLE t(a INTEGER, b INT, c TEXT);
INSERT INTO t VALUES (3, 6, ' 1');
SELECT x.p, y.p FROM (SELECT coalesce(b, a) p FROM t UNION SELECT b FROM t WHERE b) x JOIN (SELECT quote(b) p FROM t) y ON x.p = y.p;
SELECT p, p < '5' FROM (SELECT 100 * NULL p FROM t UNION SELECT c FROM t);
SELECT p, p = 1 FROM (SELECT iif(a, b, 1) p FROM t UNION ALL SELECT b FROM t);
SELECT p, p = '6' FROM (SELECT iif(a, b, 1) p FROM t UNION ALL SELECT b FROM t);
SELECT p, p = '6' FROM (SELECT CASE WHEN a THEN b ELSE 1 END p FROM t UNION ALL SELECT b FROM t);
SELECT p, p = '6' FROM (SELECT a LIKE 3 p FROM t UNION ALL SELECT b FROM t);
SELECT p, p = '6' FROM (SELECT '6' -> '$' p FROM t UNION ALL SELECT b FROM t);
SELECT p, p = '6' FROM (SELECT 1 + 5 p UNION ALL SELECT b FROM t);
SELECT p, p = '6' FROM (SELECT 1 || 5 p UNION ALL SELECT b FROM t);

-- A compound's column compares as its first part does, whatever tells equal rows.
CREATE TABLE t(a, b COLLATE NOCASE);
INSERT INTO t VALUES (1, 'a'), (2, 'A');
SELECT * FROM (SELECT +a p FROM t UNION SELECT b FROM t) WHERE p = 'A';
SELECT * FROM (SELECT a & 1 p FROM t UNION ALL SELECT b FROM t) WHERE p = 'A';
SELECT * FROM (SELECT b p FROM t UNION ALL SELECT a FROM t) WHERE p = 'A';
SELECT * FROM (SELECT b COLLATE BINARY p FROM t UNION ALL SELECT a FROM t) WHERE p = 'A';
SELECT z, (SELECT count(*) FROM (SELECT 7 p UNION SELECT b FROM t) WHERE p = z) FROM (SELECT 'A' z UNION SELECT 'B');
WITH w(p) AS (SELECT 7 UNION ALL SELECT b FROM t) SELECT x.p, y.p FROM w x JOIN w y ON x.p = y.p ORDER BY 1, 2;
SELECT 7 p UNION SELECT b FROM t UNION SELECT 'B' ORDER BY p;

-- A COLLATE in the argument of an aggregate holds for its result.
CREATE TABLE t(a, b COLLATE NOCASE);
INSERT INTO t VALUES ('B', 'B'), ('c', 'c');
SELECT max(a COLLATE NOCASE) = 'C', 'C' = max(a COLLATE NOCASE), max(b) = 'C', max(+b) = 'C' FROM t;
SELECT 1 FROM t GROUP BY a HAVING max(a COLLATE NOCASE) = 'b';
SELECT * FROM (SELECT max(a COLLATE NOCASE) p FROM t) WHERE p = 'C';
SELECT * FROM (SELECT max(a COLLATE NOCASE) || '' p FROM t) WHERE p = 'C';
SELECT (SELECT max(a COLLATE NOCASE) FROM t) = 'C';
SELECT group_concat(a COLLATE NOCASE) = 'b,C', min(a COLLATE NOCASE) OVER () = 'b' FROM t;
SELECT max(a COLLATE NOCASE) p FROM t GROUP BY a ORDER BY max(a COLLATE NOCASE) DESC;
SELECT count(DISTINCT a COLLATE NOCASE) = '1' FROM t;

-- How the result of a subquery compares.
CREATE TABLE n(x COLLATE NOCASE, y);
INSERT INTO n VALUES ('B', 'B');
SELECT (SELECT x FROM n) = 'b', (SELECT y COLLATE NOCASE FROM n) = 'b', (SELECT max(y COLLATE NOCASE) FROM n) = 'b';
SELECT 'b' = (SELECT x FROM n), (SELECT x FROM n) IN ('b'), (SELECT y COLLATE NOCASE FROM n) BETWEEN 'a' AND 'b';
SELECT 'b' IN (SELECT y COLLATE NOCASE FROM n), 'b' IN (SELECT max(y COLLATE NOCASE) FROM n), 'b' IN (SELECT x FROM n);
SELECT (SELECT p FROM (SELECT max(y COLLATE NOCASE) p FROM n)) = 'b', (SELECT upper(y COLLATE NOCASE) FROM n) = 'b';
SELECT (y, x) = (SELECT 'b', 'b') FROM n;
SELECT ('b', 'b') = (SELECT x, y COLLATE NOCASE FROM n), ('b', 'b') = (SELECT x, y FROM n), ('b', 'b') IN (SELECT x, y COLLATE NOCASE FROM n);
SELECT (SELECT x, y COLLATE NOCASE FROM n) = ('b', 'b'), (SELECT x, y COLLATE NOCASE FROM n) < ('c', 'a');
SELECT DISTINCT (SELECT x FROM n) FROM (SELECT 1 UNION SELECT 2);
SELECT v FROM (SELECT (SELECT x FROM n) v UNION ALL SELECT 'b') GROUP BY v ORDER BY v;
SELECT v FROM (SELECT (SELECT x FROM n) v) WHERE v = 'b';
SELECT (SELECT y) = 'b', (SELECT x) = 'b', max((SELECT x), 'b') FROM n;

-- A zero with a sign through a sort.
CREATE TABLE t(a, b TEXT);
INSERT INTO t VALUES (-0.125, '0'), (0.5, '0'), (2, '0');
SELECT b / a FROM t ORDER BY 1 DESC;
SELECT b / a FROM t ORDER BY a;
SELECT b / a FROM t;
SELECT DISTINCT b / a FROM t;
SELECT b / a FROM t UNION SELECT 7;
SELECT b / a, count(*) FROM t GROUP BY b / a;
SELECT max(b / a), min(b / a), sum(b / a) FROM t;
SELECT b / a, row_number() OVER (ORDER BY b / a) FROM t;
SELECT substr(a, 1, 2) / ltrim(a, 'ak') FROM t ORDER BY 1 DESC;

-- A whole real that is cast to a number stays real in a view and a subquery, too.
CREATE TABLE z(c);
INSERT INTO z VALUES (1);
CREATE VIEW v AS SELECT CAST(1e10 AS NUMERIC) AS a, CAST(2.0 AS) AS b FROM z;
SELECT typeof(a), '1' || a, b, min(a) FROM v;
SELECT quote(a), count(*) OVER () FROM (SELECT CAST(1e10 AS NUMERIC) AS a FROM z);

-- A hint has no collation.
CREATE TABLE r(a COLLATE RTRIM, b COLLATE NOCASE);
INSERT INTO r VALUES ('a', 'x'), ('a ', 'X');
SELECT DISTINCT likely(a) FROM r;
SELECT count(*) FROM r GROUP BY unlikely(b);
SELECT count(*) FROM r WHERE likelihood(a, 0.5) = 'a';
SELECT count(*) FROM r WHERE likely(a = 'a');
SELECT count(*) FROM r WHERE likely(a COLLATE NOCASE) = 'A';

-- A table that is kept for a query around it does not keep what the rows beside it decide.
CREATE TABLE kept(a, b);
INSERT INTO kept VALUES (1, 1), (2, 1), (3, 2), (1, 0);
SELECT s.a, (SELECT count() FROM kept q WHERE s.a IN (SELECT r.b FROM kept r WHERE q.b)) FROM kept s;
SELECT s.a, (SELECT count() FROM kept q WHERE EXISTS (SELECT 1 FROM kept r WHERE q.b < r.a AND r.b = s.a)) FROM kept s;
SELECT s.a, (SELECT count() FROM kept q WHERE NOT EXISTS (SELECT 1 FROM kept r WHERE q.a = r.a + r.b AND r.b = s.a)) FROM kept s;
SELECT s.a, (SELECT group_concat(q.b) FROM kept q LEFT JOIN kept r ON r.b = s.a AND q.b + 1 > r.a WHERE r.a IS NULL) FROM kept s;

-- A generated column may have the name of the function that it calls, or of a text in it.
CREATE TABLE named(name TEXT, length AS (length(name)), "select" AS (upper(name) || 'upper'), upper AS (lower("select") || length) STORED, lower AS ('lower' || "upper"));
INSERT INTO named(name) VALUES ('oak');
SELECT * FROM named WHERE length = 3;
CREATE TABLE circle(a AS (b), b AS (A));

-- Whole numbers in a compound's column that is REAL are read as reals.
CREATE TABLE t(a, r REAL, i INTEGER);
INSERT INTO t VALUES (7, 2.0, 3), (8, 2.5, 9007199254740993), ('x', 'y', NULL);
CREATE VIEW v(c) AS SELECT 1 UNION ALL SELECT r FROM t;
SELECT typeof(c), c FROM (SELECT 1 AS c UNION ALL SELECT r FROM t);
SELECT typeof(c), c FROM (SELECT i AS c FROM t UNION ALL SELECT r FROM t);
SELECT typeof(c), c FROM (SELECT a AS c FROM t UNION ALL SELECT r FROM t);
SELECT typeof(c), c FROM (SELECT r AS c FROM t UNION ALL SELECT i FROM t);
SELECT typeof(c), c FROM (SELECT r AS c FROM t UNION ALL SELECT i FROM t ORDER BY 1 LIMIT 4);
SELECT typeof(c), c FROM (SELECT CAST(a AS REAL) AS c FROM t UNION SELECT 1) ORDER BY 2;
SELECT typeof(c), c FROM (SELECT 1 AS c UNION SELECT CAST(a AS REAL) AS c FROM t) ORDER BY 2;
SELECT typeof(c), c FROM (SELECT 1 AS c EXCEPT SELECT CAST(a AS REAL) AS c FROM t);
SELECT typeof(c), c FROM v;
SELECT typeof(c), sum(c), count(DISTINCT c) FROM v GROUP BY 1;
SELECT typeof(l.c), l.c, r.c FROM v AS l JOIN v AS r ON l.c <= r.c ORDER BY 2, 3;
WITH w(c) AS (SELECT 1 UNION ALL SELECT r FROM t) SELECT typeof(c), c FROM w;
WITH w(c) AS MATERIALIZED (SELECT 1 UNION ALL SELECT r FROM t)
  SELECT typeof(c), c FROM w UNION ALL SELECT typeof(c), c FROM w;
WITH RECURSIVE w(c) AS (SELECT r FROM t UNION ALL SELECT 5 FROM w LIMIT 3) SELECT typeof(c), c FROM w;
WITH RECURSIVE w(c) AS (SELECT 1 UNION ALL SELECT r FROM w, t LIMIT 3) SELECT typeof(c), c FROM w;
WITH RECURSIVE w(c) AS (SELECT r FROM t UNION ALL SELECT CAST(typeof(c) = 'real' AS INTEGER) FROM w LIMIT 4)
  SELECT typeof(c), c FROM w;
SELECT (SELECT 1 UNION SELECT r FROM t LIMIT 1), 1 IN (SELECT 1 UNION SELECT r FROM t);
INSERT INTO t(a) SELECT c FROM (SELECT 1 AS c UNION ALL SELECT r FROM t);
INSERT INTO t(a) SELECT 1 UNION ALL SELECT r FROM t;
SELECT typeof(a), a FROM t;

-- Only a number that is written with its sign is a zero below zero.
SELECT -(0.0), -0.0, -round(''), quote(-0.0), - - 0.0, -(0.0 + 0), -(1 - 1.0), - + 0.0, -(-0.0), -CAST(0 AS REAL);
CREATE TABLE t(a, r REAL);
INSERT INTO t VALUES (0.0, 0.0);
SELECT -a, -r, -(a), 0 - a, a * -1, -abs(a), hex(-a), -round(a) FROM t;
SELECT -a FROM (SELECT round('') AS a FROM t);
SELECT -a FROM (SELECT 0.0 AS a FROM t);

-- JSON stays JSON behind ORDER BY and DISTINCT in an aggregate.
CREATE TABLE t(a, b);
INSERT INTO t VALUES ('[1]', 2), ('[2]', 1), ('[2]', 3);
SELECT json_group_array(json(a) ORDER BY b), json_group_array(a ORDER BY b DESC) FROM t;
SELECT json_group_array(DISTINCT json(a)), json_group_object(b, json(a) ORDER BY b) FROM t;

-- Rows of a compound are told apart as the parts say up to the last that is more than appended.
CREATE TABLE t(a TEXT, r TEXT COLLATE RTRIM, n COLLATE NOCASE);
INSERT INTO t VALUES ('x', 'x', 'x'), ('x ', 'x ', 'X'), ('X', 'X', 'y'), ('y', 'y ', 'Y ');
SELECT a||'' FROM t EXCEPT SELECT 1 UNION ALL SELECT 'q' COLLATE RTRIM;
SELECT a||'' FROM t EXCEPT SELECT 'x' UNION ALL SELECT r FROM t;
SELECT a||'' FROM t EXCEPT SELECT 'x' UNION ALL SELECT 'X' UNION ALL SELECT n FROM t;
SELECT a||'' FROM t UNION SELECT 'z' UNION ALL SELECT n FROM t WHERE n = 'X';
SELECT a||'' FROM t INTERSECT SELECT upper(a) FROM t UNION ALL SELECT n FROM t;
SELECT a||'' FROM t UNION ALL SELECT upper(a) FROM t INTERSECT SELECT 'x' UNION ALL SELECT n FROM t;
SELECT 'x' EXCEPT SELECT 'X' UNION SELECT 'b' COLLATE NOCASE;
SELECT 'x' EXCEPT SELECT 'X' UNION SELECT 'b' UNION ALL SELECT 'B' COLLATE NOCASE;
SELECT 'x' EXCEPT SELECT 'X' UNION ALL SELECT 'b' INTERSECT SELECT 'B' COLLATE NOCASE;
SELECT 'x' INTERSECT SELECT 'X' EXCEPT SELECT 'b' COLLATE NOCASE;
SELECT a||'', upper(a) FROM t EXCEPT SELECT 'x', 'X' UNION ALL SELECT r, n FROM t;
SELECT a||'', n FROM t EXCEPT SELECT 'X', 'Y' UNION SELECT 'x' COLLATE RTRIM, 'x';
SELECT a||'' FROM t UNION SELECT 'z' ORDER BY 1 COLLATE NOCASE, 1;
SELECT a||'' FROM t UNION SELECT 'z' COLLATE RTRIM ORDER BY 1;
SELECT a||'' FROM t EXCEPT SELECT 'x' COLLATE RTRIM ORDER BY 1 DESC LIMIT 2;
SELECT count(*), max(c) FROM (SELECT a||'' AS c FROM t EXCEPT SELECT 1 UNION ALL SELECT r FROM t);
SELECT c FROM (SELECT a||'' AS c FROM t EXCEPT SELECT 1 UNION ALL SELECT 'q' COLLATE RTRIM) WHERE c LIKE 'x%';
SELECT a FROM t WHERE a IN (SELECT a||'' FROM t EXCEPT SELECT 'X' UNION ALL SELECT 'q' COLLATE NOCASE);
SELECT (SELECT a||'' FROM t EXCEPT SELECT 'X' UNION ALL SELECT 'q' COLLATE NOCASE), EXISTS (SELECT 'x' EXCEPT SELECT 'X' UNION ALL SELECT 'q' COLLATE NOCASE WHERE 0);
CREATE VIEW v AS SELECT a||'' AS c FROM t EXCEPT SELECT 'X' UNION ALL SELECT 'q' COLLATE NOCASE;
SELECT c, c = 'Q' FROM v;
WITH w AS MATERIALIZED (SELECT a||'' AS c FROM t EXCEPT SELECT 'X' UNION ALL SELECT 'q' COLLATE NOCASE) SELECT c, (SELECT count(*) FROM w) FROM w;

-- The parts that a recursive table begins with are a compound of their own.
CREATE TABLE t(a TEXT);
INSERT INTO t VALUES ('a'), ('B'), ('A');
WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT 1 UNION ALL SELECT x+1 FROM r WHERE x<3) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT 1 UNION SELECT x+1 FROM r WHERE x<3) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 1 UNION ALL SELECT x+1 FROM r WHERE x<4) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 2 UNION ALL SELECT 1 INTERSECT SELECT 1 UNION ALL SELECT x+1 FROM r WHERE x<4) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 3 UNION ALL SELECT 1 UNION SELECT 2 UNION SELECT x+1 FROM r WHERE x<4) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT a FROM t EXCEPT SELECT 'B' UNION SELECT x||'b' FROM r WHERE length(x)<3) SELECT * FROM r ORDER BY x;
WITH RECURSIVE r(x, y) AS (SELECT 1, 'a' UNION SELECT 1.0, 'a' UNION ALL SELECT x+1, y||x FROM r WHERE x<4) SELECT * FROM r, r AS s WHERE r.x = s.x;

-- All parts of a recursive table say how its rows are told apart and ordered, the first how they compare.
CREATE TABLE t(a TEXT);
WITH RECURSIVE r(x) AS (SELECT 'a' UNION SELECT upper(x) FROM r) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' UNION SELECT upper(x) COLLATE NOCASE FROM r) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' UNION ALL SELECT 'A' COLLATE NOCASE UNION SELECT upper(x) || 'b' FROM r WHERE length(x)<4) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' UNION ALL SELECT 'A' UNION SELECT (lower(x) || 'b') COLLATE NOCASE FROM r WHERE length(x)<4 UNION SELECT x||'B' FROM r WHERE length(x)<4) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' UNION ALL SELECT 'B' UNION ALL SELECT 'A' UNION ALL SELECT (lower(x) || 'b') COLLATE NOCASE FROM r WHERE length(x)<4 ORDER BY 1) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' UNION ALL SELECT 'B' COLLATE NOCASE UNION ALL SELECT 'A' UNION ALL SELECT (lower(x) || 'b') FROM r WHERE length(x)<4 ORDER BY 1 COLLATE BINARY) SELECT * FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' UNION ALL SELECT 'B' COLLATE NOCASE UNION ALL SELECT x||'b' FROM r WHERE length(x)<4) SELECT x, x = upper(x) FROM r;
WITH RECURSIVE r(x) AS (SELECT 'a' COLLATE NOCASE UNION ALL SELECT 'B' UNION ALL SELECT x||'b' FROM r WHERE length(x)<4) SELECT x, x = upper(x) FROM r;

-- The parts that name a recursive table are the last, and all put to it by one operator.
CREATE TABLE t(a);
WITH RECURSIVE r(x) AS (SELECT 1 UNION SELECT x+1 FROM r WHERE x<3 UNION ALL SELECT x+1 FROM r WHERE x<3) SELECT * FROM r; -- error
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM r WHERE x<3 UNION SELECT x+1 FROM r WHERE x<3) SELECT * FROM r; -- error
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM r WHERE x<3 UNION ALL SELECT 2) SELECT * FROM r LIMIT 5; -- error
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM r WHERE x<3 EXCEPT SELECT 2) SELECT * FROM r; -- error
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT 5 EXCEPT SELECT x+1 FROM r WHERE x<3) SELECT * FROM r; -- error

-- Of equal rows that of the last part of a UNION stands for all, that of the first of an INTERSECT.
CREATE TABLE t(a TEXT COLLATE NOCASE);
INSERT INTO t VALUES ('a'), ('A'), ('b');
SELECT 1 UNION SELECT 1.0;
SELECT 1.0 UNION SELECT 1;
SELECT 1 UNION ALL SELECT 1.0 UNION SELECT 2;
SELECT 1.0 UNION SELECT 1 UNION ALL SELECT 1.0 INTERSECT SELECT 1.0;
SELECT 1 UNION SELECT 2.0 UNION SELECT 1.0 UNION SELECT 2 UNION SELECT 3;
SELECT 1.0 INTERSECT SELECT 1;
SELECT 1 INTERSECT SELECT 1.0 UNION SELECT 2.0 EXCEPT SELECT 2;
SELECT a FROM t UNION SELECT upper(a) FROM t;
SELECT upper(a) FROM t UNION SELECT a FROM t EXCEPT SELECT 'B';
SELECT a FROM t WHERE a COLLATE BINARY IN (SELECT a FROM t UNION SELECT 'A');

-- a recursive part names its table once, in its own FROM, and neither groups nor has windows
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 10*x.n+y.n FROM c x, c y WHERE x.n<4) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT max(n)+10 FROM c WHERE n<3 HAVING max(n) IS NOT NULL) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 GROUP BY n) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 GROUP BY n HAVING count(*)>0) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+row_number() OVER () FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM (SELECT * FROM c) WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM (SELECT max(n) AS n FROM c) WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM (SELECT n FROM c UNION SELECT 3) WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM (SELECT 1 AS n) JOIN (SELECT * FROM c) USING (n)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 UNION SELECT n+2 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n+1 FROM c WHERE n<3 UNION ALL SELECT n+2 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n+1 FROM c WHERE n<3 UNION SELECT n+2 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT 1 UNION SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 INTERSECT SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 EXCEPT SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 INTERSECT SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 UNION ALL SELECT 9) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 EXCEPT SELECT 9) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 EXCEPT SELECT n FROM c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 INTERSECT SELECT n+1 FROM c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 UNION SELECT 7) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<(SELECT max(n) FROM c)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT (SELECT n FROM c) FROM c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT (SELECT max(1,2) FROM c) FROM c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT (SELECT max(n) FROM c)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT (SELECT n FROM c) UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 UNION ALL SELECT (SELECT n FROM c)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT max(1) UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 UNION ALL SELECT max(1)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT row_number() OVER () UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT DISTINCT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+(SELECT max(5)) FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+(SELECT count(*) OVER ()) FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+d.n FROM c JOIN (SELECT n FROM c) d WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+d.n FROM c, (c AS d) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+1 FROM (c) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+1 FROM (c JOIN (SELECT 5)) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT n FROM c UNION ALL SELECT c.n+1 FROM c WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT n FROM c UNION ALL SELECT 1) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT n FROM c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT n FROM (SELECT * FROM c)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM (WITH d AS (SELECT * FROM c) SELECT * FROM d) WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 AND n IN c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 AND n IN (SELECT n FROM c)) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3 UNION ALL SELECT n+1 FROM (SELECT n FROM c) WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL SELECT n+1 FROM c, c AS d WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL VALUES((SELECT n FROM c))) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (VALUES(1),(2) UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL VALUES (2),(3) UNION ALL SELECT n+1 FROM c WHERE n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3), d(n) AS (SELECT 1 UNION ALL SELECT d.n+c.n FROM d,c,c AS e WHERE d.n<3) SELECT count(*) FROM d; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT x.n+1 FROM c x JOIN c y USING (n) WHERE x.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT max(n)+row_number() OVER () FROM c) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT 1 + count(*) FROM c, c y) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+1 FROM (SELECT 5) JOIN (c JOIN (SELECT 5)) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+1 FROM (SELECT 5) JOIN (c) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+1 FROM (c JOIN (SELECT 5)) JOIN (SELECT 6) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n+1 FROM ((c) JOIN (SELECT 5)) JOIN (SELECT 6) WHERE c.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT x.n+1 FROM (c AS x) WHERE x.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT x.n+1 FROM (c JOIN (SELECT 5)) AS x WHERE x.n<3) SELECT n FROM c; -- error
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT x.n+1 FROM (c JOIN (c AS x)) WHERE x.n<3) SELECT n FROM c; -- error

-- CASE of a row
CREATE TABLE w(a, b);
INSERT INTO w VALUES (1,1),(2,1),(3,2),(4,NULL);
SELECT CASE (1,2) WHEN (1,2) THEN 'y' ELSE 'n' END;
SELECT CASE (1,2) WHEN (1,3) THEN 'y' ELSE 'n' END;
SELECT CASE (1,2) WHEN (1,2,3) THEN 'y' ELSE 'n' END;
SELECT CASE (1,2) WHEN 1 THEN 'y' ELSE 'n' END;
SELECT CASE 1 WHEN (1,2) THEN 'y' ELSE 'n' END;
SELECT CASE WHEN (1,2) THEN 'y' ELSE 'n' END;
SELECT CASE (1,NULL) WHEN (1,2) THEN 'y' WHEN (1,NULL) THEN 'm' WHEN (2,NULL) THEN 'z' ELSE 'n' END;
SELECT CASE (1,2) WHEN (SELECT 1,2) THEN 'y' ELSE 'n' END;
SELECT CASE (SELECT 1,2) WHEN (SELECT 1,2) THEN 'y' ELSE 'n' END;
SELECT CASE (SELECT 1,2) WHEN (1,2) THEN 'y' ELSE 'n' END;
SELECT CASE (SELECT 1,2 WHERE 0) WHEN (1,2) THEN 'y' ELSE 'n' END;
SELECT CASE 1 WHEN 1 THEN (1,2) ELSE 'n' END;
SELECT CASE 1 WHEN 1 THEN 1 ELSE (1,2) END;
SELECT CASE (a,b) WHEN (1,1) THEN 'x' WHEN (3,2) THEN 'y' ELSE 'n' END FROM w;
SELECT CASE (a,b) WHEN ('1',1) THEN 'x' WHEN (3,'2') THEN 'y' ELSE 'n' END FROM w;
SELECT CASE (a,b) WHEN (1,1) THEN 'x' END FROM w;
SELECT CASE ((1,2)) WHEN ((1,2)) THEN 'y' ELSE 'n' END;
SELECT CASE ('a' COLLATE nocase,2) WHEN ('A',2) THEN 'y' ELSE 'n' END;
SELECT CASE ('a',2) WHEN ('A' COLLATE nocase,2) THEN 'y' ELSE 'n' END;
SELECT CASE (1,(2,3)) WHEN (1,(2,3)) THEN 'y' ELSE 'n' END;

-- USING, NATURAL and ON in parentheses know nothing of the tables before them
CREATE TABLE a(x);
CREATE TABLE b(x);
CREATE TABLE c(x);
INSERT INTO a VALUES(1),(2),(3);
INSERT INTO b VALUES(2),(3),(4);
INSERT INTO c VALUES(3),(4),(5);
SELECT * FROM a CROSS JOIN (b JOIN c USING(x)) ORDER BY 1, 2;
SELECT * FROM a LEFT JOIN (b JOIN c USING(x)) ON a.x<b.x ORDER BY 1, 2;
SELECT * FROM a, (b LEFT JOIN c USING(x)) WHERE a.x=c.x ORDER BY 1, 2;
SELECT * FROM a LEFT JOIN (b LEFT JOIN c USING(x)) USING(x) ORDER BY 1;
SELECT * FROM a LEFT JOIN (b NATURAL LEFT JOIN c) ON a.x=b.x ORDER BY 1, 2;
SELECT * FROM a FULL JOIN (b FULL JOIN c USING(x)) USING(x) ORDER BY 1;
SELECT * FROM a RIGHT JOIN (b RIGHT JOIN c USING(x)) USING(x) ORDER BY 1;
SELECT x, a.x, b.x AS y, c.x AS z FROM a FULL JOIN (b RIGHT JOIN c USING(x)) USING(x) ORDER BY 1, 2;
SELECT * FROM (a RIGHT JOIN b USING(x)) JOIN c USING(x) ORDER BY 1;
SELECT * FROM a NATURAL JOIN (b NATURAL FULL JOIN c) ORDER BY 1;
SELECT * FROM a JOIN (b JOIN c ON b.x=a.x) ORDER BY 1, 2, 3;
CREATE TABLE d(x, y, z);
CREATE TABLE w(w);
INSERT INTO d VALUES (1, '[1,2]', 3);
INSERT INTO w VALUES (1), (2);
SELECT * FROM d, (w JOIN json_each(d.y));
SELECT w.w FROM d JOIN (d AS e JOIN w ON x = w);
DELETE FROM a WHERE x IN (SELECT b.x FROM a q, (b JOIN c USING(x)) WHERE b.x = q.x);
SELECT * FROM a;

-- a column that a join has made of two compares and sorts as the left one
CREATE TABLE i(a INT);
CREATE TABLE j(a INT);
CREATE TABLE n(a TEXT COLLATE NOCASE);
CREATE TABLE p(a);
INSERT INTO i VALUES(1),(2);
INSERT INTO j VALUES(2),(3);
INSERT INTO n VALUES ('a'), ('b'), (2);
INSERT INTO p VALUES ('A'), ('B'), ('C'), (2);
SELECT a FROM i FULL JOIN j USING(a) WHERE a='3';
SELECT a FROM i FULL JOIN j USING(a) WHERE a IN ('1','3') ORDER BY a;
SELECT * FROM (SELECT a FROM i FULL JOIN j USING(a)) WHERE a='3';
SELECT CASE a WHEN '1' THEN 'one' ELSE 'other' END FROM i FULL JOIN j USING(a) ORDER BY a;
SELECT a, count(*) FROM i FULL JOIN j USING(a) GROUP BY a HAVING a > '1' ORDER BY a;
SELECT a FROM n FULL JOIN p USING(a) WHERE a = 'A';
SELECT a FROM n FULL JOIN p USING(a) ORDER BY a;
SELECT a FROM n RIGHT JOIN p USING(a) ORDER BY a;
SELECT n.a, p.a, q.a FROM n FULL JOIN n AS m USING(a) LEFT JOIN p AS p USING(a) LEFT JOIN p AS q USING(a) ORDER BY 1;
SELECT a, m.a FROM n RIGHT JOIN p USING(a) JOIN n AS m USING(a) ORDER BY 1;
SELECT a, m.a FROM p RIGHT JOIN n USING(a) JOIN p AS m USING(a) ORDER BY 1;
SELECT a, m.a FROM p RIGHT JOIN n USING(a) FULL JOIN p AS m USING(a) ORDER BY 1, 2;
CREATE TABLE k AS SELECT a FROM i FULL JOIN j USING(a);
SELECT sql FROM sqlite_schema WHERE name = 'k';

-- a virtual column that an outer join makes one with another is NULL where its row is made up
CREATE TABLE a(x, g AS (coalesce(x,'z')));
CREATE TABLE b(x, g AS (coalesce(x,'z')));
INSERT INTO a VALUES(1);
INSERT INTO b VALUES(2);
SELECT g FROM a FULL JOIN b USING(g) ORDER BY 1;
SELECT * FROM a NATURAL FULL JOIN b ORDER BY 1;
SELECT g FROM a RIGHT JOIN b USING(g);
SELECT a.g, b.g FROM a FULL JOIN b USING(g) ORDER BY 1, 2;
SELECT g FROM a JOIN a AS c USING(g) FULL JOIN b USING(g) FULL JOIN b AS d USING(g) ORDER BY 1;

-- a view is called by its database, too; a view that is named as a parent has no key
CREATE TABLE b(x PRIMARY KEY, y REFERENCES c(x));
CREATE VIEW c AS SELECT 1 AS x;
PRAGMA foreign_key_check; -- error
SELECT main.c.x FROM main.c;
SELECT main.c.x FROM c;
SELECT temp.c.x FROM c;

-- parentheses around the first joins say nothing, those around others make one of their columns
CREATE TABLE t(c0, c1);
INSERT INTO t VALUES (1, 2), (3, 4);
SELECT c0, b.c0 FROM t JOIN (t b JOIN t USING (c1)) USING (c0);
SELECT c0 FROM t FULL JOIN (t b JOIN t c USING (c1)) USING (c0); -- error
SELECT count(*) FROM (t FULL JOIN t b USING (c1)) NATURAL JOIN t c; -- error
SELECT count(*) FROM (t JOIN t b USING (c0, c1)) RIGHT JOIN t c USING (c0);

-- a CASE computes its row once
CREATE TABLE t(a, b)
INSERT INTO t VALUES (1, 2), (3, 4), (5, NULL), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)
SELECT count(*) FROM t, t u, t v WHERE CASE (abs(random()) % 2, a) WHEN (0, a) THEN 'zero' WHEN (1, a) THEN 'one' ELSE 'none' END = 'none'
SELECT count(*) FROM t WHERE CASE (random() IS NULL, b) WHEN (0, b) THEN 'same' ELSE 'null' END = 'same'
SELECT CASE (random() IS NULL, a) WHEN (0, 1.0) THEN 'x' WHEN (0, 3) THEN json('[1]') END FROM t ORDER BY a LIMIT 3
SELECT CASE (random() IS NULL, 'a') WHEN (0, 'A' COLLATE NOCASE) THEN 'x' END
SELECT CASE (random(), 1) WHEN (1, 2, 3) THEN 'x' END -- error
SELECT CASE (random(), 1) WHEN 1 THEN 'x' END -- error
SELECT CASE (random() IS NULL, 1) WHEN (SELECT 0, 1) THEN 'x' ELSE 'n' END
SELECT json_array(CASE (random() IS NULL, 1) WHEN (0, 1) THEN json('[1]') END)
SELECT CASE (random() IS NULL, 1) WHEN (0, 2) THEN 'x' ELSE (1, 2) END
SELECT a, sum(CASE (random() IS NULL, b) WHEN (0, 4) THEN 1 ELSE 0 END) FROM t GROUP BY a ORDER BY a

-- values of a list stay integers beside a REAL column
CREATE TABLE r(b REAL, d, i INTEGER, n NUMERIC)
INSERT INTO r VALUES(9007199254740992.0,9007199254740993,9007199254740993,9007199254740993)
INSERT INTO r VALUES(1.5,2,3,4),(2,2,2,2),(9223372036854775807,9223372036854775807,9223372036854775807,9223372036854775807)
SELECT b IN (9007199254740993), b IN (1.5,9007199254740993), b=9007199254740993, b IN (1.5,d), b=d, b IN (SELECT d FROM r) FROM r
SELECT b IN (i), b IN (n,1), b IN (SELECT i FROM r), b IN (SELECT n FROM r), i IN (SELECT b FROM r), d IN (SELECT b FROM r), n IN (SELECT b FROM r) FROM r
SELECT b IN (SELECT 9007199254740993), b IN (VALUES (9007199254740993),(1.5)), b IN ('9007199254740993'), b IN ('9007199254740993', 1.5, 2), b = '9007199254740993' FROM r
SELECT count(*) FROM r WHERE b IN (1,9007199254740993)
SELECT count(*) FROM r WHERE b IN (SELECT d FROM r)
SELECT count(*) FROM r WHERE b IN (SELECT i FROM r)
SELECT count(*) FROM r WHERE b = 9007199254740993
SELECT count(*) FROM r WHERE b = 9007199254740993 OR b = 2
SELECT count(*) FROM r WHERE b = 9007199254740993 OR b = 2 OR b = 9223372036854775807
SELECT count(*) FROM r WHERE b > 9007199254740991
SELECT count(*) FROM r WHERE b >= 9007199254740993
SELECT count(*) FROM r WHERE b < 9007199254740993
SELECT count(*) FROM r WHERE b BETWEEN 9007199254740993 AND 9007199254740999
SELECT count(*) FROM r x JOIN r y ON x.b = y.d
SELECT count(*) FROM r x JOIN r y ON x.b = y.i
SELECT count(*) FROM r x JOIN r y ON x.b = y.n
SELECT count(*) FROM r x LEFT JOIN r y ON x.b = y.n
SELECT CASE b WHEN 9007199254740993 THEN 1 ELSE 0 END FROM r
CREATE INDEX rb ON r(b)
SELECT count(*) FROM r WHERE b IN (1,9007199254740993)
SELECT count(*) FROM r WHERE b IN (1,2,3,9007199254740993, 9223372036854775807)
SELECT count(*) FROM r WHERE b IN (SELECT d FROM r)
SELECT count(*) FROM r WHERE b IN (SELECT i FROM r)
SELECT count(*) FROM r WHERE b = 9007199254740993
SELECT count(*) FROM r WHERE b = '9007199254740993'
SELECT count(*) FROM r WHERE b IN ('9007199254740993')
SELECT count(*) FROM r WHERE b IN ('9007199254740993', '2', 1.5)
SELECT count(*) FROM r WHERE b = 9007199254740993 OR b = 2
SELECT count(*) FROM r WHERE b > 9007199254740992
SELECT count(*) FROM r WHERE b >= 9007199254740993
SELECT count(*) FROM r WHERE b < 9007199254740993
SELECT count(*) FROM r WHERE b BETWEEN 9007199254740993 AND 9007199254740999
SELECT count(*) FROM r x JOIN r y ON x.b = y.d
SELECT count(*) FROM r x JOIN r y ON x.b = y.i
SELECT count(*) FROM r x CROSS JOIN r y ON x.i = y.b
SELECT count(*) FROM r x CROSS JOIN r y ON x.d = y.b
SELECT count(*) FROM r x JOIN r y ON x.b = y.n
SELECT count(*) FROM r WHERE EXISTS (SELECT 1 FROM r y WHERE y.b = r.d)
SELECT count(*) FROM r WHERE (b, i) IN (SELECT d, i FROM r)
SELECT count(*) FROM r WHERE +b IN (9007199254740993)
SELECT CAST(i AS REAL) IN (9007199254740993), CAST(i AS REAL) IN (9007199254740993, 1), CAST(i AS REAL) = 9007199254740993 FROM r

-- numbers of columns may have signs, and have 32 bits
CREATE TABLE t(x,y)
INSERT INTO t VALUES(10,20),(1,2)
SELECT x,y FROM t ORDER BY -5
SELECT x,y FROM t ORDER BY +1
SELECT x,y FROM t ORDER BY +2 DESC
SELECT x,y FROM t ORDER BY - - 1
SELECT x,y FROM t ORDER BY -(-1)
SELECT x,y FROM t ORDER BY +3
SELECT x,y FROM t ORDER BY (1)
SELECT x,y FROM t ORDER BY 0x1
SELECT x,y FROM t ORDER BY 0
SELECT x,y FROM t ORDER BY -0
SELECT x,y FROM t ORDER BY 2147483647
SELECT x,y FROM t ORDER BY 2147483648
SELECT x,y FROM t ORDER BY -2147483647
SELECT x,y FROM t ORDER BY -2147483648
SELECT x,y FROM t ORDER BY 9223372036854775807
SELECT x,y FROM t ORDER BY -9223372036854775808
SELECT x,y FROM t ORDER BY likely(1)
SELECT x,y FROM t ORDER BY unlikely(3)
SELECT x,y FROM t ORDER BY 1 COLLATE NOCASE
SELECT x,y FROM t ORDER BY -1 COLLATE NOCASE
SELECT x,y FROM t ORDER BY -(1 COLLATE NOCASE)
SELECT x,y FROM t ORDER BY 1.0
SELECT x,y FROM t ORDER BY ~1
SELECT x,y FROM t ORDER BY true
SELECT x,y FROM t GROUP BY -5
SELECT count(*) FROM t GROUP BY -9223372036854775808
SELECT count(*) FROM t GROUP BY 9223372036854775807
SELECT x,count(*) FROM t GROUP BY +1
SELECT x,count(*) FROM t GROUP BY 3
SELECT x,count(*) FROM t GROUP BY 2147483647
SELECT x,count(*) FROM t GROUP BY 2147483648
SELECT x FROM t UNION SELECT y FROM t ORDER BY -1
SELECT x FROM t UNION SELECT y FROM t ORDER BY +1
SELECT x FROM t UNION SELECT y FROM t ORDER BY 9223372036854775807
SELECT x, sum(y) OVER (ORDER BY -5) FROM t
SELECT group_concat(x ORDER BY -5) FROM t
SELECT x FROM t ORDER BY ?1
SELECT x AS k FROM t ORDER BY likely(k)

-- a JSONB value in the place of a longer one gets a longer header, where there is one
SELECT quote(jsonb_replace('-0','$',2))
SELECT quote(jsonb_set('-0','$',2)), quote(jsonb_insert('-0','$',2))
SELECT quote(jsonb_patch('-0','2'))
SELECT quote(jsonb_replace('{"a":100}','$.a',1)), quote(jsonb_replace('{"a":1000}','$.a',1)), quote(jsonb_replace('{"a":10000}','$.a',1)), quote(jsonb_replace('{"a":100000}','$.a',1))
SELECT quote(jsonb_replace('{"a":123456789}','$.a',1)), quote(jsonb_replace('{"a":12345678}','$.a',1)), quote(jsonb_replace('{"a":1234567890123456}','$.a',1))
SELECT quote(jsonb_set('{"a":[1,2,3]}','$.a',json('[1]'))), quote(jsonb_set('{"a":[1,2,3]}','$.a',json('{}'))), quote(jsonb_set('{"a":[1,2,3]}','$.a',null)), quote(jsonb_set('{"a":[1,2,3]}','$.a','x'))
SELECT quote(jsonb_set('{"a":"abcdefghijklmnop"}','$.a','abcdefghijklmno')), quote(jsonb_set('{"a":"abcdefghijklmnop"}','$.a','abcdefghijklmn')), quote(jsonb_set('{"a":"abcdefghijklmnop"}','$.a','abcdefghijklm')), quote(jsonb_set('{"a":"abcdefghijklmnop"}','$.a','abcdefghijkl')), quote(jsonb_set('{"a":"abcdefghijklmnopqrst"}','$.a','abcdefghijklm')), quote(jsonb_set('{"a":"abcdefghijklmnopqrst"}','$.a','abcdefghijkl'))
SELECT quote(jsonb_patch('{"a":100,"b":5}','{"a":1}')), quote(jsonb_patch('{"a":1000,"b":5}','{"a":1}')), quote(jsonb_patch('{"a":{"c":100},"b":5}','{"a":{"c":1}}')), quote(jsonb_patch('{"a":[1,2,3],"b":5}','{"a":{"c":1}}')), quote(jsonb_patch('{"a":[1,2,3],"b":5}','{"a":"x"}')), quote(jsonb_patch('{"a":{"c":100},"b":5}','{"a":7}'))
SELECT quote(jsonb_set(x'c30132','$',2)), quote(jsonb_replace(x'cc03133124','$.a',1)), quote(jsonb(x'c30132')), quote(jsonb_remove('{"a":100,"b":1}','$.a'))
SELECT quote(jsonb_replace(jsonb_replace('[100]','$[0]',1),'$[0]',100)), quote(jsonb_replace(jsonb_replace('[100]','$[0]',1),'$[0]',5)), quote(jsonb_set(jsonb_replace('[100]','$[0]',1),'$[1]',5))
SELECT quote(jsonb_set('{"a":true,"b":"xyz"}','$.b',json('true'))), quote(jsonb_set('{"b":"xyz"}','$.b',1.5)), quote(jsonb_set('{"b":"xyz"}','$.b',''))
SELECT json_replace('-0','$',2), json(jsonb_replace('-0','$',2)), jsonb_replace('-0','$',2) = jsonb('2')
SELECT quote(jsonb_replace(x'cb06233130c30132','$[0]',7)), quote(jsonb_replace(x'cb06233130c30132','$[0]',77)), quote(jsonb_replace(x'cb06233130c30132','$[1]',777))
SELECT quote(jsonb_patch('{"a":[1,2]}','{"a":[]}')), quote(jsonb_patch('[1,2,3]','[]')), quote(jsonb_patch('123','null')), quote(jsonb_set('"abc"','$','a'))

-- an aggregate of the block around may have calls and subqueries as arguments
CREATE TABLE t(a, b)
INSERT INTO t VALUES (1,10),(2,20),(3,30)
CREATE TABLE u(c, d)
INSERT INTO u VALUES (1,100),(2,200),(3,300)
select (select sum((select d from u where c=t.a))) from t
select (select sum((select d from u where c=t.a)) from u) from t
select (select sum((select d from u where c=t.a) + t.a) from u limit 1) from t
select (select sum(t.a + (select max(d) from u)) from u limit 1) from t
select (select group_concat((select d from u where c=t.a) order by t.b desc) from u limit 1) from t
select a, (select count(*) from (select 1) where (select sum(t.a + (select c from u where c=t.a)))) from t
select (select sum(length(t.a||'x')) from u limit 1) from t
select (select sum(abs(t.a)) from u where c=2) from t
select (select count(length(t.a)) filter (where abs(t.b)>10) from u where c=2) from t
select (select sum(abs(t.a)) filter (where (select d from u where c = t.a) > 100) from u limit 1) from t
select (select group_concat(upper(t.b) || (select d from u where c = t.a), '-') from u limit 1) from t
select a, (select (select sum(abs(x.a) + (select max(c) from u where c <= x.a)) from u limit 1)) from t x group by a > 1
select (select sum(distinct abs(t.a % 2)) from u limit 1), (select max(length(t.a)) from u limit 1) from t
select a from t group by a having (select sum(abs(t.b)) from u limit 1) > 15

-- rows in a list are compared as those of VALUES are
create table n(b real, i int, x text, k)
insert into n values(9007199254740993,1,'5',5),(9007199254740992,2,'05',6),(4611686018427387905.0,3,'a',7),(5,5,'5.0',5.0)
select b,i from n where (b,i) in ((9007199254740993,1))
select b,i from n where (b,i) in ((9007199254740992,1))
select b,i from n where (b,i) in ((4611686018427387905,3))
select b,i from n where (b,i) in ((4611686018427387904,3))
select b,i from n where b in (4611686018427387905)
select b,i from n where b in (4611686018427387904)
select b,i from n where b = 4611686018427387905
select b,i from n where (b,i) = (4611686018427387905,3)
select b,i from n where (b,i) in (values(4611686018427387905,3))
select b,i from n where (b,i) in (select 4611686018427387905,3)
select b,i from n where (b,i) in ((4611686018427387905,3),(1,2))
select b,i from n where (x,i) in ((5,1),(5,2))
select b,i from n where (x,i) in (('5',1),('5',2))
select b,i from n where (i,x) in (('1','5'),('2',5))
select b,i from n where ('5',i) in ((5,1),(x,2),(k,5))
select b,i from n where (5,i) in ((x,1),(x,2),(x,5))
select b,i from n where (k,i) in ((x,1),(x,2),(x,5))
select b,i from n where (x,i) in ((k,1),(k,2),(k,5))
select b,i from n where x in (k)
select b,i from n where (x collate nocase,i) in (('A',3))
select b,i from n where (x,i) in (('A' collate nocase,3))
select b,i from n where x in ('A' collate nocase)
select b,i from n where ('A',i) in ((x collate nocase,3))
select b,i from n where (b,i) not in ((4611686018427387905,3))
select b,i from n where (b,i) in ((null,3))
select (b,i) in ((null,3)) from n
select (b,i) in () from n
select (b,i) in ((1,2)) is null, (null,1) in ((1,1)), (null,1) in ((1,2)), (null,1) not in ((1,1)) from n limit 1
select (b,i) in ((1,2,3)) from n
select (b,i) in (1) from n
select b in ((1,2)) from n
select (b,i) in ((select 5,5)) from n
select (b,i) in ((select 5,5),(1,2)) from n
select (b,i) in (select 5,5 union select 1,2) from n
select ((b,i)) in ((5,5)) from n
select (b,(i,k)) in ((5,(5,5))) from n
create index ni on n(b,i)
select b,i from n where (b,i) in ((4611686018427387905,3))
select b,i from n where (b,i) in ((4611686018427387904,3),(5,5))
select b,i from n where b in (4611686018427387905,5)
select b from n where (b,i) between (4611686018427387905,3) and (4611686018427387905,3)
select b from n where b between 4611686018427387905 and 4611686018427387905

-- a list of one subquery is the subquery
create table u(c,d)
insert into u values(1,100),(2,200),(3,300)
select 2 in ((select c from u))
select 2 in ((select c from u),7)
select 2 in (((select c from u)))
select (2,200) in ((select c,d from u))
select 2 not in ((select c from u))
select 2 in ((values(1),(2)))

-- a row of BETWEEN that is new at each computation is computed once; rows in lists everywhere
create table t(a,b)
insert into t values(1,10),(2,20),(3,30)
create table u(c,d)
insert into u values(1,100),(1,200),(1,300),(2,1),(3,2)
select (random(),1) between (random(),5) and (3,3) is null from t
select (null,1) between (random()*0,1) and (5,5) from t
select (random()*0+2,1) between (1,1) and (3,3), (random()*0+2,1) not between (1,1) and (3,3), (random()*0+2,1) between (2,1) and (2,1),(random()*0+2,1) between (2,2) and (2,3) from t
select (random()*0+2,null) between (2,1) and (2,3), (random()*0+2,null) between (3,1) and (2,3), (random()*0+2,null) not between (1,1) and (3,1) from t limit 1
select (select random()*0+a, b) between (2,1) and (3,3) from t
select * from t where (a,b) in ((1,10),(a,20),(3,?1))
select (a,b) in ((1,10),(a,20)) from t
select * from t where a in (1,(select 2))
select * from t where a in ((select 2 union select 3))
update t set b=5 where (a,b) in ((1,10),(2,20))
select * from t
delete from t where (a,b) in ((1,5))
select * from t
create trigger tr before insert on t when (new.a,new.b) in ((1,2),(3,4)) begin select raise(abort,'in'); end
insert into t values(1,2)
insert into t values(1,3)
create view w as select (a,b) in ((1,3)) as r from t
select * from w
alter table t rename column a to aa
select sql from sqlite_master where name in ('w','tr')
select * from w
select aa from t group by aa having (aa,count(*)) in ((1,1),(2,2))
select count(*) filter (where (aa,b) in ((1,3),(2,5))) from t
select rank() over (order by (aa,b) in ((1,3))) from t
select max((aa,b) in ((1,3))) from t
select (1,2) in ((1,2)), (1,2) in ((1,3),(1,2)), (1,2) not in ((1,2))
select case (1,2) when (1,2) then 'x' end
-- a table-valued function may read the left row of an outer join
CREATE TABLE t(a, b)
INSERT INTO t VALUES (1, 2), (3, 'x'), (NULL, 5)
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value = t.a
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value = t.a + 0
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value IS t.b
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value > 1
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value >= t.a
SELECT t.a, j.value FROM t JOIN json_each(json_array(a, b)) j ON j.value = t.a
SELECT t.a, j.value FROM t, json_each(json_array(a, b)) j WHERE j.value = t.a
SELECT t.a, j.value FROM t, json_each(json_array(a, b)) j WHERE j.key = t.a
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.key = t.a
SELECT t.a, j.value FROM t LEFT JOIN json_each('[1,2,3]') j ON j.value = t.a
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value = t.a AND j.key = 0
SELECT t.a FROM t WHERE EXISTS (SELECT 1 FROM json_each(json_array(a, b)) j WHERE j.value = t.a)
SELECT t.a, (SELECT j.key FROM json_each(json_array(a, b)) j WHERE j.value = t.a) FROM t
SELECT t.a, j.value FROM t LEFT JOIN json_each(json_array(a, b)) j ON j.value = 1
SELECT t.a, q.value FROM t LEFT JOIN (SELECT * FROM json_each('[1,2,3]')) q ON q.value = t.a
SELECT t.a, j.value FROM t LEFT JOIN t AS u ON u.a = t.a LEFT JOIN json_each(json_array(u.a, u.b)) j ON j.value = t.a
SELECT t.a, p.name FROM t LEFT JOIN pragma_table_info('t') p ON p.cid = t.a
SELECT m.name, p.name FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) p ON p.cid = m.rootpage - m.rootpage
SELECT m.name, p.name FROM sqlite_schema m JOIN pragma_table_info(m.name) p ON p.cid = m.rootpage - m.rootpage
CREATE TABLE d(id, j)
INSERT INTO d VALUES (1, '[1,2]'), (2, '[3]'), (3, '[]')
SELECT d.id, e.value FROM d LEFT JOIN json_each(d.j) e ON e.value = d.id
SELECT d.id, e.value FROM d LEFT JOIN json_each e ON e.json = d.j
SELECT d.id, e.value FROM d LEFT JOIN json_each e ON e.json = d.j AND e.value = d.id
SELECT d.id, e.value FROM d LEFT JOIN json_each e ON e.json = d.j AND e.root = '$' AND e.value = d.id
SELECT d.id, e.value FROM d RIGHT JOIN json_each(d.j) e ON e.value = d.id
SELECT d.id, e.value FROM d FULL JOIN json_each(d.j) e ON e.value = d.id
SELECT d.id, e.value FROM d RIGHT JOIN json_each('[1,7]') e ON e.value = d.id
SELECT d.id, e.value FROM d FULL JOIN json_each('[1,7]') e ON e.value = d.id
SELECT d.id, e.value FROM d LEFT JOIN (json_each(d.j) e JOIN t) ON e.value = d.id
SELECT d.id, e.value FROM d LEFT JOIN (t JOIN json_each(t.a) e) ON e.value = d.id ORDER BY d.id
SELECT d.id, e.value FROM d LEFT JOIN (t LEFT JOIN json_each(json_array(t.a, 9)) e ON e.value = t.a) ON e.value = d.id ORDER BY d.id
SELECT d.id, e.value FROM d LEFT JOIN t ON t.a = d.id LEFT JOIN json_each(d.j) e ON e.value = d.id WHERE d.id > 0
SELECT d.id, e.value FROM d LEFT JOIN t ON t.a = d.id LEFT JOIN json_each(t.a) e ON e.value = d.id WHERE d.id > 0
SELECT d.id, e.value FROM d LEFT JOIN json_each(d.j) e USING (id)
SELECT d.id, e.value, f.value FROM d LEFT JOIN json_each(d.j) e ON e.value = d.id LEFT JOIN json_each(json_array(e.value, 2)) f ON f.value = e.value
SELECT d.id FROM d WHERE NOT EXISTS (SELECT 1 FROM json_each(d.j) e WHERE e.value = d.id)
SELECT d.id FROM d WHERE EXISTS (SELECT 1 FROM t LEFT JOIN json_each(d.j) e ON e.value = t.a WHERE e.value = d.id)
SELECT d.id, (SELECT count(e.value) FROM t LEFT JOIN json_each(d.j) e ON e.value = t.a) FROM d
SELECT d.id, (SELECT group_concat(e.value) FROM json_each(d.j) e LEFT JOIN t ON t.a = e.value) FROM d
SELECT d.id, s.v FROM d LEFT JOIN (SELECT e.value AS v FROM json_each('[1,2]') e) s ON s.v = d.id
SELECT d.id, t.b FROM json_each('[1,2,3]') e JOIN d ON d.id = e.value LEFT JOIN t ON t.a = d.id AND t.b = e.value + 1

-- what a table-valued function gives is a column without a type, which makes a text of nothing
CREATE TABLE t(a TEXT, b INT, c, d BLOB)
INSERT INTO t VALUES ('1', 1, '1', '1'), ('2', '2', 2, 2)
SELECT a = j.value, j.value = a, b = j.value, c = j.value, d = j.value, a = j.key, a < j.value, a IN (j.value), a IN (1, j.value), j.value IN (a, 3), j.value IN ('1', 2), j.value IS a FROM t, json_each('[1,"1",2,"2"]') j
SELECT a IN (SELECT value FROM json_each('[1,"2"]')), b IN (SELECT value FROM json_each('[1,"2"]')), c IN (SELECT value FROM json_each('[1,"2"]')) FROM t
SELECT a, value FROM t JOIN json_each('[1,"2"]') ON a = value
SELECT a, value FROM t LEFT JOIN json_each('[1,"2"]') ON a = value
SELECT b, value FROM t LEFT JOIN json_each('[1,"2"]') ON b = value
SELECT a, key FROM t LEFT JOIN json_each('[1,"2"]') ON a = key
SELECT a, j.id, j.rowid FROM t LEFT JOIN json_each('[1,"2",3]') j ON a = j.rowid
SELECT j.id = '1', j.rowid = '1', j.key = '1', j.value = '1', j.atom = '1', j.type = 1, j.fullkey = 5, j.parent = '0' FROM json_tree('[1,"1"]') j
SELECT a, p.name FROM t LEFT JOIN pragma_table_info('t') p ON a = p.cid
SELECT p.cid = '1', p.cid IN ('1'), p."notnull" = '0', p.pk = '0' FROM pragma_table_info('t') p
SELECT typeof(x) FROM (SELECT value AS x FROM json_each('[1,"2"]') UNION SELECT a FROM t)
SELECT x = 1, x = '1' FROM (SELECT value AS x FROM json_each('[1,"2"]') UNION ALL SELECT a FROM t)
SELECT x = 1, x = '1' FROM (SELECT a AS x FROM t UNION ALL SELECT value AS x FROM json_each('[1,"2"]'))
CREATE TABLE made AS SELECT value, key, id FROM json_each('[1,"2"]')
PRAGMA table_info(made)
CREATE VIEW v AS SELECT value, key FROM json_each('[1,"2"]')
PRAGMA table_info(v)
SELECT name FROM sqlite_schema WHERE name IN (SELECT value FROM json_each('["t", 5]'))

-- a compound's column that begins with a CAST holds any number
CREATE TABLE t(a REAL, b INT, c TEXT)
INSERT INTO t VALUES (1, 2, '3')
CREATE VIEW v AS SELECT CAST(a AS REAL) AS x, CAST(b AS INT) AS y, CAST(c AS TEXT) AS z FROM t UNION SELECT b, a, c FROM t
PRAGMA table_info(v)
SELECT x, y, z, typeof(x), typeof(y), x = '1', y = '2.0', z = 3 FROM v
CREATE TABLE made AS SELECT * FROM v
PRAGMA table_info(made)

-- A condition on a compound whose columns convert nothing asks no index for converted values.
CREATE TABLE compound_rows(id INTEGER PRIMARY KEY, a INT); INSERT INTO compound_rows VALUES(10, 7);
CREATE INDEX compound_rows_a ON compound_rows(a);
CREATE TABLE compound_texts(v); INSERT INTO compound_texts VALUES('10'), ('7');
SELECT v, (SELECT count(*) FROM (SELECT id x FROM compound_rows UNION ALL SELECT 'a') q WHERE t.v = q.x) FROM compound_texts t;
SELECT v, (SELECT count(*) FROM (SELECT a x FROM compound_rows UNION SELECT 'a') q WHERE t.v = q.x) FROM compound_texts t;
SELECT count(*) FROM (SELECT id x FROM compound_rows UNION SELECT 'a ') q WHERE '10' = q.x;
SELECT count(*) FROM (SELECT id x FROM compound_rows UNION SELECT 5) q WHERE '10' = q.x;

-- columns of table-valued functions that are read here and there
CREATE TABLE d(id INTEGER PRIMARY KEY, j, k)
INSERT INTO d VALUES (1, '[10,20,{"a":30}]', 1), (2, '{"x":1,"y":[2,3]}', 2), (3, '[]', 3), (4, NULL, 4)
SELECT d.id, value FROM d, json_each(j) ORDER BY d.id, key
SELECT id, (SELECT group_concat(key) FROM json_each(d.j)) FROM d ORDER BY id
SELECT id, (SELECT count(*) FROM json_each(d.j) AS e WHERE e.type = 'integer') FROM d ORDER BY id
SELECT d.id, e.fullkey FROM d LEFT JOIN json_tree(d.j) AS e ON e.atom > 1 ORDER BY d.id, e.id
SELECT id FROM d WHERE EXISTS (SELECT 1 FROM json_each(d.j) WHERE atom = 20)
SELECT id FROM d WHERE 3 IN (SELECT atom FROM json_tree(d.j))
SELECT e.key, (SELECT f.path FROM json_tree(e.json) AS f WHERE f.fullkey = e.fullkey) FROM json_each('[1,[2]]') AS e
SELECT count(*) FROM d, json_each(d.j)
SELECT * FROM json_each('{"a":1}')
SELECT json, root FROM json_each('[5,6]', '$') LIMIT 1
SELECT e.* FROM d JOIN json_each(d.j) AS e ON d.k = e.value
SELECT a.value, b.value FROM json_each('[1,2,3]') AS a JOIN json_each('[2,3,4]') AS b USING (value)
SELECT max(key), type FROM json_each('[1,"a",null]')
SELECT type, count(*) FROM json_tree('[1,2,"a",[3]]') GROUP BY type ORDER BY type
SELECT value, row_number() OVER (ORDER BY key DESC) FROM json_each('[7,8,9]') ORDER BY value
SELECT DISTINCT type FROM json_each('[1,2,"a"]')
SELECT key FROM json_each('[3,1,2]') ORDER BY value
SELECT key FROM json_each('[1,2]') UNION ALL SELECT type FROM json_each('[null]')
SELECT x.v FROM (SELECT value AS v, key AS k FROM json_each('[4,5]')) AS x WHERE x.k = 1
UPDATE d SET k = e.value FROM json_each('[100,200]') AS e WHERE d.id = e.key + 1
SELECT id, k FROM d ORDER BY id
DELETE FROM d WHERE id IN (SELECT value FROM json_each('[3,4]'))
INSERT INTO d SELECT value, fullkey, path FROM json_each('[8,9]')
SELECT * FROM d ORDER BY id

-- patterns that change from row to row
CREATE TABLE a(name); CREATE TABLE p(pat)
INSERT INTO a VALUES ('Anna'), ('anton'), ('Bob'), ('b%b'), (''), (NULL), (12), ('été'), ('a*b?')
INSERT INTO p VALUES ('a%'), ('%n_'), ('%N%n%'), ('_o_'), ('%'), (''), (NULL), ('1%'), ('é%'), ('_t_'), ('%b'), ('a*'), ('*?'), ('[ab]*'), ('%_%_%'), ('%b%%')
SELECT name, pat, name LIKE pat, name GLOB pat FROM a, p ORDER BY name, pat
SELECT name, pat FROM a JOIN p ON name LIKE '%' || pat ORDER BY name, pat
SELECT name, pat, name LIKE pat ESCAPE 'n' FROM a, p ORDER BY name, pat

-- recursion: both columns of a row, orders, limits, UNION
WITH RECURSIVE c(x, y) AS (SELECT 1, 'a' UNION ALL SELECT x + 1, y || x FROM c WHERE x < 6) SELECT * FROM c
WITH RECURSIVE c(x) AS (VALUES (1), (10) UNION ALL SELECT x + 1 FROM c WHERE x < 14 AND x <> 4) SELECT x FROM c
WITH RECURSIVE c(x, d) AS (SELECT 1, 0 UNION ALL SELECT x * 2 + n, d + 1 FROM c, (SELECT 0 AS n UNION SELECT 1) WHERE d < 3 ORDER BY 2 DESC, 1) SELECT * FROM c
WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT (x * 3) % 11 FROM c) SELECT * FROM c
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 4 OFFSET 3) SELECT * FROM c
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 9) SELECT a.x, b.x FROM c AS a JOIN c AS b ON b.x = a.x * 3

-- HAVING needs groups: an aggregate in it, in ORDER BY or over a window makes none
CREATE TABLE t(a,b); INSERT INTO t VALUES(1,2),(3,4)
SELECT 1 FROM t HAVING count(*)>0
SELECT a FROM t HAVING 1 ORDER BY count(*)
SELECT count(*) OVER () FROM t HAVING 1
SELECT count(*) FROM t HAVING 1
SELECT 1 FROM t HAVING (SELECT count(t.a))
SELECT (SELECT count(t.a)) FROM t HAVING 1
SELECT a FROM t GROUP BY a HAVING a>1
SELECT 1 HAVING 1
