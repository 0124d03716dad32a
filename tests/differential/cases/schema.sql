-- a query in FROM has no rowid, whatever it reads
CREATE TABLE t(a, b)
CREATE TABLE k(id INTEGER PRIMARY KEY, v)
INSERT INTO t VALUES (1,2),(3,4)
INSERT INTO k VALUES (7,8),(9,10)
CREATE VIEW v AS SELECT a FROM t
CREATE VIEW v2 AS SELECT * FROM t
CREATE VIEW v3 AS SELECT a FROM t, k
CREATE VIEW vr AS SELECT rowid, a FROM t
CREATE VIEW vg AS SELECT a, count(*) FROM t GROUP BY a
CREATE VIEW vu AS SELECT a FROM t UNION ALL SELECT v FROM k
CREATE VIEW vv AS SELECT * FROM v
CREATE VIEW vid AS SELECT id FROM k
SELECT rowid FROM v
SELECT rowid, * FROM v2
SELECT rowid FROM v3
SELECT rowid FROM vr
SELECT rowid FROM vg
SELECT rowid FROM vu
SELECT rowid FROM vv
SELECT rowid FROM vid
SELECT oid FROM v
SELECT _rowid_ FROM v
SELECT v.rowid FROM v
SELECT rowid FROM v WHERE rowid = 1
SELECT a FROM v ORDER BY rowid
SELECT a FROM v GROUP BY rowid
SELECT rowid FROM (SELECT a FROM t)
SELECT rowid FROM (SELECT * FROM t)
SELECT x.rowid FROM (SELECT * FROM t) AS x
SELECT rowid FROM (SELECT a FROM t LIMIT 1)
SELECT rowid FROM (SELECT a FROM t ORDER BY a)
SELECT rowid FROM (SELECT DISTINCT a FROM t)
SELECT rowid FROM (SELECT rowid FROM t)
SELECT rowid FROM (SELECT a FROM v)
SELECT rowid FROM (SELECT id FROM k)
SELECT rowid FROM (t)
SELECT rowid FROM (t JOIN k)
SELECT t.rowid FROM (t JOIN k)
SELECT rowid FROM t JOIN k
SELECT rowid FROM t, (SELECT 1 AS q)
SELECT rowid FROM t, (SELECT a FROM t) AS z
SELECT rowid FROM v, t
SELECT rowid FROM v, v2
SELECT rowid FROM t, v
SELECT rowid FROM json_each('[1,2]')
SELECT rowid FROM t, json_each('[1,2]')
SELECT rowid FROM json_tree('[1,2]')
SELECT json_each.rowid FROM json_each('[1,2]')
SELECT rowid FROM pragma_table_info('t')
SELECT rowid FROM (VALUES (1),(2))
SELECT rowid FROM (VALUES (1),(2)) AS y
WITH c AS (SELECT a FROM t) SELECT rowid FROM c
WITH c AS (SELECT a FROM t) SELECT c.rowid FROM c
WITH c AS MATERIALIZED (SELECT a FROM t) SELECT rowid FROM c
WITH c(x) AS (SELECT 1) SELECT rowid FROM c
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 3) SELECT rowid FROM c
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT rowid FROM c WHERE x < 3) SELECT * FROM c
SELECT (SELECT rowid) FROM t
SELECT (SELECT rowid FROM v) FROM t
SELECT (SELECT v.rowid FROM k) FROM v
SELECT * FROM t LEFT JOIN v ON v.rowid = t.rowid
SELECT * FROM t JOIN v ON v.rowid = t.rowid
CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN SELECT NEW.rowid; END
INSERT INTO v VALUES (1)
CREATE TRIGGER td INSTEAD OF DELETE ON v BEGIN SELECT OLD.rowid; END
DELETE FROM v
DELETE FROM v WHERE rowid = 1
CREATE TRIGGER tu INSTEAD OF UPDATE ON v BEGIN SELECT OLD.rowid; END
UPDATE v SET a = 1 WHERE rowid = 1
SELECT rowid FROM sqlite_schema WHERE name = 't'
SELECT "rowid" FROM v
SELECT "rowid" FROM (SELECT a FROM t)
SELECT [rowid] FROM v
SELECT count(rowid) FROM v
SELECT rowid FROM (SELECT a FROM t) JOIN (SELECT b FROM t)
SELECT max(rowid) FROM vv
SELECT rowid FROM t NATURAL JOIN v
SELECT rowid FROM (SELECT t.a FROM t LEFT JOIN k ON v = a)
CREATE VIEW vw AS SELECT k FROM w
CREATE TABLE w(k PRIMARY KEY, z) WITHOUT ROWID
SELECT rowid FROM vw
SELECT rowid FROM w
SELECT v.rowid, t.rowid FROM v, t WHERE t.rowid = 1
SELECT EXISTS (SELECT 1 FROM v WHERE v.rowid = t.rowid) FROM t

