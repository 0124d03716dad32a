-- what triggers elsewhere may do is not asked when a table is altered
CREATE TABLE a(x, y);
CREATE TABLE c(x, y AS (x));
CREATE TABLE few(x);
CREATE VIEW v AS SELECT x FROM few;
CREATE TRIGGER h DELETE ON a BEGIN UPDATE c SET y = 1; INSERT INTO c(x, y) VALUES (1, 2); END;
CREATE TRIGGER k DELETE ON a BEGIN INSERT INTO few VALUES (1, 2); DELETE FROM v WHERE x = 1; END;
CREATE TRIGGER l DELETE ON a BEGIN INSERT INTO few VALUES (1) ON CONFLICT (x) DO NOTHING; END;
CREATE TABLE d(z);
ALTER TABLE d RENAME TO e;
ALTER TABLE c RENAME TO cc;
ALTER TABLE a RENAME TO aa;
ALTER TABLE aa RENAME x TO xx;
ALTER TABLE aa DROP COLUMN y;
ALTER TABLE few RENAME x TO y;
SELECT name, sql FROM sqlite_schema ORDER BY name;

-- a table is not renamed to its own name
CREATE TABLE a(x);
ALTER TABLE a RENAME TO a; -- error
ALTER TABLE a RENAME TO A; -- error

-- what is in no database need not be there to be dropped
DROP TABLE IF EXISTS nowhere.t;
DROP VIEW IF EXISTS nowhere.t;
DROP TRIGGER IF EXISTS nowhere.t;
DROP INDEX IF EXISTS nowhere.t;
DROP TABLE nowhere.t;

-- a trigger names its own database alone
ATTACH ':memory:' AS other;
CREATE TABLE a(x);
CREATE TABLE other.b(x);
CREATE TRIGGER g AFTER INSERT ON a BEGIN SELECT x FROM other.b; END; -- error
CREATE TRIGGER g AFTER INSERT ON a BEGIN SELECT 1 WHERE EXISTS (SELECT x FROM temp.b); END; -- error
CREATE TRIGGER g AFTER INSERT ON a WHEN (SELECT x FROM other.b) BEGIN SELECT 1; END; -- error
CREATE TRIGGER other.g AFTER INSERT ON b BEGIN INSERT INTO b SELECT x FROM main.a; END; -- error
CREATE TRIGGER other.g AFTER INSERT ON b BEGIN INSERT INTO b SELECT x + 1 FROM other.b; END;
CREATE TRIGGER g AFTER INSERT ON a BEGIN SELECT x FROM main.a; END;
CREATE TEMP TRIGGER h AFTER INSERT ON a BEGIN SELECT x FROM other.b; END;
INSERT INTO a VALUES (1);
INSERT INTO other.b VALUES (1);
SELECT * FROM other.b;
BEGIN;
SELECT * FROM other.b;
DETACH other; -- error
COMMIT;
DETACH other;

-- the text of CREATE TABLE AS has a line per column where it is long
CREATE TABLE s(a INTEGER, b TEXT, [c d] REAL)
INSERT INTO s VALUES (1,2,3)
CREATE TABLE t20 AS SELECT a AS aaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t21 AS SELECT a AS aaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t22 AS SELECT a AS aaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t23 AS SELECT a AS aaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t24 AS SELECT a AS aaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t25 AS SELECT a AS aaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t26 AS SELECT a AS aaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t27 AS SELECT a AS aaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t28 AS SELECT a AS aaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t29 AS SELECT a AS aaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t30 AS SELECT a AS aaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t31 AS SELECT a AS aaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t32 AS SELECT a AS aaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t33 AS SELECT a AS aaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t34 AS SELECT a AS aaaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t35 AS SELECT a AS aaaaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t36 AS SELECT a AS aaaaaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t37 AS SELECT a AS aaaaaaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t38 AS SELECT a AS aaaaaaaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE t39 AS SELECT a AS aaaaaaaaaaaaaaaaaaaaaaaaa, b AS bbbbbbb FROM s
CREATE TABLE "q x" AS SELECT a AS "aaaaaa""aaaaaaa", b AS bbbbbbb FROM s
CREATE TABLE "q "" y" AS SELECT a AS "aaaaaaaaaaaaaa", b AS bbbbbbb FROM s
CREATE TABLE w AS SELECT *, a+b, a||b, max(a,b) AS m FROM s
CREATE TABLE w1 AS SELECT a FROM s
SELECT name, sql FROM sqlite_schema ORDER BY name

