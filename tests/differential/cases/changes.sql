-- a row that a trigger keeps stands in REPLACE's way
PRAGMA recursive_triggers = ON
CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE)
CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT RAISE(IGNORE) WHERE old.b = 5; END
INSERT INTO t VALUES (1, 5), (2, 6)
INSERT OR REPLACE INTO t VALUES (1, 7)
INSERT OR REPLACE INTO t VALUES (3, 5)
INSERT OR REPLACE INTO t VALUES (3, 6)
UPDATE OR REPLACE t SET b = 5 WHERE a = 3
SELECT * FROM t

-- NOT NULL comes before the types of a STRICT table, in UPDATE, too
CREATE TABLE t(a REAL NOT NULL, b INTEGER) STRICT
INSERT INTO t VALUES (0.5, 1), (1.5, 2)
UPDATE OR IGNORE t SET a = NULL, b = 0.5
UPDATE t SET a = NULL, b = 0.5
UPDATE OR IGNORE t SET b = 0.5
UPDATE t SET b = 'x', a = 1
SELECT * FROM t

-- what a trigger names is looked up before anything is changed
CREATE TABLE log(a)
CREATE TABLE t(a, b)
INSERT INTO t VALUES (1, 2)
CREATE TRIGGER g AFTER INSERT ON t WHEN new.a > 100 BEGIN INSERT INTO log VALUES (new.nosuch); END
INSERT INTO t VALUES (3, 4), (5, 6)
SELECT last_insert_rowid(), changes(), total_changes()
SELECT count(*) FROM t
UPDATE t SET a = 1
CREATE TRIGGER h AFTER UPDATE ON t BEGIN DELETE FROM t WHERE 0; INSERT INTO nowhere VALUES (1); END
UPDATE t SET a = 1 WHERE 0
CREATE TRIGGER i AFTER DELETE ON t BEGIN UPDATE t SET a = 2; END
DELETE FROM t WHERE 0
SELECT * FROM t

-- rows that a new column must suit
CREATE TABLE t(a)
INSERT INTO t VALUES (1)
ALTER TABLE t ADD COLUMN b DEFAULT 42 CHECK (b <> 42)
ALTER TABLE t ADD COLUMN c NOT NULL DEFAULT NULL
ALTER TABLE t ADD COLUMN d TEXT DEFAULT 1e10
ALTER TABLE t ADD COLUMN e TEXT DEFAULT -1.50
ALTER TABLE t ADD COLUMN f DEFAULT 1.50
ALTER TABLE t ADD COLUMN g TEXT DEFAULT 007
INSERT INTO t(a) VALUES (2)
SELECT *, typeof(d), typeof(f), typeof(g) FROM t

-- RESTRICT speaks as a trigger does
PRAGMA foreign_keys = ON
CREATE TABLE p(a INTEGER PRIMARY KEY)
CREATE TABLE c(a REFERENCES p ON DELETE RESTRICT ON UPDATE RESTRICT)
INSERT INTO p VALUES (1)
INSERT INTO c VALUES (1)
DELETE FROM p -- error
UPDATE p SET a = 2 -- error

-- a foreign key without a parent refuses every INSERT, and an UPDATE of its columns
PRAGMA foreign_keys = ON
CREATE TABLE t(a REFERENCES nowhere, b)
INSERT INTO t VALUES (NULL, 1)
INSERT INTO t(b) VALUES (1)
UPDATE t SET a = 1
UPDATE t SET b = 1
DELETE FROM t
CREATE TABLE p(x)
CREATE TABLE u(a REFERENCES p(x), b)
INSERT INTO u VALUES (NULL, 1)
SELECT last_insert_rowid()

-- a collation must be there
CREATE TABLE t(a)
ALTER TABLE t ADD COLUMN b COLLATE nosuch
CREATE TABLE u(a COLLATE nosuch)
CREATE INDEX i ON t(a COLLATE nosuch)
SELECT a FROM t ORDER BY a COLLATE nosuch

-- indexes and triggers of attached databases name theirs
ATTACH ':memory:' AS other
CREATE TABLE other.t(a)
CREATE TEMP TABLE tt(a)
CREATE INDEX i ON t(a) -- error
CREATE INDEX j ON tt(a)
CREATE INDEX other.k ON t(a)
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END -- error
ALTER TABLE t ADD COLUMN b
DROP INDEX k
INSERT INTO t VALUES (1, 2)
SELECT * FROM t

-- the order in which keys of a table without rowid are looked at
CREATE TABLE t(a INT PRIMARY KEY, b, c UNIQUE ON CONFLICT IGNORE) WITHOUT ROWID
INSERT INTO t VALUES (2, 1, 3)
INSERT INTO t VALUES (2, 4, 3)
CREATE TABLE u(a INTEGER PRIMARY KEY, b, c UNIQUE ON CONFLICT IGNORE) WITHOUT ROWID
INSERT INTO u VALUES (2, 1, 3)
INSERT INTO u VALUES (2, 4, 3)

-- an upsert that answers for a key leaves it no REPLACE
PRAGMA foreign_keys = ON
CREATE TABLE p(a PRIMARY KEY)
CREATE TABLE t(a, b UNIQUE ON CONFLICT REPLACE REFERENCES p)
INSERT INTO t VALUES (1, 2) ON CONFLICT (b) DO UPDATE SET a = 3
SELECT last_insert_rowid()
INSERT INTO t VALUES (1, 2)
SELECT last_insert_rowid()

-- A subquery that depends on no row is computed once, though the one around it is not.
CREATE TABLE t(a INTEGER PRIMARY KEY, b);
INSERT INTO t VALUES (1, 5), (2, NULL), (3, 7);
CREATE TABLE s(c);
INSERT INTO s VALUES (1), (2);
UPDATE t SET b = (SELECT count(*) FROM s WHERE s.c NOT IN (SELECT b FROM t) AND t.a > 0);
SELECT a, b FROM t;

-- FROM and RETURNING read a common table that was made once.
CREATE TABLE t(id INTEGER PRIMARY KEY, v);
CREATE TABLE s(id INTEGER PRIMARY KEY, bump);
INSERT INTO t VALUES (1, 0), (2, 0);
INSERT INTO s VALUES (1, 1), (2, 2);
CREATE TRIGGER bu BEFORE UPDATE ON t BEGIN UPDATE s SET bump = 100 WHERE id = 2; END;
WITH c(n) AS (SELECT sum(bump) FROM s) UPDATE t SET v = 0 FROM c RETURNING id, (SELECT n FROM c);

