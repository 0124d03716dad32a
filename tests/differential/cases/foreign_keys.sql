-- A row of a table that refers to itself is looked at whatever is set of its keys.
CREATE TABLE o(k PRIMARY KEY, p REFERENCES o(k), z);
INSERT INTO o VALUES (1, 5, 0), (2, 5, 0), (3, 3, 0), (4, 3, 0);
PRAGMA foreign_keys = ON;
UPDATE o SET k = 9 WHERE k = 1;
UPDATE o SET z = 9 WHERE k = 1;
UPDATE OR FAIL o SET k = 9 WHERE k = 1;
UPDATE OR FAIL o SET k = k + 10 WHERE k < 3;
UPDATE o SET k = 5 WHERE k = 1;
UPDATE o SET k = 7 WHERE k = 3;
SELECT * FROM o;
BEGIN;
PRAGMA defer_foreign_keys = ON;
UPDATE o SET k = 7 WHERE k = 3;
INSERT INTO o VALUES (3, 7, 1);
COMMIT;
SELECT * FROM o;

-- What is mended more often than it was broken is no better than what is broken.
CREATE TABLE t(k UNIQUE, p REFERENCES t(k), n INTEGER PRIMARY KEY);
INSERT INTO t VALUES (1, 1, 1), (2, 1, 2);
PRAGMA foreign_keys = ON;
UPDATE t SET k = 1 WHERE n = 1;
UPDATE t SET k = 3 WHERE n = 2;
UPDATE t SET k = 1, n = 9 WHERE n = 1;
UPDATE t SET p = 3 WHERE k = 1;
UPDATE t SET k = 5, p = 5 WHERE k = 1;
SELECT * FROM t;
CREATE TABLE p(a PRIMARY KEY);
CREATE TABLE c(a REFERENCES p(a) DEFERRABLE INITIALLY DEFERRED);
PRAGMA foreign_keys = OFF;
INSERT INTO c VALUES (7), (7);
PRAGMA foreign_keys = ON;
BEGIN;
INSERT INTO c VALUES (8);
INSERT INTO p VALUES (7);
COMMIT;
DELETE FROM c WHERE a = 8;
COMMIT;
ROLLBACK;

-- What REPLACE would delete is asked for its keys where a row can be replaced.
PRAGMA foreign_keys = ON;
CREATE TABLE m(a, b REFERENCES nothere(x), c UNIQUE, d);
UPDATE OR REPLACE m SET d = 5;
UPDATE OR REPLACE m SET a = 5;
UPDATE OR REPLACE m SET c = 5;
UPDATE OR REPLACE m SET rowid = 5;
UPDATE OR IGNORE m SET c = 5;
UPDATE m SET b = 5;
CREATE TABLE w(a PRIMARY KEY, b REFERENCES nothere(x), c) WITHOUT ROWID;
UPDATE OR REPLACE w SET c = 5;
UPDATE OR REPLACE w SET a = 5;

-- A single row that one key refuses stays counted for those that are deferred.
PRAGMA foreign_keys = ON;
CREATE TABLE pa(k UNIQUE);
CREATE TABLE m(a REFERENCES pa(k) DEFERRABLE INITIALLY DEFERRED REFERENCES pa(k), c INTEGER PRIMARY KEY);
CREATE TABLE n(a REFERENCES pa(k) REFERENCES pa(k) DEFERRABLE INITIALLY DEFERRED, c INTEGER PRIMARY KEY);
BEGIN;
INSERT INTO m VALUES (77, 1);
SELECT last_insert_rowid();
COMMIT;
ROLLBACK;
BEGIN;
INSERT INTO n VALUES (77, 1);
SELECT last_insert_rowid();
COMMIT;
ROLLBACK;
BEGIN;
INSERT INTO m VALUES (77, 1), (78, 2);
COMMIT;
BEGIN;
INSERT INTO n SELECT 77, 1;
SELECT last_insert_rowid();
COMMIT;