-- keys WITHOUT ROWID, rowids of PRAGMAs, compile options, orders of databases
CREATE TABLE w2(a, b TEXT COLLATE NOCASE, c, d, g AS (a), h AS (b) STORED, PRIMARY KEY (c, b)) WITHOUT ROWID
PRAGMA index_xinfo(w2)
PRAGMA index_info(w2)
SELECT rowid FROM w2, pragma_table_info('w2')
CREATE TABLE t(a)
SELECT rowid FROM t, pragma_table_info('w2')
SELECT t.rowid FROM t, pragma_table_info('w2')
SELECT rowid, name FROM pragma_table_info('w2') WHERE rowid = 2
SELECT rowid, seq FROM pragma_database_list ORDER BY rowid DESC
SELECT sqlite_compileoption_get(-1), sqlite_compileoption_get(100000), typeof(sqlite_compileoption_get(0)), typeof(sqlite_compileoption_get(NULL)), typeof(sqlite_compileoption_get('0'))
SELECT count(*) FROM pragma_compile_options WHERE sqlite_compileoption_used(compile_options) = 0
SELECT count(*) FROM pragma_compile_options WHERE sqlite_compileoption_get(rowid - 1) IS NOT compile_options
SELECT sqlite_compileoption_used()
SELECT sqlite_compileoption_used(1, 2)
DROP TABLE IF EXISTS nosuchdb.t
DROP INDEX IF EXISTS nosuchdb.t
DROP VIEW IF EXISTS nosuchdb.t
DROP TRIGGER IF EXISTS nosuchdb.t
PRAGMA integrity_check(nonsuch)
PRAGMA quick_check(nonsuch)
CREATE VIEW vv AS SELECT 1
PRAGMA integrity_check(vv)
PRAGMA quick_check('t')
PRAGMA integrity_check('sqlite_schema')
PRAGMA integrity_check(sqlite_master)
PRAGMA integrity_check('x y')
SELECT * FROM pragma_integrity_check('t')
SELECT * FROM pragma_integrity_check('nonsuch')
SELECT rowid, name FROM sqlite_schema
SELECT name FROM sqlite_schema ORDER BY rowid DESC
ATTACH ':memory:' AS x
ATTACH ':memory:' AS y
CREATE TABLE y.q(a)
INSERT INTO y.q VALUES ('y')
DETACH x
ATTACH ':memory:' AS z
CREATE TABLE z.q(a)
INSERT INTO z.q VALUES ('z')
SELECT * FROM q
DETACH y
SELECT * FROM q
DETACH z
SELECT * FROM q

-- what PRAGMAs of checks take for a number, and how many databases may be attached
create table t(a unique, b)
create table wr(a primary key, b) without rowid
insert into t values(1,2),(2,3)
create view v as select 1
attach ':memory:' as m1
create table m1.q(a)
pragma integrity_check('5')
pragma quick_check('5')
pragma integrity_check(5)
pragma integrity_check(0)
pragma integrity_check(-1)
pragma integrity_check('-1')
pragma integrity_check('0')
pragma integrity_check(1.5)
pragma integrity_check('5x')
pragma integrity_check('')
pragma integrity_check(t)
pragma integrity_check('t')
pragma integrity_check("t")
pragma integrity_check(wr)
pragma integrity_check(nosuch)
pragma integrity_check('nosuch')
pragma integrity_check(v)
pragma integrity_check(tt)
pragma integrity_check(q)
pragma m1.integrity_check(q)
pragma m1.integrity_check(t)
pragma main.integrity_check(tt)
pragma temp.integrity_check(tt)
pragma integrity_check(sqlite_schema)
pragma integrity_check(sqlite_master)
pragma integrity_check(sqlite_autoindex_t_1)
pragma quick_check(t)
pragma quick_check(nosuch)
pragma quick_check(v)
pragma quick_check = t
pragma integrity_check = 5
pragma integrity_check('7')
pragma integrity_check(99999999999)
pragma integrity_check(on)
pragma integrity_check(null)
select * from pragma_integrity_check('t')
select * from pragma_integrity_check('nosuch')
select * from pragma_integrity_check('5')
select * from pragma_integrity_check(5)
select * from pragma_quick_check('t')
select * from pragma_integrity_check('q','m1')
attach ':memory:' as m2
attach ':memory:' as m3
attach ':memory:' as m4
attach ':memory:' as m5
attach ':memory:' as m6
attach ':memory:' as m7
attach ':memory:' as m8
attach ':memory:' as m9
attach ':memory:' as m10
attach ':memory:' as m11
attach ':memory:' as m12
attach ':memory:' as m1