-- What REPLACE deletes needs its parents' tables.
PRAGMA foreign_keys = ON;
CREATE TABLE t(a REFERENCES missing(x), b UNIQUE ON CONFLICT REPLACE, c);
UPDATE t SET c = 1;
UPDATE t SET b = 1;
UPDATE OR REPLACE t SET b = 1;

-- A row that a foreign key refuses before it is there leaves no rowid.
PRAGMA foreign_keys = ON;
CREATE TABLE p(x PRIMARY KEY);
CREATE TABLE c(id INTEGER PRIMARY KEY, x REFERENCES p(x), y UNIQUE);
INSERT INTO c(x) VALUES (1);
SELECT last_insert_rowid();
INSERT OR REPLACE INTO c(x) VALUES (1);
SELECT last_insert_rowid();
INSERT OR REPLACE INTO c(id, x) VALUES (NULL, 1);
SELECT last_insert_rowid();
CREATE TRIGGER g BEFORE UPDATE ON c BEGIN SELECT 1; END;
INSERT INTO c(id, x, y) VALUES (7, 1, 1) ON CONFLICT (y) DO UPDATE SET y = 2;
SELECT last_insert_rowid();

-- A row is no parent that was missing to itself.
PRAGMA foreign_keys = ON;
CREATE TABLE t(a PRIMARY KEY, b REFERENCES t(a)) WITHOUT ROWID;
INSERT INTO t VALUES (1, 2), (4, 4);
INSERT INTO t VALUES (1, 4), (4, 4);
CREATE TABLE u(a PRIMARY KEY, b REFERENCES u(a));
INSERT INTO u VALUES (1, 2), (4, 4);

-- Rows of CREATE TABLE AS are none of the application's.
CREATE TABLE t(a);
INSERT INTO t VALUES (1), (2), (3);
CREATE TABLE u AS SELECT a FROM t WHERE a < 3;
SELECT last_insert_rowid();

-- A table that is renamed is written in quotes wherever it is named.
CREATE TABLE t(a PRIMARY KEY, b REFERENCES t(a), CHECK (t.a > 0));
CREATE INDEX i ON t(b) WHERE t.b > 1;
CREATE VIEW v AS SELECT t.a FROM t JOIN t AS u;
CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET b = 1 WHERE t.a = new.a; END;
ALTER TABLE t RENAME TO r;
SELECT sql FROM sqlite_schema ORDER BY name;
ALTER TABLE r RENAME COLUMN a TO z;
SELECT sql FROM sqlite_schema ORDER BY name;

-- REPLACE outside of a trigger holds inside, NULLs included.
CREATE TABLE t(a NOT NULL DEFAULT 7, b);
CREATE TRIGGER g AFTER INSERT ON t WHEN new.b > 0 BEGIN INSERT OR IGNORE INTO t(a, b) VALUES (NULL, 0); END;
REPLACE INTO t VALUES (1, 1);
INSERT INTO t VALUES (2, 1);
SELECT * FROM t;

-- A number is a parent of its text in a column without a type, from both sides.
PRAGMA foreign_keys = ON;
CREATE TABLE p(id INTEGER PRIMARY KEY);
CREATE TABLE c(x REFERENCES p(id) ON DELETE CASCADE);
INSERT INTO p VALUES (1), (2), (3);
INSERT INTO c VALUES ('1'), (2), ('3');
DELETE FROM p WHERE id < 3;
SELECT x FROM c;
CREATE TABLE s(id INTEGER PRIMARY KEY, x REFERENCES s(id));
INSERT INTO s VALUES (47, '10'), (10, NULL);

-- RESTRICT looks at the other rows.
PRAGMA foreign_keys = ON;
CREATE TABLE t(a PRIMARY KEY, b REFERENCES t(a) ON DELETE RESTRICT);
INSERT INTO t VALUES (1, 1), (2, 2), (3, 2);
DELETE FROM t WHERE a = 1;
DELETE FROM t WHERE a = 2;
SELECT * FROM t;
CREATE TABLE w(a PRIMARY KEY, b REFERENCES w(a) ON DELETE RESTRICT) WITHOUT ROWID;
INSERT INTO w VALUES (1, 1), (2, 2), (3, 2);
DELETE FROM w WHERE a = 1;
DELETE FROM w WHERE a = 2;
SELECT * FROM w;

-- A row is its own parent only by its very value; others are found by what a column makes of it.
PRAGMA foreign_keys = ON;
CREATE TABLE t(a REAL PRIMARY KEY, b, c VARCHAR(10) REFERENCES t(a));
INSERT INTO t(a, b) VALUES (10.75, 11);
UPDATE t SET c = a WHERE c IS NULL;
INSERT INTO t VALUES (5, 1, '5');
INSERT INTO t VALUES (6, 1, '10.75');
UPDATE t SET c = '6' WHERE a = 6;
CREATE TABLE n(a TEXT COLLATE NOCASE PRIMARY KEY, b REFERENCES n(a)) WITHOUT ROWID;
INSERT INTO n VALUES ('A', 'a');
INSERT INTO n VALUES ('B', 'B'), ('C', 'b'), ('d', 'D');
INSERT INTO n VALUES ('B', 'B'), ('C', 'b');
UPDATE n SET b = lower(a);
UPDATE n SET a = a || 'x';
UPDATE n SET a = 'q', b = 'q' WHERE a = 'B';
CREATE TABLE i(id INTEGER PRIMARY KEY, p TEXT REFERENCES i(id));
INSERT INTO i VALUES (4, '4'), (5, ' 5');
CREATE TABLE two(a TEXT, b INT, c INT, d TEXT, UNIQUE (a, b), FOREIGN KEY (c, d) REFERENCES two(a, b));
INSERT INTO two VALUES ('1', 2, 1, '2');
INSERT INTO two VALUES ('x', 2, 'x', 2), ('y', 3, 'x', '2');
SELECT * FROM t;
SELECT * FROM n;
SELECT * FROM two;

-- Children are found by the parent's collation.
PRAGMA foreign_keys = ON;
CREATE TABLE p(a TEXT COLLATE NOCASE PRIMARY KEY);
CREATE TABLE c(x REFERENCES p(a) ON DELETE CASCADE ON UPDATE CASCADE, y TEXT COLLATE RTRIM REFERENCES p(a));
INSERT INTO p VALUES ('A'), ('B'), ('C');
INSERT INTO c VALUES ('a', NULL), ('b', NULL), ('c', 'C');
UPDATE p SET a = 'D' WHERE a = 'b';
DELETE FROM p WHERE a = 'A';
DELETE FROM p WHERE a = 'c';
UPDATE p SET a = 'c' WHERE a = 'C';
SELECT * FROM p;
SELECT * FROM c;