-- A deferred key refuses at the end.
PRAGMA foreign_keys = ON;
CREATE TABLE pa(k UNIQUE);
CREATE TABLE d(a REFERENCES pa(k) DEFERRABLE INITIALLY DEFERRED, c INTEGER PRIMARY KEY, d);
INSERT INTO pa VALUES (1);
INSERT INTO d VALUES (1, 10, 0);
INSERT INTO d VALUES (2, 11, 0);
SELECT last_insert_rowid();
INSERT INTO d SELECT 2, 12, 0;
SELECT last_insert_rowid();
INSERT INTO d VALUES (2, 13, 0), (1, 14, 0);
SELECT last_insert_rowid();
INSERT OR REPLACE INTO d VALUES (2, 13, 0);
SELECT last_insert_rowid();
BEGIN;
INSERT INTO d VALUES (2, 15, 0);
DROP TABLE d;
COMMIT;
CREATE TABLE d(a REFERENCES pa(k) DEFERRABLE INITIALLY DEFERRED, c INTEGER PRIMARY KEY, d);
BEGIN;
INSERT INTO d VALUES (1, 15, 0);
DROP TABLE pa;
COMMIT;
DELETE FROM d;
COMMIT;

-- A key that is none is an error where it would be asked for.
PRAGMA foreign_keys = ON;
CREATE TABLE q(x, y);
CREATE TABLE qc(a REFERENCES q(x));
INSERT INTO q VALUES (1, 2);
INSERT INTO q SELECT 1, 2;
INSERT INTO q VALUES (1, 2), (2, 3);
UPDATE q SET y = 5;
UPDATE q SET x = 5;
DELETE FROM q;
SELECT * FROM q;

-- Actions follow where the key is another by its own collation, RESTRICT where nothing is put off.
PRAGMA foreign_keys = ON;
CREATE TABLE n(a TEXT COLLATE NOCASE PRIMARY KEY);
CREATE TABLE nc(a REFERENCES n ON UPDATE CASCADE);
INSERT INTO n VALUES ('a');
INSERT INTO nc VALUES ('A');
UPDATE n SET a = 'A';
SELECT * FROM nc;
UPDATE n SET a = 'B';
SELECT * FROM nc;
CREATE TABLE r(a PRIMARY KEY);
CREATE TABLE rc(a REFERENCES r ON DELETE RESTRICT ON UPDATE RESTRICT);
INSERT INTO r VALUES (1);
INSERT INTO rc VALUES (1);
DELETE FROM r;
BEGIN;
PRAGMA defer_foreign_keys = ON;
DELETE FROM r;
INSERT INTO r VALUES (1);
COMMIT;

-- A row that goes with the one that is replaced for it.
PRAGMA foreign_keys = ON;
CREATE TABLE t(k INTEGER PRIMARY KEY, u UNIQUE, p REFERENCES t(k) ON DELETE CASCADE, v);
CREATE INDEX tv ON t(p, v);
INSERT INTO t VALUES (1, 1, NULL, 0), (2, 2, 1, 0), (3, 3, 2, 0);
UPDATE OR REPLACE t SET u = 1 WHERE k = 2;
SELECT * FROM t;
PRAGMA integrity_check;