-- EXPLAIN of a definition looks its names up, and changes nothing
CREATE TABLE t(a INT PRIMARY KEY, b UNIQUE, c)
CREATE TABLE e(a)
CREATE VIEW v AS SELECT a FROM t
CREATE INDEX i ON t(c)
CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END
explain alter table e drop column a
explain alter table nosuch add column x
explain alter table nosuch drop column a
explain alter table nosuch rename to x
explain alter table t add column x collate nosuch
explain alter table t add column x primary key
explain alter table t add column x unique
explain alter table t alter column nosuch drop not null
explain alter table t alter column nosuch set not null
explain alter table t drop column a
explain alter table t drop column b
explain alter table t drop column nosuch
explain alter table t rename column nosuch to x
explain alter table t rename to e
explain alter table t rename to i
explain alter table t rename to sqlite_x
explain alter table t rename to v
explain alter table v add column x
explain alter table v drop column a
explain alter table v rename column a to x
explain alter table v rename to x
explain analyze nosuch
explain create index i on t(a)
explain create index j on nosuch(a)
explain create index j on t((select 1))
explain create index j on t(a) where nosuch
explain create index j on t(a) where random()
explain create index j on t(nosuch)
explain create index j on t(nosuch+1)
explain create index j on t(random())
explain create index j on v(a)
explain create index nosuch.j on t(a)
explain create index t on t(a)
explain create table i(a)
explain create table n as select * from nosuch
explain create table n as select nosuch from t
explain create table n(a check (nosuch>1))
explain create table n(a collate nosuch)
explain create table n(a default (b))
explain create table n(a foo) strict
explain create table n(a primary key, b primary key)
explain create table n(a) without rowid
explain create table n(a, a)
explain create table n(a, b generated always as (x))
explain create table n(a, check((select 1)))
explain create table n(a, foreign key(b) references t)
explain create table nosuch.n(a)
explain create table sqlite_x(a)
explain create table t as select 1
explain create table t(a)
explain create table v(a)
explain create temp table main.n(a)
explain create trigger tr after insert on t begin select 1; end
explain create trigger tr2 after insert on nosuch begin select 1; end
explain create trigger tr2 after insert on t begin insert into main.e values(1); end
explain create trigger tr2 after insert on v begin select 1; end
explain create trigger tr2 instead of insert on t begin select 1; end
explain create unique index j on t(c collate nosuch)
explain create view t as select 1
explain create view v as select 1
explain create view w as select ?1
explain drop index nosuch
explain drop index sqlite_autoindex_t_1
explain drop table main.nosuch
explain drop table nosuch
explain drop table v
explain drop trigger nosuch
explain drop view nosuch
explain drop view t
explain query plan alter table nosuch rename to x
explain query plan create table t(a)
explain query plan drop table nosuch
explain reindex nosuch
explain alter table t add column a
explain alter table t add constraint x check (nosuch > 1)
explain vacuum nosuch
explain pragma nosuch.user_version
select name from sqlite_schema order by 1

-- with legacy_alter_table a table's new name goes only into its own definitions
PRAGMA foreign_keys=OFF;
CREATE TABLE b(id INTEGER PRIMARY KEY, x, up REFERENCES b(id));
CREATE TABLE d(y, z REFERENCES b(id));
CREATE INDEX bi ON b(x);
CREATE VIEW vv AS SELECT x FROM b;
CREATE TRIGGER tt AFTER INSERT ON d BEGIN INSERT INTO b(x) VALUES(new.y); END;
CREATE TRIGGER own AFTER INSERT ON b BEGIN UPDATE b SET x=1; SELECT b.x FROM b; END;
CREATE TEMP TRIGGER temporary AFTER INSERT ON b BEGIN SELECT x FROM b; END;
CREATE TEMP TRIGGER beside AFTER INSERT ON d BEGIN SELECT x FROM b; END;
PRAGMA legacy_alter_table=ON;
ALTER TABLE b RENAME TO b2;
SELECT type, name, tbl_name, sql FROM sqlite_schema;
SELECT type, name, tbl_name, sql FROM sqlite_temp_schema;
PRAGMA foreign_keys=ON;
CREATE TABLE e(id INTEGER PRIMARY KEY, up REFERENCES e(id));
CREATE TABLE f(up REFERENCES e(id));
ALTER TABLE e RENAME TO e2;
SELECT sql FROM sqlite_schema WHERE name IN ('e2', 'f');
PRAGMA legacy_alter_table=OFF;
ALTER TABLE b2 RENAME TO b3; -- error

-- with legacy_alter_table nobody asks what needs a column that goes, but the table's own checks
CREATE TABLE q(a, b, c);
CREATE VIEW uses AS SELECT b FROM q;
CREATE TRIGGER t AFTER INSERT ON q BEGIN SELECT b FROM q; END;
PRAGMA legacy_alter_table=ON;
ALTER TABLE q DROP COLUMN b;
SELECT sql FROM sqlite_schema;
CREATE TABLE o(a CHECK (o.a > 0));
ALTER TABLE o RENAME TO oo; -- error
CREATE TABLE p(a, b);
CREATE INDEX pj ON p(a) WHERE p.b > 0;
ALTER TABLE p RENAME TO pp; -- error

-- a new CHECK does not ask about views
CREATE TABLE n(x);
CREATE VIEW broken AS SELECT * FROM nosuch;
ALTER TABLE n ADD CONSTRAINT c CHECK (x > 0);
INSERT INTO n VALUES (0); -- error

-- a column that refers to rows may have a default while there are no rows
PRAGMA foreign_keys=ON;
CREATE TABLE f(id INTEGER PRIMARY KEY);
ALTER TABLE f ADD COLUMN q REFERENCES f(id) DEFAULT 5;
INSERT INTO f(id) VALUES(1); -- error
INSERT INTO f(id, q) VALUES(1, 1);
ALTER TABLE f ADD COLUMN r REFERENCES f(id) DEFAULT 5; -- error

-- PRAGMA optimize writes nothing where there is nothing to count
PRAGMA optimize;
SELECT name FROM sqlite_schema;
CREATE TABLE t(a);
INSERT INTO t VALUES(1),(2);
PRAGMA optimize;
CREATE TABLE e(a PRIMARY KEY);
PRAGMA optimize;
SELECT name FROM sqlite_schema;
CREATE INDEX i ON t(a);
PRAGMA optimize = 1;
PRAGMA optimize = 3;
PRAGMA optimize;
SELECT * FROM sqlite_stat1;