-- The key of a table without rowid is looked at in its turn among the unique indexes.
CREATE TABLE a(x, y, z, PRIMARY KEY (x, y) UNIQUE (x) ON CONFLICT IGNORE) WITHOUT ROWID;
INSERT INTO a VALUES (1, 2, 3);
INSERT INTO a VALUES (1, 2, 4);
INSERT INTO a VALUES (1, NULL, 4), (1, 2, 4);
CREATE TABLE b(x, y, z, UNIQUE (x) ON CONFLICT IGNORE, PRIMARY KEY (x, y)) WITHOUT ROWID;
INSERT INTO b VALUES (1, 2, 3);
INSERT INTO b VALUES (1, 2, 4);
CREATE TABLE i(x INTEGER, y UNIQUE ON CONFLICT IGNORE, PRIMARY KEY (x)) WITHOUT ROWID;
INSERT INTO i VALUES (1, 2);
INSERT INTO i VALUES (1, 2);
SELECT * FROM a, b, i;

-- Which row was inserted last where a foreign key refuses it: one row is not even tried.
PRAGMA foreign_keys = ON;
CREATE TABLE p(a PRIMARY KEY);
CREATE TABLE c(a INTEGER PRIMARY KEY, b, FOREIGN KEY (a) REFERENCES p(a));
INSERT OR REPLACE INTO c DEFAULT VALUES;
SELECT last_insert_rowid();
CREATE TABLE s(a TEXT, b REAL, c, d, PRIMARY KEY (a, b), FOREIGN KEY (d, c) REFERENCES s(a, b));
INSERT INTO s VALUES (1, 2, 3, 4) ON CONFLICT (a, b) DO UPDATE SET a = excluded.a;
SELECT last_insert_rowid();

-- What a view's trigger gets is returned.
CREATE TABLE t(a INTEGER PRIMARY KEY, b);
CREATE VIEW v(x, y) AS SELECT a, b FROM t;
CREATE TRIGGER gi INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.x, new.y); END;
CREATE TRIGGER gu INSTEAD OF UPDATE ON v BEGIN UPDATE t SET b = new.y WHERE a = old.x; END;
CREATE TRIGGER gd INSTEAD OF DELETE ON v BEGIN DELETE FROM t WHERE a = old.x; END;
INSERT INTO v VALUES (5, 'p'), (6, 'q') RETURNING *, x * 2;
INSERT INTO v(y) VALUES ('r') RETURNING x, y AS z;
UPDATE v SET y = y || '!' WHERE x > 4 RETURNING x, y, v.y;
DELETE FROM v WHERE x = 5 RETURNING *, (SELECT count(*) FROM t);
SELECT * FROM t;

-- Constraints that ALTER TABLE adds and takes away, as text.
CREATE TABLE t(a NOT NULL, b INT NOT NULL ON CONFLICT IGNORE DEFAULT 5, CHECK (a > 1) CONSTRAINT d CHECK (b > 2), CONSTRAINT e CHECK (b <> 7));
ALTER TABLE t ALTER a DROP NOT NULL;
ALTER TABLE t ALTER b DROP NOT NULL;
SELECT sql FROM sqlite_schema;
ALTER TABLE t ALTER COLUMN a SET NOT NULL ON CONFLICT REPLACE;
SELECT sql FROM sqlite_schema;
ALTER TABLE t DROP CONSTRAINT e;
SELECT sql FROM sqlite_schema;
ALTER TABLE t ADD CONSTRAINT f CHECK ((a) > (0));
INSERT INTO t VALUES (5, 6);
INSERT INTO t VALUES (-5, 6);
SELECT * FROM t;
CREATE TABLE u(a CONSTRAINT n NOT NULL, b CONSTRAINT c CHECK (b > 0) DEFAULT 5);
ALTER TABLE u DROP CONSTRAINT n;
ALTER TABLE u DROP CONSTRAINT c;
SELECT sql FROM sqlite_schema WHERE name = 'u';

-- a trigger of rows that REPLACE takes away names a table that is not there
PRAGMA recursive_triggers = ON;
CREATE TABLE t(a UNIQUE, b NOT NULL);
CREATE TABLE plain(a, b NOT NULL);
CREATE TRIGGER g AFTER DELETE ON t BEGIN DELETE FROM missing; END;
CREATE TRIGGER h AFTER DELETE ON plain BEGIN DELETE FROM missing; END;
INSERT OR REPLACE INTO t(a) VALUES (1);
INSERT INTO t VALUES (1, 2);
UPDATE OR REPLACE t SET a = 1;
UPDATE OR REPLACE t SET b = 1;
INSERT OR REPLACE INTO plain VALUES (1, 2);
INSERT OR REPLACE INTO plain(rowid, b) VALUES (1, 2);
PRAGMA recursive_triggers = OFF;
INSERT OR REPLACE INTO t VALUES (1, 3);
SELECT a, b FROM t;

-- a conflict target that two unique indexes fit, which differ in their collations: the newer
CREATE TABLE t(a TEXT, n, UNIQUE (a));
CREATE UNIQUE INDEX i ON t(a COLLATE NOCASE);
INSERT INTO t VALUES ('A', 1);
INSERT INTO t VALUES ('a', 2) ON CONFLICT (a) DO UPDATE SET n = 7;
INSERT INTO t VALUES ('A', 2) ON CONFLICT (a) DO UPDATE SET n = 8;
SELECT a, n FROM t;
CREATE TABLE w(a TEXT PRIMARY KEY, n, UNIQUE (a COLLATE NOCASE)) WITHOUT ROWID;
INSERT INTO w VALUES ('A', 1);
INSERT INTO w VALUES ('a', 2) ON CONFLICT (a) DO UPDATE SET n = 7;
INSERT INTO w VALUES ('b', 2) ON CONFLICT (a) DO NOTHING;
SELECT a, n FROM w;
CREATE TABLE r(a TEXT UNIQUE, n, UNIQUE (a COLLATE NOCASE) ON CONFLICT REPLACE);
INSERT INTO r VALUES ('A', 1);
INSERT INTO r VALUES ('a', 2) ON CONFLICT (a) DO UPDATE SET n = 7;
SELECT a, n FROM r;

-- All rows are changed in the order of the table, whatever index has what is read of them.
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c, d AS (b || 'g') UNIQUE);
CREATE INDEX i ON t(b, c);
INSERT INTO t(a, b, c) VALUES (2, 'k12', 2), (38, 'k1', 2.25), (100, '%', ' 1'), (0, '-3', NULL), (101, 'abc', 0.5);
UPDATE t SET (b, c) = (('-3' / t.c), t.a);
SELECT a, b, c, d FROM t ORDER BY a;

