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
