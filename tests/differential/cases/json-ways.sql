-- JSON on its way through queries: which subqueries of FROM it comes out of as JSON. Cases are
-- generated: elements, a virtual column; by every kind of block, to every kind of reader.

-- elements of json_each: JSON as long as its block is written into the one around it
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
CREATE TABLE one(o INTEGER PRIMARY KEY); INSERT INTO one VALUES(1),(2)
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5 OFFSET 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT '[7]' x UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' )
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' )
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' )))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT '[7]' ; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') EXCEPT SELECT 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') INTERSECT SELECT value FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1) SELECT json_array(x) FROM c
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1 LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1) SELECT json_array(x) FROM c
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') ORDER BY 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value) s
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value)))
CREATE VIEW w AS SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY value; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT max(value) x FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1)
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1) s
SELECT json_array(x) FROM (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1)))
CREATE VIEW w AS SELECT value x, count(*) FROM json_each('[[1],{"a":2},"[3]",4]') GROUP BY 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT DISTINCT value x FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT value x, rank() OVER () FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]'))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]'))
WITH c(x) AS (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]')) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]')) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]')) s
SELECT json_array(x) FROM (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]')) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]'))))
CREATE VIEW w AS SELECT max(value) OVER () x FROM json_each('[[1],{"a":2},"[3]",4]'); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5))
WITH c(x) AS (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)) s
SELECT json_array(x) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5)) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5))))
CREATE VIEW w AS SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5)
WITH c(x) AS (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5) s
SELECT json_array(x) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5)))
CREATE VIEW w AS SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5)
WITH c(x) AS (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5) s
SELECT json_array((SELECT x FROM (SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5)))
CREATE VIEW w AS SELECT y x FROM (SELECT value y FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT value FROM json_each('[[1],{"a":2},"[3]",4]')) LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) SELECT json_array(x) FROM c
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)))
CREATE VIEW w AS SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1)
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1)))
CREATE VIEW w AS SELECT x FROM one LEFT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)
WITH c(x) AS (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) SELECT json_array(x) FROM c
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)))
CREATE VIEW w AS SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
WITH c(x) AS (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(x) FROM (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) ON 1)))
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one)
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one)))
CREATE VIEW w AS SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 5) JOIN one; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1)
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1)))
CREATE VIEW w AS SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9)
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9)))
CREATE VIEW w AS SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) LEFT JOIN one ON 1 LIMIT 9; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)
WITH c(x) AS (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1)))
CREATE VIEW w AS SELECT x FROM one RIGHT JOIN (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1)
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1)))
CREATE VIEW w AS SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) RIGHT JOIN one ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1)
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1)))
CREATE VIEW w AS SELECT x FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) FULL JOIN one ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1)
WITH c(x) AS (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1) SELECT json_array(x) FROM c
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1) s
SELECT json_array(x) FROM (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1)))
CREATE VIEW w AS SELECT value x FROM one LEFT JOIN json_each('[[1],{"a":2},"[3]",4]') ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x)
WITH c(x) AS (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) s
SELECT json_array(x) FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x)))
CREATE VIEW w AS SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5)
WITH c(x) AS (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) s
SELECT json_array(x) FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5)))
CREATE VIEW w AS SELECT (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 1) x LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
WITH RECURSIVE c(x) AS (SELECT value FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT x FROM c LIMIT 10) SELECT json_array(x) FROM c
WITH RECURSIVE c(x,n) AS (SELECT value,1 FROM json_each('[[1],{"a":2},"[3]",4]') UNION SELECT x,n+1 FROM c WHERE n<3) SELECT json_array(x),subtype(x) FROM c
SELECT json_array(value) FROM json_each('[[1],{"a":2},"[3]",4]') UNION ALL SELECT json_array(value) FROM json_each('[[1],{"a":2},"[3]",4]')
SELECT json_array(v2.x) FROM (VALUES(1)) a, (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]')) v2
SELECT (SELECT json_group_array(x) FROM (SELECT value x FROM json_each('[[1],{"a":2},"[3]",4]') LIMIT 3))