-- a generated column is no part of the primary key, wherever PRIMARY KEY stands, and has no default
CREATE TABLE bk(a, b PRIMARY KEY AS (a), c) WITHOUT ROWID; -- error
CREATE TABLE bad(a, b INTEGER PRIMARY KEY AS (a)); -- error
CREATE TABLE bad(a, b AS (a) PRIMARY KEY); -- error
CREATE TABLE bad(a, b AS (a), PRIMARY KEY (b)); -- error
CREATE TABLE bad(a, b DEFAULT 1 AS (a)); -- error
CREATE TABLE bad(a, b DEFAULT NULL AS (a)); -- error
CREATE TABLE bad(a, b AS (a) STORED DEFAULT (1)); -- error
CREATE TABLE bad(a, b AS (a) AS (a + 1)); -- error
CREATE TABLE z(a);
ALTER TABLE z ADD COLUMN p AS (a) DEFAULT 5; -- error
ALTER TABLE z ADD COLUMN p DEFAULT 5 AS (a); -- error
ALTER TABLE z ADD COLUMN p AS (a) AS (a); -- error
CREATE TABLE twice(a, b DEFAULT 1 DEFAULT 2);
INSERT INTO twice(a) VALUES (1);
SELECT * FROM twice;
SELECT name FROM sqlite_schema;

-- a default is made of constants and functions
CREATE TABLE bad(a, b DEFAULT (a || 'x')); -- error
CREATE TABLE bad(a, b DEFAULT (?)); -- error
CREATE TABLE bad(a, b DEFAULT (:x + 1)); -- error
CREATE TABLE bad(a, b DEFAULT (a)); -- error
CREATE TABLE bad(a, b DEFAULT ("foo")); -- error
CREATE TABLE bad(a, b DEFAULT ("true")); -- error
CREATE TABLE bad(a, b DEFAULT (-foo)); -- error
CREATE TABLE bad(a, b DEFAULT (t.x)); -- error
CREATE TABLE bad(a, b DEFAULT (rowid)); -- error
CREATE TABLE bad(a, b DEFAULT ((SELECT 1))); -- error
CREATE TABLE bad(a, b DEFAULT (EXISTS (SELECT 1))); -- error
CREATE TABLE bad(a, b DEFAULT (1 IN (SELECT 1))); -- error
CREATE TABLE bad(a, b DEFAULT (1 IN nothing)); -- error
CREATE TABLE bad(a, b DEFAULT (row_number() OVER ())); -- error
CREATE TABLE bad(a, b DEFAULT (raise(ignore))); -- error
CREATE TABLE bad(a, b DEFAULT (CASE WHEN a THEN 1 END)); -- error
CREATE TABLE z(a);
INSERT INTO z VALUES (1);
ALTER TABLE z ADD COLUMN b DEFAULT (x); -- error
ALTER TABLE z ADD COLUMN b DEFAULT (a || 'x'); -- error
ALTER TABLE z ADD COLUMN b DEFAULT ("x"); -- error
SELECT * FROM z;
CREATE TABLE t(a, b DEFAULT foo, c DEFAULT "x", d DEFAULT (true), e DEFAULT (1 IN (1, 2)), f DEFAULT (max(1, 2)), g DEFAULT -5, h DEFAULT ('x' COLLATE nocase), i DEFAULT (CAST(5 AS TEXT)), j DEFAULT (false + 1), k DEFAULT [foo], l DEFAULT (-null), m DEFAULT (CASE 1 WHEN 1 THEN 7 END), n DEFAULT (5 BETWEEN 1 AND 9));
INSERT INTO t(a) VALUES (1);
SELECT * FROM t;

-- generated columns of STRICT tables have their type, too
CREATE TABLE s5(a INTEGER PRIMARY KEY, b INT AS (a||'x') STORED) STRICT
INSERT INTO s5 VALUES(1)
SELECT *,typeof(b) FROM s5
CREATE TABLE s6(a ANY, b INT AS (a) STORED, c TEXT AS (a), d REAL AS (a), e BLOB AS (a)) STRICT
INSERT INTO s6 VALUES('12')
INSERT INTO s6 VALUES(NULL)
INSERT INTO s6 VALUES(x'00')
INSERT INTO s6 VALUES(1.5)
SELECT quote(a),quote(b),quote(c),quote(d),quote(e) FROM s6
CREATE TABLE s7(a ANY, b INT AS (a)) STRICT
INSERT INTO s7 VALUES('12')
INSERT INTO s7 VALUES('zz')
INSERT INTO s7 VALUES(1.5)
INSERT OR IGNORE INTO s7 VALUES(1.5)
INSERT OR REPLACE INTO s7 VALUES(1.5)
UPDATE s7 SET a='x'
SELECT * FROM s7
PRAGMA integrity_check
CREATE TABLE s8(a ANY, b INT AS (a) STORED) STRICT
INSERT INTO s8 VALUES('12')
INSERT INTO s8 VALUES('zz')
INSERT INTO s8 VALUES(1.5)
INSERT OR IGNORE INTO s8 VALUES(1.5)
INSERT OR ROLLBACK INTO s8 VALUES(1.5)
UPDATE s8 SET a='x'
UPDATE OR IGNORE s8 SET a='x'
SELECT * FROM s8
ALTER TABLE s8 ADD COLUMN c2 TEXT AS (a||'x')
ALTER TABLE s8 ADD COLUMN d INT DEFAULT 'abc'
ALTER TABLE s8 ADD COLUMN e INT DEFAULT '12'
ALTER TABLE s8 ADD COLUMN f TEXT DEFAULT 12
SELECT *,typeof(e),typeof(f) FROM s8
INSERT INTO s8(a) VALUES(5)
SELECT * FROM s8
CREATE TABLE n(a ANY, u UNIQUE, b INT AS (a) STORED NOT NULL, c INT AS (b) STORED CHECK (c < 100)) STRICT
CREATE TABLE n(a ANY, u ANY UNIQUE, b INT AS (a) STORED NOT NULL, c INT AS (b) STORED CHECK (c < 100)) STRICT
INSERT INTO n VALUES(NULL, 1)
INSERT INTO n VALUES('x', 1)
INSERT INTO n VALUES(200, 1)
INSERT INTO n VALUES(2, 1)
INSERT INTO n VALUES('x', 1)
INSERT OR IGNORE INTO n VALUES('x', 1)
INSERT OR IGNORE INTO n VALUES('x', 2)
INSERT INTO n VALUES('x', 1) ON CONFLICT DO NOTHING
INSERT INTO n VALUES('x', 1) ON CONFLICT(u) DO UPDATE SET a = 'y'
INSERT INTO n VALUES(3, 1) ON CONFLICT(u) DO UPDATE SET a = 'y'
INSERT OR REPLACE INTO n VALUES('x', 1)
UPDATE n SET a = 'q'
UPDATE n SET a = 1.5
UPDATE n SET a = 1.0
UPDATE n SET u = 'q'
SELECT * FROM n
CREATE TABLE m(id INTEGER PRIMARY KEY, a ANY, b INT AS (a) STORED) STRICT
INSERT INTO m VALUES(1, 1)
INSERT INTO m VALUES(1, 'x')
INSERT OR IGNORE INTO m VALUES(1, 'x')
INSERT INTO m VALUES(2, 5), (3, 'x')
INSERT INTO m SELECT 10, 'x'
CREATE TABLE src(a, b)
INSERT INTO src VALUES(20,'20'),(21,'y')
INSERT INTO m SELECT * FROM src
SELECT * FROM m
CREATE TRIGGER tm BEFORE INSERT ON m BEGIN INSERT INTO src VALUES(new.id, new.b); END
INSERT INTO m VALUES(4, 'trigger')
SELECT * FROM src
CREATE TABLE w(a ANY PRIMARY KEY, b INT AS (a) STORED) STRICT, WITHOUT ROWID
INSERT INTO w VALUES('x')
INSERT INTO w VALUES(1)
UPDATE w SET a = 'x'
SELECT * FROM w
CREATE TABLE z(a ANY, b REAL AS (a) STORED, c REAL AS (a) VIRTUAL) STRICT
INSERT INTO z VALUES(1),('2'),(-0.0)
INSERT INTO z VALUES(x'00')
SELECT quote(b), quote(c) FROM z
CREATE TABLE vx(a ANY, b INT AS (a)) STRICT
CREATE INDEX vxi ON vx(b)
INSERT INTO vx VALUES('zz')
PRAGMA integrity_check
CREATE TABLE vc(a ANY, b INT AS (a) CHECK (b IS NOT 'q'), c INT AS (a) STORED) STRICT
INSERT INTO vc VALUES('q')
INSERT INTO vc VALUES('zz')
INSERT INTO vc VALUES(5)
UPDATE vc SET a='q'
ALTER TABLE s7 ADD COLUMN c INT AS (a)
ALTER TABLE s8 ADD COLUMN c3 INT AS (a||'x')
ALTER TABLE s8 ADD COLUMN c4 REAL AS (a||'x')
ALTER TABLE s8 ADD COLUMN c5 REAL AS (b)
SELECT * FROM s8
PRAGMA integrity_check

