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
