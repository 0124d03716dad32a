-- rows that come in the order of the first terms are sorted by the others
CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE, c, d REAL)
CREATE INDEX ta ON t(a)
CREATE INDEX tbc ON t(b DESC, c)
CREATE INDEX td ON t(d, a DESC)
CREATE INDEX tbin ON t(b COLLATE BINARY)
CREATE INDEX tsome ON t(c) WHERE a > 2
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t SELECT i, CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN 'x' WHEN 2 THEN x'01' ELSE i % 7 END, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 'ab' WHEN 2 THEN 'AB' ELSE 'b' || (i % 3) END, i * 37 % 23, i % 11 / 2.0 FROM n
SELECT id, a, c FROM t ORDER BY a, c, id LIMIT 20
SELECT id, a, c FROM t ORDER BY a DESC, c, id LIMIT 20
SELECT id, a, c FROM t ORDER BY a DESC, c DESC, id DESC LIMIT 20 OFFSET 70
SELECT id, a, c FROM t ORDER BY a NULLS LAST, c, id LIMIT 20
SELECT id, a, c FROM t ORDER BY a DESC NULLS FIRST, c, id LIMIT 20
SELECT id, a, c FROM t ORDER BY a, c NULLS LAST, id DESC LIMIT 20
SELECT id, b FROM t ORDER BY b, c DESC, d, id LIMIT 20
SELECT id, b FROM t ORDER BY b DESC, c, id LIMIT 20
SELECT id, b FROM t ORDER BY b DESC, c DESC, id LIMIT 20
SELECT id, b FROM t ORDER BY b COLLATE BINARY, c, id LIMIT 20
SELECT id, b FROM t ORDER BY b COLLATE RTRIM, c, id LIMIT 20
SELECT id, b FROM t WHERE b = 'ab' ORDER BY b, c, d, id LIMIT 20
SELECT id, b FROM t WHERE b = 'ab' ORDER BY b COLLATE BINARY, c, d, id
SELECT id, d FROM t WHERE d > 3 ORDER BY d, a DESC, b, id
SELECT id, d FROM t WHERE d IN (1, 2, 4.5) ORDER BY d, b, id LIMIT 30
SELECT id, d FROM t WHERE d IN (1, 2, 4.5) AND c > 3 ORDER BY d DESC, b, id LIMIT 30
SELECT id, c FROM t WHERE a > 2 AND typeof(a) = 'integer' ORDER BY c, b, id LIMIT 30
SELECT id, a + 1 FROM t ORDER BY a, a + 1, c, id LIMIT 9
SELECT id FROM t ORDER BY a, a, a DESC, c, id LIMIT 9
SELECT id FROM t ORDER BY a, c, id LIMIT 0
SELECT id FROM t ORDER BY a, c, id LIMIT 3 OFFSET 299
SELECT id FROM t ORDER BY a, c, id LIMIT -1 OFFSET 297
SELECT count(*), sum(id) FROM (SELECT id FROM t ORDER BY a, c, id LIMIT 77)
SELECT id, (SELECT count(*) FROM t u WHERE u.a IS t.a AND u.c < t.c) FROM t ORDER BY a, 2, id LIMIT 15
SELECT a, d, count(*), sum(c) FROM t GROUP BY a, d ORDER BY a, count(*), d LIMIT 15
SELECT a, d, count(*), sum(c) FROM t GROUP BY d, a ORDER BY d DESC, sum(c), a LIMIT 15
SELECT DISTINCT a, c FROM t ORDER BY a, c DESC LIMIT 15
SELECT DISTINCT d, c FROM t ORDER BY d DESC, c LIMIT 15
-- a table without rowid, and one that is joined
CREATE TABLE w(p TEXT, q INT, r, PRIMARY KEY (p DESC, q)) WITHOUT ROWID
CREATE INDEX wr ON w(r)
INSERT INTO w SELECT 'p' || (id % 8), id, c FROM t
SELECT p, q FROM w ORDER BY p, r, q LIMIT 12
SELECT p, q FROM w ORDER BY p DESC, r DESC, q LIMIT 12
SELECT p, q FROM w ORDER BY p DESC, q, r LIMIT 12
SELECT p, q FROM w ORDER BY r, p, q LIMIT 12
SELECT p, q, r FROM w WHERE p > 'p3' ORDER BY p, r, q LIMIT 12 OFFSET 30
SELECT t.id, w.q, w.r FROM t JOIN w ON w.q = t.id + 1 ORDER BY t.a, w.r, t.id LIMIT 15
SELECT t.id, w.p FROM t, w WHERE w.r = t.c AND t.a = 5 ORDER BY t.a, t.c, w.p, w.q, t.id LIMIT 15
SELECT t.id, w.p FROM t LEFT JOIN w ON w.q = t.id AND w.r > 9 ORDER BY t.a, w.p, t.id LIMIT 15
SELECT t.id FROM t WHERE EXISTS (SELECT * FROM w WHERE w.q = t.id * 2) ORDER BY t.a, t.c, t.id LIMIT 15
SELECT * FROM (SELECT id, a, c FROM t ORDER BY a, c, id LIMIT 9) ORDER BY id
SELECT o.id, (SELECT id FROM t WHERE a IS o.a ORDER BY a, c DESC, id LIMIT 1 OFFSET 2) FROM t o ORDER BY o.a, o.c, o.id LIMIT 15
SELECT a, c FROM t UNION ALL SELECT r, q FROM w ORDER BY 1, 2 LIMIT 20
SELECT a, c FROM t UNION SELECT r, q FROM w ORDER BY 1 DESC, 2 LIMIT 20
INSERT INTO t(a, b, c, d) SELECT a, b, c + 100, d FROM t ORDER BY a, c, id LIMIT 40
SELECT id, a, c FROM t WHERE id > 300 ORDER BY id
UPDATE t SET a = 4 WHERE id IN (SELECT id FROM t ORDER BY a, c DESC, id LIMIT 25)
DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY a DESC, c, id LIMIT 60)
SELECT id, a, c FROM t ORDER BY a, c, id LIMIT 40