-- what STRICT refuses of a generated column is said before triggers fire, after NOT NULL if it is stored
CREATE TABLE q(a ANY, b INT AS (a)) STRICT
CREATE TABLE q2(a ANY, b INT AS (a) STORED) STRICT
CREATE TABLE q3(a ANY, b INT AS (a) STORED, c TEXT AS (b)) STRICT
INSERT INTO q VALUES (1)
INSERT INTO q2 VALUES (1)
CREATE TRIGGER t1 BEFORE INSERT ON q BEGIN SELECT raise(ignore); END
CREATE TRIGGER t2 BEFORE INSERT ON q2 BEGIN SELECT raise(ignore); END
CREATE TRIGGER t11 BEFORE UPDATE ON q BEGIN SELECT raise(ignore); END
CREATE TRIGGER t21 BEFORE UPDATE ON q2 BEGIN SELECT raise(ignore); END
INSERT INTO q VALUES ('x')
INSERT INTO q2 VALUES ('x')
UPDATE q SET a = 'x'
UPDATE q2 SET a = 'x'
INSERT INTO q3 VALUES ('x')
CREATE TABLE q4(a ANY, b INT AS (a), c TEXT AS (a || 'x') NOT NULL, d) STRICT
CREATE TABLE q4(a ANY, b INT AS (a), c TEXT AS (a || 'x') NOT NULL) STRICT
INSERT INTO q4 VALUES (NULL)
INSERT INTO q4 VALUES ('x')
CREATE TABLE q5(a ANY NOT NULL ON CONFLICT REPLACE DEFAULT 'x', b INT AS (a) STORED) STRICT
INSERT INTO q5 VALUES (NULL)
INSERT INTO q5 VALUES (1)
UPDATE q5 SET a = NULL
CREATE TABLE q6(a ANY NOT NULL ON CONFLICT REPLACE DEFAULT 'x', b INT AS (a)) STRICT
INSERT INTO q6 VALUES (NULL)
INSERT INTO q6 VALUES (1)
UPDATE q6 SET a = NULL
SELECT * FROM q6
CREATE TABLE q7(a ANY, b INT AS (a) STORED NOT NULL, c TEXT NOT NULL) STRICT
INSERT INTO q7 VALUES ('x', NULL)
CREATE TABLE q8(a ANY, b INT AS (a), c TEXT NOT NULL) STRICT
INSERT INTO q8 VALUES ('x', NULL)