-- What a single row counted for a deferred key is forgotten where the statement is its own transaction.
PRAGMA foreign_keys = ON;
CREATE TABLE p(a PRIMARY KEY);
CREATE TABLE c(a REFERENCES p, b REFERENCES p DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE o(a);
INSERT INTO c VALUES (5, 6);
INSERT INTO o VALUES (1);
BEGIN;
INSERT INTO c VALUES (5, 6);
INSERT INTO o VALUES (2);
COMMIT;
ROLLBACK;
SELECT * FROM o;

-- What a PRAGMA puts off ends with the next statement outside of a transaction.
PRAGMA foreign_keys = ON;
CREATE TABLE p(a PRIMARY KEY, b REFERENCES p(a));
PRAGMA defer_foreign_keys = ON;
SELECT * FROM p;
INSERT INTO p VALUES (5, 53);
SELECT last_insert_rowid();
PRAGMA defer_foreign_keys = ON;
SELECT * FROM p;
BEGIN;
INSERT INTO p VALUES (5, 53);
COMMIT;

-- A text that converts to a number refers to it, however it is written.
PRAGMA foreign_keys = ON;
CREATE TABLE p(a INTEGER PRIMARY KEY, b NUMERIC UNIQUE);
CREATE TABLE c(a TEXT REFERENCES p(a) ON DELETE SET NULL, b REFERENCES p(b) ON UPDATE CASCADE, c BLOB REFERENCES p(a));
INSERT INTO p VALUES (1, 2.5), (2, 'x'), (3, 7), (4, x'31');
INSERT INTO c VALUES (' 1', '2.50', NULL), ('01', 'x', NULL), ('3.0', ' 7 ', '+4');
UPDATE p SET b = 99 WHERE a = 1;
UPDATE p SET b = 'y' WHERE a = 2;
UPDATE p SET b = 70 WHERE a = 3;
SELECT * FROM c;
DELETE FROM p WHERE a = 1;
DELETE FROM p WHERE a = 4;
SELECT * FROM c;

-- A NULL that REPLACE fills in sets no key.
PRAGMA foreign_keys = ON;
CREATE TABLE t(a NOT NULL DEFAULT 7 UNIQUE ON CONFLICT IGNORE, b, c REFERENCES nothere(x));
UPDATE OR REPLACE t SET b = 1;
UPDATE OR REPLACE t SET a = 1;

-- Rows of UPDATE FROM are changed in the order of their keys.
CREATE TABLE log(a);
CREATE TABLE t(k INTEGER PRIMARY KEY, a, b);
CREATE INDEX i ON t(b, a);
INSERT INTO t VALUES (1, 3, 30), (2, 2, 20), (3, 1, 10);
CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (new.k); END;
UPDATE t SET a = s.x FROM (SELECT 5 AS x) AS s;
SELECT * FROM log;

-- A generated column is set by what it reads, also through another one.
CREATE TABLE p(a INTEGER, b INTEGER AS (a * 2), e AS (b + 1) STORED, z, id INTEGER PRIMARY KEY, r AS (id));
CREATE UNIQUE INDEX p_b ON p(b);
CREATE UNIQUE INDEX p_e ON p(e);
CREATE UNIQUE INDEX p_r ON p(r);
CREATE TABLE c(x REFERENCES p(b), y REFERENCES p(e) ON UPDATE CASCADE, w REFERENCES p(r) ON UPDATE SET NULL);
CREATE TABLE d(a INTEGER, b AS (a + 1), FOREIGN KEY (b) REFERENCES p(id));
PRAGMA foreign_keys = ON;
INSERT INTO p(a, id) VALUES (1, 1), (10, 2), (20, 3);
INSERT INTO c VALUES (2, NULL, NULL), (NULL, 21, NULL), (NULL, NULL, 3);
INSERT INTO d VALUES (0);
UPDATE p SET a = 3 WHERE a = 1;
UPDATE p SET z = 3 WHERE a = 1;
UPDATE p SET a = 11 WHERE a = 10;
UPDATE p SET id = 9 WHERE id = 3;
UPDATE p SET id = 9 WHERE id = 1;
UPDATE d SET a = 77;
UPDATE d SET a = 1;
SELECT * FROM p;
SELECT * FROM c;
SELECT * FROM d;

-- A generated column may refer to a parent, and no action can set it, whatever rows there are.
PRAGMA foreign_keys = ON;
CREATE TABLE p(k PRIMARY KEY, z, UNIQUE (z, k));
CREATE TABLE s(n, k AS (n) REFERENCES p(k) ON DELETE SET NULL ON UPDATE SET DEFAULT);
CREATE TABLE d(n, k AS (n) STORED REFERENCES p(z, k));
UPDATE p SET k = 10;
DELETE FROM p;
DROP TABLE d;
INSERT INTO p VALUES (1, 2), (2, 3);
INSERT INTO s VALUES (1);
INSERT INTO s VALUES (3);
UPDATE p SET k = 10 WHERE k = 2;
UPDATE p SET z = 10 WHERE k = 2;
DELETE FROM p WHERE k = 2;
REPLACE INTO p VALUES (2, 5);
REPLACE INTO p VALUES (20, 50), (21, 51);
UPDATE OR REPLACE p SET z = 7 WHERE k = 5;
INSERT INTO p VALUES (2, 5) ON CONFLICT DO NOTHING;
INSERT OR REPLACE INTO p VALUES (2, 5) ON CONFLICT DO NOTHING;
INSERT OR REPLACE INTO p VALUES (2, 5) ON CONFLICT (k) DO NOTHING;
DELETE FROM p;
SELECT * FROM p, s;
DROP TABLE s;
CREATE TABLE c(n, k AS (n) REFERENCES p(k) ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO c VALUES (1);
DELETE FROM p WHERE k = 1;
UPDATE p SET k = 7;
SELECT count(*) FROM c;

-- An upsert that sets what a generated column reads sets that column, too.
PRAGMA foreign_keys = ON;
CREATE TABLE p(k UNIQUE, c, PRIMARY KEY (k, c));
CREATE TABLE s(a PRIMARY KEY, b, c, k TEXT AS (b) REFERENCES p(k) ON UPDATE SET NULL);
INSERT INTO s(a, b, c) VALUES (30, 'x', 57) ON CONFLICT (a) DO UPDATE SET b = coalesce(b, excluded.b);
SELECT last_insert_rowid();
INSERT INTO s(a, b, c) VALUES (31, 'x', 57) ON CONFLICT (a) DO UPDATE SET c = 1;
SELECT last_insert_rowid();
REPLACE INTO p VALUES (32, '1'), (100, NULL);
UPDATE s SET b = 1;

-- What actions lead to is looked at before there is a row, however far it goes.
PRAGMA foreign_keys = ON;
CREATE TABLE t0(c0 PRIMARY KEY, c1);
CREATE TABLE t1(c0 PRIMARY KEY REFERENCES t0 ON DELETE SET DEFAULT, c1);
CREATE TABLE t2(c0, c2 AS (coalesce(c0, 0)) REFERENCES t1(c0) ON DELETE RESTRICT ON UPDATE CASCADE);
REPLACE INTO t0(c0) VALUES (18), (7);
INSERT INTO t0(c0) VALUES (18), (7);
UPDATE t0 SET c0 = 4 WHERE c0 = 5;
DELETE FROM t0 WHERE c0 = 5;
DROP TABLE t2;
DELETE FROM t0 WHERE c0 = 5;
CREATE TABLE t3(c0 REFERENCES t1 ON UPDATE SET NULL REFERENCES nowhere);
DELETE FROM t0 WHERE c0 = 5;
UPDATE t0 SET c0 = 4 WHERE c0 = 5;
DROP TABLE t3;
CREATE TABLE t4(c0 REFERENCES t1(c1) ON UPDATE SET NULL);
DELETE FROM t0 WHERE c0 = 5;
UPDATE t1 SET c1 = 4 WHERE c0 = 5;
DROP TABLE t4;
CREATE TABLE ring(a PRIMARY KEY, b REFERENCES ring ON DELETE CASCADE ON UPDATE SET NULL);
INSERT INTO ring VALUES (1, 1), (2, 1), (3, 2);
UPDATE ring SET a = 5 WHERE a = 3;
DELETE FROM ring WHERE a = 1;
SELECT * FROM ring;

-- An UPDATE that some key concerns is refused for any child that names no key of the table.
PRAGMA foreign_keys = ON;
CREATE TABLE t0(c0 PRIMARY KEY, c1);
CREATE TABLE t1(c0 PRIMARY KEY REFERENCES t0 ON DELETE SET DEFAULT, c1);
CREATE TABLE t4(c0 REFERENCES t1(c1) ON UPDATE SET NULL);
DELETE FROM t0 WHERE c0 = 5;
UPDATE t1 SET c0 = 4;
UPDATE t1 SET c0 = 4 WHERE c0 = 5;
UPDATE t1 SET c1 = 4 WHERE c0 = 5;
DELETE FROM t1;
INSERT INTO t0 VALUES (1, 2);
INSERT INTO t1 VALUES (1, 3);
UPDATE t1 SET c0 = NULL WHERE c0 = 1;
UPDATE t1 SET c0 = 1 WHERE c0 IS NULL;
DELETE FROM t0;
CREATE TABLE u0(c0 PRIMARY KEY, c1);
CREATE TABLE u1(c0 PRIMARY KEY REFERENCES u0 ON UPDATE SET NULL, c1);
CREATE TABLE u4(c0 REFERENCES u1(c1) ON UPDATE SET NULL);
UPDATE u0 SET c0 = 4 WHERE c0 = 5;
CREATE TABLE w0(c0 PRIMARY KEY, c1);
CREATE TABLE w1(c0 REFERENCES w0 ON UPDATE SET NULL, c1);
CREATE TABLE w4(c0 REFERENCES w1(c1) ON UPDATE SET NULL);
UPDATE w0 SET c0 = 4 WHERE c0 = 5;
CREATE TABLE x4(c0 REFERENCES w1(c0) ON UPDATE SET NULL);
UPDATE w0 SET c0 = 4 WHERE c0 = 5;

-- So it is for what an upsert would set.
PRAGMA foreign_keys = ON;
CREATE TABLE p(a, b, k AS (b) UNIQUE);
CREATE TABLE s(n, k AS (n) STORED REFERENCES p(k) ON DELETE CASCADE ON UPDATE SET NULL);
INSERT INTO p(a, b) VALUES (47, '2.5'), (25, 'k24') ON CONFLICT (k) DO UPDATE SET b = coalesce(b, excluded.b);
INSERT INTO p(a, b) VALUES (47, '2.5'), (25, 'k24') ON CONFLICT (k) DO UPDATE SET a = 1;
INSERT INTO p(a, b) VALUES (48, '2.5') ON CONFLICT (k) DO UPDATE SET a = excluded.a;
SELECT a, b, k FROM p;

-- What triggers of children name must be there, whichever rows are.
PRAGMA foreign_keys = ON;
CREATE TABLE parent(a, b, PRIMARY KEY(a, b));
CREATE TABLE child(x, y, z, FOREIGN KEY(x, y) REFERENCES parent(a, b) ON UPDATE CASCADE ON DELETE SET NULL);
CREATE TABLE leaf(p REFERENCES up(q) ON DELETE CASCADE);
CREATE TABLE up(q PRIMARY KEY, r UNIQUE, s);
CREATE TABLE idle(w REFERENCES up(r) ON UPDATE RESTRICT);
CREATE TRIGGER first AFTER UPDATE OF z ON child BEGIN DELETE FROM missing; END;
UPDATE parent SET a = 1;
CREATE TRIGGER second AFTER UPDATE OF y ON child BEGIN DELETE FROM absent; END;
UPDATE parent SET a = 1;
UPDATE parent SET b = 1;
DELETE FROM parent;
DELETE FROM parent WHERE a = 5;
INSERT INTO parent VALUES (1, 2) ON CONFLICT DO UPDATE SET a = 4;
INSERT INTO parent VALUES (1, 2);
INSERT OR REPLACE INTO parent VALUES (1, 2);
CREATE TRIGGER third BEFORE DELETE ON leaf BEGIN DELETE FROM gone; END;
CREATE TRIGGER fourth BEFORE UPDATE ON idle BEGIN DELETE FROM nowhere; END;
UPDATE up SET q = 2;
UPDATE up SET r = 2;
UPDATE up SET s = 2;
DELETE FROM up WHERE q = 1;
REPLACE INTO up VALUES (1, 1, 1);
CREATE TABLE deep(c);
CREATE TRIGGER outer AFTER INSERT ON deep BEGIN DELETE FROM parent WHERE a = 5; END;
INSERT INTO deep VALUES (NULL);
DROP TRIGGER second;
DELETE FROM parent WHERE a = 5;
INSERT INTO deep VALUES (NULL);
SELECT * FROM parent;
PRAGMA foreign_keys = OFF;
DELETE FROM up WHERE q = 1;

-- foreign_key_check of a key that refers to no key
CREATE TABLE fp(a, b);
CREATE TABLE fc(x REFERENCES fp(a));
PRAGMA foreign_key_check; -- error
INSERT INTO fp VALUES (1,1);
INSERT INTO fc VALUES (1),(2);
PRAGMA foreign_key_check; -- error
PRAGMA foreign_key_check(fc); -- error
PRAGMA foreign_key_check(fp); -- error
CREATE UNIQUE INDEX fpu ON fp(a) WHERE b>0;
PRAGMA foreign_key_check; -- error
CREATE UNIQUE INDEX fpn ON fp(a COLLATE nocase);
PRAGMA foreign_key_check; -- error
CREATE UNIQUE INDEX fpa ON fp(a);
PRAGMA foreign_key_check; -- error
CREATE TABLE fd(x REFERENCES fp(nosuch));
PRAGMA foreign_key_check; -- error
DROP TABLE fd;
CREATE TABLE fe(x REFERENCES fp);
PRAGMA foreign_key_check; -- error
DROP TABLE fe;
DELETE FROM fc WHERE x = 2;
PRAGMA foreign_key_check;

-- the rows of a table that is dropped: its own triggers do not fire, those of its children do
PRAGMA foreign_keys=ON;
CREATE TABLE log(a, b);
CREATE TABLE t(x PRIMARY KEY);
CREATE TABLE c(y REFERENCES t(x) ON DELETE CASCADE);
CREATE TABLE d(y REFERENCES t(x) ON DELETE SET NULL);
CREATE TRIGGER g BEFORE DELETE ON t BEGIN INSERT INTO log VALUES('g', old.x); END;
CREATE TRIGGER h AFTER DELETE ON c BEGIN INSERT INTO log VALUES('h', old.y); END;
CREATE TRIGGER k AFTER UPDATE ON d BEGIN INSERT INTO log VALUES('k', old.y); END;
INSERT INTO t VALUES(1),(2),(3);
INSERT INTO c VALUES(1),(2);
INSERT INTO d VALUES(1),(2);
SELECT changes(), total_changes();
DROP TABLE t;
SELECT changes(), total_changes();
SELECT * FROM log;
SELECT * FROM c;
SELECT * FROM d;

-- tables whose keys lead nowhere can be dropped
PRAGMA foreign_keys=ON;
CREATE TABLE b(x, y REFERENCES b(x));
INSERT INTO b VALUES (1, NULL);
DROP TABLE b;
CREATE TABLE p(x);
CREATE TABLE q(y REFERENCES p(x) ON DELETE CASCADE);
DROP TABLE p;
SELECT changes(), total_changes();
CREATE TABLE p(x PRIMARY KEY);
INSERT INTO p VALUES (1),(2);
INSERT INTO q VALUES (1);
SELECT changes(), total_changes();
DROP TABLE q;
SELECT changes(), total_changes();
CREATE TABLE r(y REFERENCES p);
INSERT INTO r VALUES(2);
DROP TABLE p;
SELECT changes(), total_changes();

-- a child that is dropped behind its parent mends what was missed
PRAGMA foreign_keys = ON;
CREATE TABLE up(x PRIMARY KEY);
CREATE TABLE down(y REFERENCES up(x) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO up VALUES (1),(2);
INSERT INTO down VALUES (1),(2),(NULL);
BEGIN;
DROP TABLE up;
COMMIT; -- error
DROP TABLE down;
COMMIT;
SELECT count(*) FROM sqlite_schema;

-- PRAGMAs that name a table which is not there
CREATE TABLE one(x);
CREATE TEMP TABLE two(x);
CREATE VIEW three AS SELECT 1;
PRAGMA foreign_key_check(one);
PRAGMA foreign_key_check(two);
PRAGMA foreign_key_check(three);
PRAGMA foreign_key_check(four); -- error
PRAGMA temp.foreign_key_check(one); -- error
PRAGMA main.foreign_key_check(two); -- error
PRAGMA integrity_check(one);
PRAGMA integrity_check(four); -- error

-- what a table that is dropped sets off in its children must be whole
PRAGMA foreign_keys = ON;
CREATE TABLE a(x INTEGER PRIMARY KEY, y);
CREATE TABLE b(x REFERENCES a ON DELETE CASCADE, z);
CREATE TRIGGER g BEFORE DELETE ON b BEGIN UPDATE nowhere SET z = old.x; END;
DROP TABLE a;
DROP TRIGGER g;
DROP TABLE a;

-- foreign_key_check goes row by row, and of each row by its foreign keys
CREATE TABLE p(k INTEGER PRIMARY KEY, u UNIQUE); CREATE TABLE c(i INTEGER PRIMARY KEY, a REFERENCES p, b REFERENCES p(u), z); CREATE INDEX ca ON c(a)
INSERT INTO c VALUES(1,9,8,0),(2,3,NULL,0),(5,1,1,0),(4,7,7,1)
PRAGMA foreign_key_check
PRAGMA foreign_key_check(c)
CREATE TABLE w(x TEXT, y, a REFERENCES p, b REFERENCES p(u), PRIMARY KEY(x COLLATE NOCASE DESC, y)) WITHOUT ROWID; INSERT INTO w VALUES('a',1,1,1),('B',2,2,2),('c',1,NULL,3),('A',0,5,NULL)
PRAGMA foreign_key_check(w)
-- A parent and children are found by values as a comparison converts them, whatever key has them.
PRAGMA foreign_keys = ON;
CREATE TABLE p(id INTEGER PRIMARY KEY, t TEXT COLLATE NOCASE UNIQUE, n NUMERIC UNIQUE, r REAL UNIQUE, b UNIQUE, x, y, UNIQUE (x, y));
INSERT INTO p VALUES (1, 'a', 1, 1.5, 1, 1, 'x'), (2, '2', 2, 2, '2', 2, 'y'), (3, 'c', 3.5, 3, x'33', NULL, 'z'), (4, 'Dd', 1e300, 9007199254740993, 4.0, 4, 4);
CREATE TABLE ci(v REFERENCES p(id));
INSERT INTO ci VALUES ('1');
INSERT INTO ci VALUES (2.0);
INSERT INTO ci VALUES ('3.0');
INSERT INTO ci VALUES (1.5);
INSERT INTO ci VALUES ('x');
INSERT INTO ci VALUES (x'31');
INSERT INTO ci VALUES (1e300);
CREATE TABLE ct(v REFERENCES p(t));
INSERT INTO ct VALUES ('A');
INSERT INTO ct VALUES (2);
INSERT INTO ct VALUES (2.0);
INSERT INTO ct VALUES (x'61');
INSERT INTO ct VALUES ('dD');
CREATE TABLE cn(v REFERENCES p(n));
INSERT INTO cn VALUES ('1');
INSERT INTO cn VALUES ('3.5');
INSERT INTO cn VALUES (2.0);
INSERT INTO cn VALUES ('1e300');
INSERT INTO cn VALUES (x'31');
CREATE TABLE cr(v REFERENCES p(r));
INSERT INTO cr VALUES (2);
INSERT INTO cr VALUES ('1.5');
INSERT INTO cr VALUES (9007199254740993);
INSERT INTO cr VALUES (9007199254740992);
CREATE TABLE cb(v REFERENCES p(b));
INSERT INTO cb VALUES (1);
INSERT INTO cb VALUES ('1');
INSERT INTO cb VALUES ('2');
INSERT INTO cb VALUES (2);
INSERT INTO cb VALUES (4);
CREATE TABLE cxy(w, v, FOREIGN KEY (v, w) REFERENCES p(y, x));
INSERT INTO cxy VALUES (1, 'x');
INSERT INTO cxy VALUES ('1', 'x');
INSERT INTO cxy VALUES (NULL, 'no');
INSERT INTO cxy VALUES (4, '4');
INSERT INTO cxy VALUES (4, 4);
SELECT 'ci', v, typeof(v) FROM ci UNION ALL SELECT 'ct', v, typeof(v) FROM ct UNION ALL SELECT 'cn', v, typeof(v) FROM cn UNION ALL SELECT 'cr', v, typeof(v) FROM cr UNION ALL SELECT 'cb', v, typeof(v) FROM cb UNION ALL SELECT 'cxy', v, w FROM cxy;
CREATE INDEX ci_v ON ci(v);
CREATE INDEX ct_v ON ct(v);
CREATE INDEX cb_v ON cb(v DESC);
CREATE INDEX cxy_wv ON cxy(w, v);
DELETE FROM p WHERE id = 1;
DELETE FROM p WHERE id = 2;
DELETE FROM p WHERE id = 3;
DELETE FROM p WHERE id = 4;
UPDATE p SET t = 'A' WHERE id = 1;
UPDATE p SET t = 'b' WHERE id = 1;
DELETE FROM ci;
DELETE FROM ct;
DELETE FROM cn;
DELETE FROM cr;
UPDATE p SET b = 7 WHERE b = 4;
UPDATE p SET b = '1' WHERE b = 1;
DELETE FROM cb WHERE v = 1;
DELETE FROM p WHERE id = 1;
UPDATE p SET y = 'q' WHERE id = 1;
DELETE FROM cxy WHERE v = 'x';
DELETE FROM p WHERE id = 1;
SELECT * FROM p;

-- Children of types and collations of their own, with an index, are found by actions.
PRAGMA foreign_keys = ON;
CREATE TABLE p(id INTEGER PRIMARY KEY, t TEXT COLLATE NOCASE UNIQUE);
INSERT INTO p VALUES (1, 'a'), (2, 'B'), (3, 'c'), (4, NULL);
CREATE TABLE c1(k TEXT PRIMARY KEY REFERENCES p(id) ON DELETE CASCADE ON UPDATE CASCADE) WITHOUT ROWID;
CREATE TABLE c2(k INTEGER PRIMARY KEY REFERENCES p(id) ON DELETE CASCADE ON UPDATE CASCADE, v);
CREATE TABLE c3(k COLLATE NOCASE REFERENCES p(t) ON DELETE SET NULL ON UPDATE CASCADE, v DEFAULT 7);
CREATE TABLE c4(k REFERENCES p(t) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE INDEX c3_k ON c3(k, v);
CREATE INDEX c4_k ON c4(k);
INSERT INTO c1 VALUES (1), (2);
INSERT INTO c2 VALUES (1, 0), (3, 0);
INSERT INTO c3(k) VALUES ('A'), ('b'), ('b'), (NULL);
INSERT INTO c4 VALUES ('A'), ('b'), (NULL);
UPDATE p SET id = id + 10;
SELECT 1, k FROM c1 UNION ALL SELECT 2, k FROM c2 UNION ALL SELECT 3, k FROM c3 UNION ALL SELECT 4, k FROM c4 ORDER BY 1, 2;
UPDATE p SET t = t || 'x';
SELECT 3, k FROM c3 UNION ALL SELECT 4, k FROM c4 ORDER BY 1, 2;
DELETE FROM p WHERE id <> 13;
SELECT 1, k FROM c1 UNION ALL SELECT 2, k FROM c2 UNION ALL SELECT 3, k FROM c3 UNION ALL SELECT 4, k FROM c4 ORDER BY 1, 2;
DELETE FROM p;
SELECT 2, k FROM c2;
SELECT total_changes();

-- A row that is its own child is one that an action means.
PRAGMA foreign_keys = ON;
CREATE TABLE s(k INTEGER PRIMARY KEY, p REFERENCES s(k) ON UPDATE CASCADE ON DELETE SET NULL);
CREATE INDEX s_p ON s(p);
INSERT INTO s VALUES (1, 1), (2, 1), (3, 3), (4, NULL);
UPDATE s SET k = 9 WHERE k = 3;
UPDATE s SET k = 5 WHERE k = 1;
SELECT * FROM s ORDER BY k;
DELETE FROM s WHERE k = 5;
SELECT * FROM s ORDER BY k;
CREATE TABLE v(k UNIQUE, p REFERENCES v(k) ON UPDATE CASCADE);
INSERT INTO v VALUES (1, 1);
UPDATE v SET k = 2;
UPDATE v SET k = 3, p = 3;
SELECT * FROM v;