-- a virtual column: JSON as long as its block is written into the one around it
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
CREATE TABLE one(o INTEGER PRIMARY KEY); INSERT INTO one VALUES(1),(2)
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d)
WITH c(x) AS (SELECT v x FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d) s
SELECT json_array(x) FROM (SELECT v x FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d)))
CREATE VIEW w AS SELECT v x FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d LIMIT 5)
WITH c(x) AS (SELECT v x FROM d LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d LIMIT 5) s
SELECT json_array(x) FROM (SELECT v x FROM d LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d LIMIT 5)))
CREATE VIEW w AS SELECT v x FROM d LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d LIMIT 5 OFFSET 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d LIMIT 5 OFFSET 1)
WITH c(x) AS (SELECT v x FROM d LIMIT 5 OFFSET 1) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d LIMIT 5 OFFSET 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d LIMIT 5 OFFSET 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5 OFFSET 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d LIMIT 5 OFFSET 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d LIMIT 5 OFFSET 1) s
SELECT json_array(x) FROM (SELECT v x FROM d LIMIT 5 OFFSET 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d LIMIT 5 OFFSET 1)))
CREATE VIEW w AS SELECT v x FROM d LIMIT 5 OFFSET 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d)
WITH c(x) AS (SELECT v x FROM d UNION ALL SELECT v FROM d) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d UNION ALL SELECT v FROM d) SELECT json_array(x) FROM c
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d UNION ALL SELECT v FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d UNION ALL SELECT v FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d UNION ALL SELECT v FROM d) s
SELECT json_array(x) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d UNION ALL SELECT v FROM d)))
CREATE VIEW w AS SELECT v x FROM d UNION ALL SELECT v FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT '[7]' x UNION ALL SELECT v FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT '[7]' x UNION ALL SELECT v FROM d)
WITH c(x) AS (SELECT '[7]' x UNION ALL SELECT v FROM d) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT '[7]' x UNION ALL SELECT v FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT '[7]' x UNION ALL SELECT v FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT '[7]' x UNION ALL SELECT v FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT '[7]' x UNION ALL SELECT v FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT '[7]' x UNION ALL SELECT v FROM d) s
SELECT json_array(x) FROM (SELECT '[7]' x UNION ALL SELECT v FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT '[7]' x UNION ALL SELECT v FROM d)))
CREATE VIEW w AS SELECT '[7]' x UNION ALL SELECT v FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d UNION ALL SELECT '[7]' )
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d UNION ALL SELECT '[7]' )
WITH c(x) AS (SELECT v x FROM d UNION ALL SELECT '[7]' ) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d UNION ALL SELECT '[7]' ) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d UNION ALL SELECT '[7]' ) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d UNION ALL SELECT '[7]' ) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d UNION ALL SELECT '[7]' ) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d UNION ALL SELECT '[7]' ) s
SELECT json_array(x) FROM (SELECT v x FROM d UNION ALL SELECT '[7]' ) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d UNION ALL SELECT '[7]' )))
CREATE VIEW w AS SELECT v x FROM d UNION ALL SELECT '[7]' ; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5)
WITH c(x) AS (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5) s
SELECT json_array(x) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5)))
CREATE VIEW w AS SELECT v x FROM d UNION ALL SELECT v FROM d LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d UNION SELECT v FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d UNION SELECT v FROM d)
WITH c(x) AS (SELECT v x FROM d UNION SELECT v FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d UNION SELECT v FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d UNION SELECT v FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d UNION SELECT v FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d UNION SELECT v FROM d) s
SELECT json_array(x) FROM (SELECT v x FROM d UNION SELECT v FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d UNION SELECT v FROM d)))
CREATE VIEW w AS SELECT v x FROM d UNION SELECT v FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d EXCEPT SELECT 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d EXCEPT SELECT 1)
WITH c(x) AS (SELECT v x FROM d EXCEPT SELECT 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d EXCEPT SELECT 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d EXCEPT SELECT 1) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d EXCEPT SELECT 1) s
SELECT json_array(x) FROM (SELECT v x FROM d EXCEPT SELECT 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d EXCEPT SELECT 1)))
CREATE VIEW w AS SELECT v x FROM d EXCEPT SELECT 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d INTERSECT SELECT v FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d INTERSECT SELECT v FROM d)
WITH c(x) AS (SELECT v x FROM d INTERSECT SELECT v FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d INTERSECT SELECT v FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d INTERSECT SELECT v FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d INTERSECT SELECT v FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d INTERSECT SELECT v FROM d) s
SELECT json_array(x) FROM (SELECT v x FROM d INTERSECT SELECT v FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d INTERSECT SELECT v FROM d)))
CREATE VIEW w AS SELECT v x FROM d INTERSECT SELECT v FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d ORDER BY 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d ORDER BY 1)
WITH c(x) AS (SELECT v x FROM d ORDER BY 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d ORDER BY 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d ORDER BY 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d ORDER BY 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d ORDER BY 1) s
SELECT json_array(x) FROM (SELECT v x FROM d ORDER BY 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d ORDER BY 1)))
CREATE VIEW w AS SELECT v x FROM d ORDER BY 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d ORDER BY 1 LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d ORDER BY 1 LIMIT 5)
WITH c(x) AS (SELECT v x FROM d ORDER BY 1 LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d ORDER BY 1 LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d ORDER BY 1 LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d ORDER BY 1 LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d ORDER BY 1 LIMIT 5) s
SELECT json_array(x) FROM (SELECT v x FROM d ORDER BY 1 LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d ORDER BY 1 LIMIT 5)))
CREATE VIEW w AS SELECT v x FROM d ORDER BY 1 LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1)
WITH c(x) AS (SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1) SELECT json_array(x) FROM c
SELECT json_array(x) FROM (SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1)))
CREATE VIEW w AS SELECT v x FROM d UNION ALL SELECT v FROM d ORDER BY 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM d GROUP BY v)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM d GROUP BY v)
WITH c(x) AS (SELECT v x FROM d GROUP BY v) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d GROUP BY v) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM d GROUP BY v) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM d GROUP BY v) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM d GROUP BY v) s
SELECT json_array(x) FROM (SELECT v x FROM d GROUP BY v) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM d GROUP BY v)))
CREATE VIEW w AS SELECT v x FROM d GROUP BY v; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT max(v) x FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT max(v) x FROM d)
WITH c(x) AS (SELECT max(v) x FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT max(v) x FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT max(v) x FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT max(v) x FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT max(v) x FROM d) s
SELECT json_array(x) FROM (SELECT max(v) x FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT max(v) x FROM d)))
CREATE VIEW w AS SELECT max(v) x FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x, count(*) FROM d GROUP BY 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x, count(*) FROM d GROUP BY 1)
WITH c(x) AS (SELECT v x FROM d GROUP BY 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d GROUP BY 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x, count(*) FROM d GROUP BY 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x, count(*) FROM d GROUP BY 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x, count(*) FROM d GROUP BY 1) s
SELECT json_array(x) FROM (SELECT v x, count(*) FROM d GROUP BY 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x, count(*) FROM d GROUP BY 1)))
CREATE VIEW w AS SELECT v x, count(*) FROM d GROUP BY 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT DISTINCT v x FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT DISTINCT v x FROM d)
WITH c(x) AS (SELECT DISTINCT v x FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT DISTINCT v x FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT DISTINCT v x FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT DISTINCT v x FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT DISTINCT v x FROM d) s
SELECT json_array(x) FROM (SELECT DISTINCT v x FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT DISTINCT v x FROM d)))
CREATE VIEW w AS SELECT DISTINCT v x FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x, rank() OVER () FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x, rank() OVER () FROM d)
WITH c(x) AS (SELECT v x FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x, rank() OVER () FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x, rank() OVER () FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x, rank() OVER () FROM d) s
SELECT json_array(x) FROM (SELECT v x, rank() OVER () FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x, rank() OVER () FROM d)))
CREATE VIEW w AS SELECT v x, rank() OVER () FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT max(v) OVER () x FROM d)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT max(v) OVER () x FROM d)
WITH c(x) AS (SELECT max(v) OVER () x FROM d) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT max(v) OVER () x FROM d) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT max(v) OVER () x FROM d) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT max(v) OVER () x FROM d) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT max(v) OVER () x FROM d) s
SELECT json_array(x) FROM (SELECT max(v) OVER () x FROM d) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT max(v) OVER () x FROM d)))
CREATE VIEW w AS SELECT max(v) OVER () x FROM d; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5))
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5))
WITH c(x) AS (SELECT y x FROM (SELECT v y FROM d LIMIT 5)) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT y x FROM (SELECT v y FROM d LIMIT 5)) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT y x FROM (SELECT v y FROM d LIMIT 5)) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT y x FROM (SELECT v y FROM d LIMIT 5)) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT y x FROM (SELECT v y FROM d LIMIT 5)) s
SELECT json_array(x) FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5)) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5))))
CREATE VIEW w AS SELECT y x FROM (SELECT v y FROM d LIMIT 5); SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5)
WITH c(x) AS (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5) s
SELECT json_array(x) FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5)))
CREATE VIEW w AS SELECT y x FROM (SELECT v y FROM d LIMIT 5) LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5)
WITH c(x) AS (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5) s
SELECT json_array(x) FROM (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5)))
CREATE VIEW w AS SELECT y x FROM (SELECT v y FROM d UNION ALL SELECT v FROM d) LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1)
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1)))
CREATE VIEW w AS SELECT x FROM one LEFT JOIN (SELECT v x FROM d) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1)
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1)))
CREATE VIEW w AS SELECT x FROM one LEFT JOIN (SELECT v x FROM d LIMIT 5) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1)
WITH c(x) AS (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one JOIN (SELECT v x FROM d) ON 1)))
CREATE VIEW w AS SELECT x FROM one JOIN (SELECT v x FROM d) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
WITH c(x) AS (SELECT x FROM one JOIN (SELECT v x FROM d LIMIT 5) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(x) FROM (SELECT x FROM one JOIN (SELECT v x FROM d LIMIT 5) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one JOIN (SELECT v x FROM d LIMIT 5) ON 1)))
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one)
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one)))
CREATE VIEW w AS SELECT x FROM (SELECT v x FROM d LIMIT 5) JOIN one; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1)
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1)))
CREATE VIEW w AS SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9)
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9) s ON 1
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9)))
CREATE VIEW w AS SELECT x FROM (SELECT v x FROM d) LEFT JOIN one ON 1 LIMIT 9; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1)
WITH c(x) AS (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1) s
SELECT json_array(x) FROM (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1)))
CREATE VIEW w AS SELECT x FROM one RIGHT JOIN (SELECT v x FROM d) ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1)
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1)))
CREATE VIEW w AS SELECT x FROM (SELECT v x FROM d) RIGHT JOIN one ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1)
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1) s
SELECT json_array(x) FROM (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1)))
CREATE VIEW w AS SELECT x FROM (SELECT v x FROM d) FULL JOIN one ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT v x FROM one LEFT JOIN d ON 1)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT v x FROM one LEFT JOIN d ON 1)
WITH c(x) AS (SELECT v x FROM one LEFT JOIN d ON 1) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT v x FROM one LEFT JOIN d ON 1) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT v x FROM one LEFT JOIN d ON 1) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT v x FROM one LEFT JOIN d ON 1) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT v x FROM one LEFT JOIN d ON 1) s
SELECT json_array(x) FROM (SELECT v x FROM one LEFT JOIN d ON 1) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT v x FROM one LEFT JOIN d ON 1)))
CREATE VIEW w AS SELECT v x FROM one LEFT JOIN d ON 1; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT (SELECT v FROM d LIMIT 1) x)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT (SELECT v FROM d LIMIT 1) x)
WITH c(x) AS (SELECT (SELECT v FROM d LIMIT 1) x) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT (SELECT v FROM d LIMIT 1) x) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT (SELECT v FROM d LIMIT 1) x) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT (SELECT v FROM d LIMIT 1) x) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT (SELECT v FROM d LIMIT 1) x) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT (SELECT v FROM d LIMIT 1) x) s
SELECT json_array(x) FROM (SELECT (SELECT v FROM d LIMIT 1) x) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT (SELECT v FROM d LIMIT 1) x)))
CREATE VIEW w AS SELECT (SELECT v FROM d LIMIT 1) x; SELECT json_array(x) FROM w; DROP VIEW w
SELECT json_array(x), subtype(x), json_array(+x), json_object('k',max(x,'')) FROM (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5)
SELECT json_group_array(x), json_array(max(x)) FROM (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5)
WITH c(x) AS (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS MATERIALIZED (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) SELECT json_array(x) FROM c
WITH c(x) AS (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) SELECT json_array(a.x),json_array(b.x) FROM c a, c b
SELECT json_array(s.x) FROM one LEFT JOIN (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) s ON 1
SELECT json_array(s.x) FROM one JOIN (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) s
SELECT json_array(s.x) FROM one RIGHT JOIN (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) s
SELECT json_array(x) FROM (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5) s ORDER BY x
SELECT json_array((SELECT x FROM (SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5)))
CREATE VIEW w AS SELECT (SELECT v FROM d LIMIT 1) x LIMIT 5; SELECT json_array(x) FROM w; DROP VIEW w
WITH RECURSIVE c(x) AS (SELECT v FROM d UNION ALL SELECT x FROM c LIMIT 10) SELECT json_array(x) FROM c
WITH RECURSIVE c(x,n) AS (SELECT v,1 FROM d UNION SELECT x,n+1 FROM c WHERE n<3) SELECT json_array(x),subtype(x) FROM c
SELECT json_array(v) FROM d UNION ALL SELECT json_array(v) FROM d
SELECT json_array(v2.x) FROM (VALUES(1)) a, (SELECT v x FROM d) v2
SELECT (SELECT json_group_array(x) FROM (SELECT v x FROM d LIMIT 3))