-- A row that REPLACE gives the key of another one takes its place, with all its entries.
CREATE TABLE exchanged(id INTEGER PRIMARY KEY, a UNIQUE, b, c DEFAULT 7);
CREATE INDEX exchanged_b ON exchanged(b, id);
CREATE INDEX exchanged_part ON exchanged(c) WHERE b > 15;
INSERT INTO exchanged VALUES(1, 10, 20, 30), (2, 11, 21, 31), (3, 12, 22, 32);
REPLACE INTO exchanged VALUES(1, 10, 25, 30);
SELECT changes(), last_insert_rowid();
REPLACE INTO exchanged VALUES(2, 12, 5, 99);
SELECT * FROM exchanged ORDER BY id;
SELECT id FROM exchanged INDEXED BY exchanged_b WHERE b > 0 ORDER BY b;
SELECT id, c FROM exchanged INDEXED BY exchanged_part WHERE b > 15 AND c > 0;
REPLACE INTO exchanged SELECT id, a + 1, b FROM exchanged;
REPLACE INTO exchanged(id, a) VALUES(2, 11);
SELECT * FROM exchanged ORDER BY id;
CREATE TABLE exchanged_keyed(a TEXT COLLATE NOCASE PRIMARY KEY ON CONFLICT REPLACE, b UNIQUE, c) WITHOUT ROWID;
CREATE INDEX exchanged_c ON exchanged_keyed(c);
INSERT INTO exchanged_keyed VALUES('x', 1, 1), ('y', 2, 2);
INSERT INTO exchanged_keyed VALUES('X', 3, 5);
INSERT INTO exchanged_keyed VALUES('Y', 3, 5);
INSERT OR IGNORE INTO exchanged_keyed VALUES('Y', 3, 6);
SELECT * FROM exchanged_keyed ORDER BY a;
SELECT a FROM exchanged_keyed INDEXED BY exchanged_c WHERE c > 0 ORDER BY c;
PRAGMA integrity_check;
-- the target of an upsert may be called by its table, or the alias that it has
create table t(x primary key, y collate nocase unique, z, id2 int)
create table r(id integer primary key, v unique)
create unique index i on t(z+1) where z>0
create temp table tt(a unique, b)
attach ':memory:' as m2
create table m2.t(x primary key, y)
insert into t values(1,2,3,4) on conflict(t.x) do nothing
insert into t values(1,2,3,4) on conflict(t.x) do nothing
insert into t as q values(1,2,3,4) on conflict(q.x) do nothing
insert into t as q values(1,2,3,4) on conflict(t.x) do nothing
insert into t as q values(1,2,3,4) on conflict(main.q.x) do nothing
insert into t as q values(1,2,3,4) on conflict(main.t.x) do nothing
insert into t values(1,2,3,4) on conflict(main.t.x) do nothing
insert into t values(1,2,3,4) on conflict(temp.t.x) do nothing
insert into t values(1,2,3,4) on conflict(m2.t.x) do nothing
insert into m2.t values(1,2) on conflict(m2.t.x) do nothing
insert into m2.t values(1,2) on conflict(main.t.x) do nothing
insert into m2.t values(1,2) on conflict(t.x) do nothing
insert into t values(1,2,3,4) on conflict(excluded.x) do nothing
insert into t values(1,2,3,4) on conflict(t.x, t.y) do nothing
insert into t values(1,2,3,4) on conflict(t.y collate nocase) do nothing
insert into t values(1,2,3,4) on conflict(t.y collate binary) do nothing
insert into t values(1,2,3,4) on conflict(t.x collate binary) do nothing
insert into t values(1,2,3,4) on conflict(t.x collate nocase) do nothing
insert into t values(1,2,3,4) on conflict((t.x)) do nothing
insert into t values(1,2,3,4) on conflict((x)) do nothing
insert into t values(1,2,3,4) on conflict(+x) do nothing
insert into t values(1,2,3,4) on conflict(t.z+1) where t.z>0 do nothing
insert into t values(1,2,3,4) on conflict(z+1) where t.z>0 do nothing
insert into t values(1,2,3,4) on conflict(t.z+1) where z>0 do nothing
insert into t as q values(1,2,3,4) on conflict(q.z+1) where q.z>0 do nothing
insert into t as q values(1,2,3,4) on conflict(t.z+1) where t.z>0 do nothing
insert into t as q values(1,2,3,4) on conflict(t.z+1) where q.z>0 do nothing
insert into t as q values(1,2,3,4) on conflict(q.z+1) where t.z>0 do nothing
insert into t values(1,2,3,4) on conflict(main.t.z+1) where main.t.z>0 do nothing
insert into r values(1,2) on conflict(r.id) do nothing
insert into r values(1,2) on conflict(r.id) do nothing
insert into r values(1,2) on conflict(r.rowid) do nothing
insert into r values(1,2) on conflict(main.r.rowid) do nothing
insert into r values(1,2) on conflict(r.nosuch) do nothing
insert into r values(1,2) on conflict(nosuch) do nothing
insert into r values(1,2) on conflict(nosuch.id) do nothing
insert into r values(1,2) on conflict(r.v) do update set v=3
insert into r values(2,3) on conflict(r.v) do update set v=4 where r.id=1
insert into r values(2,4) on conflict('v') do update set v=5
insert into r values(2,4) on conflict("v") do update set v=5
insert into r values(2,4) on conflict("nosuch") do update set v=5
insert into r values(2,4) on conflict('r'.'v') do update set v=5
insert into r values(2,4) on conflict("r"."v") do update set v=5
insert into r values(2,4) on conflict(r.[v]) do update set v=5
insert into r values(2,4) on conflict(r.oid collate nocase) do update set v=5
insert into r values(2,4) on conflict(oid collate nocase) do update set v=5
insert into r values(2,4) on conflict(rowid, v) do update set v=5
insert into r values(2,4) on conflict(v, rowid) do update set v=5
insert into r values(2,4) on conflict(id, id) do update set v=5
insert into r values(2,4) on conflict(v, v) do update set v=5
insert into r values(2,4) on conflict(id desc) do update set v=5
insert into r values(2,4) on conflict(r.v asc) do update set v=5
insert into r values(2,4) on conflict(1) do update set v=5
insert into r values(2,4) on conflict(?1) do update set v=5
insert into r values(2,4) on conflict((select 1)) do update set v=5
insert into r values(2,4) on conflict(random()) do update set v=5
insert into r values(2,4) on conflict(v) where nosuch do update set v=5
insert into r values(2,4) on conflict(v) where nosuch.v do update set v=5
insert into r values(2,4) on conflict(v) where r.v do update set v=5
insert into r values(2,4) on conflict(id) where nosuch do update set v=5
insert into r values(2,4) on conflict(nosuch) where nosuch do nothing on conflict do nothing
insert into tt values(1,2) on conflict(temp.tt.a) do nothing
insert into tt values(1,2) on conflict(tt.a) do nothing
insert into temp.tt values(1,2) on conflict(main.tt.a) do nothing
insert into tt values(1,2) on conflict(tt.a) do update set b=tt.b+1 returning *
create trigger tr after insert on tt begin insert into r values(1,2) on conflict(r.id) do update set v=v+1; end
create temp trigger tr1 after insert on tt begin insert into r values(1,2) on conflict(r.id) do update set v=v+1; end
create temp trigger tr2 after insert on tt begin insert into r values(1,2) on conflict(main.r.id) do update set v=v+1; end
insert into tt values(7,7)
select * from r order by 1
select * from t
alter table r rename to r2
alter table r2 rename column id to id3
select sql from sqlite_temp_schema
insert into tt values(8,7)
select * from r2 order by 1
create table w(a,b,primary key(a,b)) without rowid
insert into w values(1,2) on conflict(w.a,w.b) do nothing
insert into w values(1,2) on conflict(w.b,w.a) do nothing
insert into w values(1,2) on conflict(w.b,a,w.a) do nothing
insert into w values(1,2) on conflict(w.rowid) do nothing
insert into w values(1,2) on conflict(rowid) do nothing

-- what the triggers and keys of a replaced row put in the way is looked for once more
PRAGMA recursive_triggers = ON
PRAGMA foreign_keys = ON
CREATE TABLE t(a UNIQUE, b UNIQUE)
CREATE TRIGGER g AFTER DELETE ON t BEGIN INSERT INTO t VALUES (99, 5); END
INSERT INTO t VALUES (1, 1)
REPLACE INTO t VALUES (1, 5)
SELECT * FROM t
PRAGMA integrity_check
CREATE TABLE u(a INTEGER PRIMARY KEY, b UNIQUE)
CREATE TRIGGER gu AFTER DELETE ON u BEGIN INSERT INTO u VALUES (7, 6); END
INSERT INTO u VALUES (1, 1)
REPLACE INTO u VALUES (7, 1)
SELECT * FROM u
PRAGMA integrity_check
REPLACE INTO u VALUES (1, 6)
SELECT * FROM u
PRAGMA integrity_check
INSERT INTO u VALUES (2, 2)
UPDATE OR REPLACE u SET a = 7 WHERE a = 2
SELECT * FROM u
UPDATE OR REPLACE u SET b = 6 WHERE a = 2
SELECT * FROM u
CREATE TABLE r(a INTEGER PRIMARY KEY, b UNIQUE ON CONFLICT REPLACE, c UNIQUE)
CREATE TRIGGER gr AFTER DELETE ON r BEGIN INSERT INTO r VALUES (7, 8, 9); END
INSERT INTO r VALUES (1, 1, 1)
INSERT INTO r VALUES (2, 1, 9)
SELECT * FROM r
INSERT INTO r VALUES (3, 1, 1)
SELECT * FROM r
PRAGMA integrity_check
CREATE TABLE s(k UNIQUE, p DEFAULT 5 REFERENCES s(k) ON DELETE SET DEFAULT, c AS (coalesce(p, 0)) UNIQUE)
INSERT INTO s(k, p) VALUES (5, NULL), (1, NULL)
INSERT INTO s(k, p) VALUES (1, NULL)
INSERT INTO s(k, p) VALUES (5, 1), (1, 5)
SELECT * FROM s
REPLACE INTO s(k, p) VALUES (1, NULL)
SELECT * FROM s
CREATE TABLE s2(k UNIQUE, p REFERENCES s2(k) ON DELETE SET NULL, q AS (coalesce(p, 0)) UNIQUE)
INSERT INTO s2 VALUES (1, NULL)
INSERT INTO s2 VALUES (2, 1)
SELECT * FROM s2
REPLACE INTO s2 VALUES (1, NULL)
SELECT * FROM s2
REPLACE INTO s2 VALUES (3, NULL)
SELECT * FROM s2
PRAGMA foreign_key_check
PRAGMA integrity_check

-- a row that a BEFORE trigger changed is replaced as it is then
PRAGMA recursive_triggers = ON
CREATE TABLE t(a UNIQUE, b UNIQUE, c)
CREATE INDEX i ON t(c)
CREATE TABLE log(x)
CREATE TRIGGER g BEFORE DELETE ON t BEGIN UPDATE t SET c = c + 10, b = 'new' WHERE a = old.a; END
CREATE TRIGGER h AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.a || old.b || old.c); END
INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)
REPLACE INTO t VALUES (1, 5, 5)
SELECT * FROM t ORDER BY a
SELECT * FROM t INDEXED BY i ORDER BY c
PRAGMA integrity_check
DROP TRIGGER g
CREATE TRIGGER g BEFORE DELETE ON t BEGIN DELETE FROM t WHERE a = old.a; END
REPLACE INTO t VALUES (2, 6, 6)
SELECT * FROM t ORDER BY a
PRAGMA integrity_check
DROP TRIGGER g
CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT RAISE(IGNORE); END
REPLACE INTO t VALUES (2, 7, 7)
REPLACE INTO t VALUES (7, 6, 7)
UPDATE OR REPLACE t SET a = 1 WHERE a = 2
SELECT * FROM t ORDER BY a
DROP TRIGGER g
CREATE TRIGGER g BEFORE DELETE ON t BEGIN UPDATE t SET a = 100 WHERE a = old.a; END
REPLACE INTO t VALUES (2, 7, 7)
SELECT * FROM t ORDER BY a
PRAGMA integrity_check

-- a row that a trigger puts back is in the way
PRAGMA recursive_triggers = ON
CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b UNIQUE)
CREATE TABLE w(a PRIMARY KEY, b UNIQUE, c UNIQUE) WITHOUT ROWID
CREATE TRIGGER g AFTER DELETE ON t BEGIN INSERT INTO t VALUES (old.id, old.a, old.b); END
CREATE TRIGGER h AFTER DELETE ON w BEGIN INSERT INTO w VALUES (old.a, old.b, old.c); END
INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)
INSERT INTO w VALUES (1, 1, 1), (2, 2, 2)
REPLACE INTO t VALUES (1, 8, 8) -- error
REPLACE INTO t VALUES (3, 1, 8) -- error
REPLACE INTO t VALUES (3, 8, 1) -- error
REPLACE INTO t VALUES (3, 2, 1) -- error
REPLACE INTO w VALUES (1, 8, 8) -- error
REPLACE INTO w VALUES (3, 1, 8) -- error
REPLACE INTO w VALUES (3, 8, 1) -- error
REPLACE INTO w VALUES (3, 2, 1) -- error
UPDATE OR REPLACE t SET id = 1 WHERE id = 2 -- error
INSERT OR REPLACE INTO t VALUES (3, 1, 2) ON CONFLICT (b) DO UPDATE SET b = 9 -- error
SELECT * FROM t
SELECT * FROM w
PRAGMA integrity_check

-- rows that REPLACE meets by another key, and upserts that read the old row
CREATE TABLE u(id INTEGER PRIMARY KEY, k TEXT UNIQUE, v, g AS (v || '!') STORED, h AS (length(k)) VIRTUAL)
CREATE UNIQUE INDEX u_g ON u(g) WHERE v > 10
CREATE TABLE seen(n INTEGER PRIMARY KEY, what, old, new)
CREATE TRIGGER u_i AFTER INSERT ON u BEGIN INSERT INTO seen(what, new) VALUES ('insert', NEW.k || NEW.g || NEW.h); END
CREATE TRIGGER u_i2 AFTER INSERT ON u WHEN NEW.v > 20 BEGIN INSERT INTO seen(what, new) VALUES ('many', NEW.id); END
CREATE TRIGGER u_u AFTER UPDATE ON u BEGIN INSERT INTO seen(what, old, new) VALUES ('update', OLD.g || OLD.h, NEW.g || NEW.h); END
CREATE TRIGGER u_d AFTER DELETE ON u BEGIN INSERT INTO seen(what, old) VALUES ('delete', OLD.k || OLD.v); END
INSERT INTO u(k, v) VALUES ('a', 1), ('bb', 2), ('ccc', 30)
REPLACE INTO u(k, v) VALUES ('a', 5), ('zz', 30), ('zz', 31)
INSERT INTO u(k, v) VALUES ('bb', 7), ('d', 8) ON CONFLICT(k) DO UPDATE SET v = v + excluded.v, k = k || excluded.g || h
INSERT INTO u(id, k, v) VALUES (4, 'q', 7) ON CONFLICT DO UPDATE SET v = excluded.v * 100 + u.id RETURNING *
INSERT INTO u(id, k, v) VALUES (4, 'q', 7) ON CONFLICT(id) DO UPDATE SET id = 40, v = 1 WHERE u.v > 100 RETURNING id, g, h
INSERT INTO u(k, v) VALUES ('d', 3) ON CONFLICT(k) DO UPDATE SET v = NULL RETURNING typeof(v), typeof(g), h
SELECT * FROM u ORDER BY id
SELECT * FROM seen
PRAGMA recursive_triggers = 1
REPLACE INTO u(k, v) SELECT k, v FROM u ORDER BY id
SELECT * FROM u ORDER BY id
SELECT * FROM seen

-- Upserts that count and their rows, in tables with rowid and without.
CREATE TABLE w(id INTEGER PRIMARY KEY, k TEXT COLLATE NOCASE UNIQUE, n INTEGER NOT NULL DEFAULT 1, r REAL);
INSERT INTO w(k) VALUES ('a'), ('B'), ('A'), ('b'), ('b'), ('c') ON CONFLICT(k) DO UPDATE SET n = n + 1;
SELECT *, changes(), last_insert_rowid(), total_changes() FROM w;
INSERT INTO w(k) SELECT k || '' FROM w UNION ALL SELECT 'd' UNION ALL SELECT 'D' ON CONFLICT(k) DO UPDATE SET n = n + excluded.n, r = excluded.n WHERE k <> 'c';
SELECT *, typeof(r), changes(), last_insert_rowid(), total_changes() FROM w;
INSERT INTO w(k, n) VALUES ('a', 5) ON CONFLICT(k) DO UPDATE SET n = NULL, r = 1;
INSERT INTO w(k, n) VALUES ('a', NULL) ON CONFLICT(k) DO UPDATE SET n = 9;
INSERT OR IGNORE INTO w(k, n) VALUES ('a', NULL), ('z', 2), ('a', 3) ON CONFLICT(k) DO UPDATE SET n = 9;
INSERT INTO w(id, k) VALUES (1, 'q'), (99, 'q'), ('x', 'q') ON CONFLICT(id) DO UPDATE SET n = n * 2;
INSERT INTO w(id, k) VALUES (1, 'q'), (99, 'q'), (2.0, 'b') ON CONFLICT(id) DO UPDATE SET n = n * 2 + id, r = excluded.id;
INSERT INTO w(id, k) VALUES (3, 'a') ON CONFLICT(id) DO NOTHING;
INSERT INTO w(id, k) VALUES (77, 'a') ON CONFLICT(id) DO NOTHING;
SELECT * FROM w ORDER BY id;
CREATE TABLE u(a, b, n, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;
INSERT INTO u VALUES (1, 1, 1), (1, 2, 1), (1.0, 1, 1), ('1', 1, 1), (x'31', 1, 1), (1, 1, 1) ON CONFLICT(a, b) DO UPDATE SET n = n + 1 WHERE typeof(a) = 'integer';
SELECT *, typeof(a), changes() FROM u;

-- of the names of the rowid the last one given counts, of a column the first
CREATE TABLE n(id INTEGER PRIMARY KEY, x);
INSERT INTO n(rowid,id,x) VALUES(78,79,1);
INSERT INTO n(rowid,_rowid_,x) VALUES(5,6,1);
INSERT INTO n(id,oid,x) VALUES(7,8,1);
INSERT INTO n(id,id,x,x) VALUES(9,10,1,2);
INSERT INTO n(id,rowid,id) VALUES(41,42,43);
INSERT INTO n(_rowid_,id) SELECT 100,200;
INSERT INTO n(rowid,id,x) VALUES(2,79,1) ON CONFLICT(id) DO UPDATE SET x=excluded.id;
SELECT * FROM n;
UPDATE n SET rowid=300, id=301 WHERE id=8;
UPDATE n SET id=401, oid=400, x=1, x=2 WHERE id=6;
SELECT * FROM n;
CREATE TABLE log(a);
CREATE TRIGGER g BEFORE INSERT ON n BEGIN INSERT INTO log VALUES(new.id); END;
INSERT INTO n(rowid,id) VALUES(17,18);
INSERT INTO n(id,rowid) VALUES(1000,NULL);
SELECT * FROM log;
SELECT * FROM n;
CREATE TABLE w(id INTEGER PRIMARY KEY, x) WITHOUT ROWID;
INSERT INTO w(id,id,x) VALUES(1,2,3);
SELECT * FROM w;

-- what UPDATE changes is not among its sources, unless it is called differently there
CREATE TABLE s(a,b);
CREATE TABLE o(a,b);
INSERT INTO s VALUES(1,2),(3,4);
INSERT INTO o VALUES(1,2);
CREATE VIEW v AS SELECT * FROM s;
CREATE TRIGGER vt INSTEAD OF UPDATE ON v BEGIN UPDATE o SET b=new.a; END;
UPDATE v SET a=1 FROM v; -- error
UPDATE v SET a=7 FROM s;
UPDATE s SET a=9 FROM s; -- error
UPDATE s SET a=9 FROM main.s; -- error
UPDATE s AS z SET a=9 FROM s AS z; -- error
UPDATE s SET a=9 FROM o, s; -- error
UPDATE s SET a=9 FROM (s, o); -- error
UPDATE s SET a=9 FROM s AS s2, s; -- error
UPDATE s SET nope=1 FROM nosuch, s;
UPDATE s SET a=5 FROM o AS s;
UPDATE s SET a=6 FROM (SELECT 1) AS S;
WITH s AS (SELECT 1) UPDATE s SET a=7 FROM s;
UPDATE s AS z SET b=50 FROM s WHERE z.rowid=s.rowid AND s.b=4;
UPDATE s SET b=b+1 FROM s AS other WHERE other.rowid=s.rowid;
SELECT * FROM s;
SELECT * FROM o;
