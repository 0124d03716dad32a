-- aliases of a result are seen around it, not in it
CREATE TABLE t(x,y)
INSERT INTO t VALUES(10,20),(1,2)
CREATE TABLE u(b)
INSERT INTO u VALUES(5),(10)
SELECT x FROM t WHERE (5,10) IN (SELECT b AS x, x FROM u)
SELECT x FROM t WHERE EXISTS (SELECT b AS x, x FROM u INTERSECT SELECT 5,10)
SELECT x FROM t WHERE EXISTS (SELECT b AS x, x+1 AS z FROM u WHERE z=11)
SELECT x FROM t WHERE EXISTS (SELECT b AS x, x+1 AS z FROM u GROUP BY z HAVING z = 11)
SELECT x AS k, k+1 FROM t
SELECT x AS k, (SELECT k) FROM t
SELECT x AS k, (SELECT k+b FROM u LIMIT 1) FROM t
SELECT sum(x) AS s, s*2 FROM t
SELECT x AS k, sum(y) OVER (ORDER BY k) FROM t
SELECT x AS k, sum(y) OVER w FROM t WINDOW w AS (ORDER BY k)
SELECT x AS k FROM t WINDOW w AS (ORDER BY k)
SELECT x AS k, count(k) FROM t GROUP BY k
SELECT x AS k FROM t a JOIN u ON k=b
SELECT x AS k FROM t a LEFT JOIN u ON k=b ORDER BY 1
SELECT x AS k, b FROM t a RIGHT JOIN u ON k=b ORDER BY 1
SELECT b AS k FROM t JOIN u ON x=k
SELECT x+1 AS k FROM t WHERE k=11
SELECT x AS k FROM t WHERE (SELECT k)=10
SELECT x AS k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE b=k)
SELECT x AS k FROM t GROUP BY k HAVING EXISTS (SELECT 1 FROM u WHERE b=k)
SELECT x AS k FROM t JOIN u ON EXISTS (SELECT 1 FROM u WHERE b=k) ORDER BY 1
SELECT x AS k FROM t GROUP BY (SELECT k) ORDER BY 1
SELECT x AS k FROM t ORDER BY (SELECT -k)
SELECT x AS k FROM t ORDER BY sum(y) OVER (ORDER BY k)
SELECT x AS k FROM t ORDER BY sum(y) OVER w WINDOW w AS (ORDER BY -k)
SELECT x AS k, max(y) AS m FROM t GROUP BY k HAVING m > 2
SELECT x AS k, max(y) AS m FROM t GROUP BY k HAVING sum(k) > 2
SELECT x AS k, sum(y) FROM t GROUP BY k HAVING sum(k) > 2 ORDER BY sum(-k)
SELECT count(*) FILTER (WHERE k>5), max(x) AS k FROM t
SELECT x AS k FROM t LIMIT k
SELECT x AS k FROM t LIMIT (SELECT k)
SELECT sum(x) AS s FROM t WHERE s > 1
SELECT x AS k, value FROM t, json_each(json_array(k))
SELECT x AS k FROM t WHERE x IN (SELECT k FROM u)
SELECT x AS rowid FROM t WHERE rowid=10
SELECT x AS rowid FROM t WHERE rowid=1
SELECT x AS oid FROM t ORDER BY oid
SELECT x AS oid FROM t GROUP BY oid ORDER BY 1
SELECT x+1 AS z, z+1 AS w FROM t WHERE w > 2
SELECT x+1 AS y, y AS z FROM t WHERE z=20
SELECT x AS y, y AS x FROM t WHERE x=10
SELECT x AS "k", "k" FROM t
SELECT x AS k, 'k' FROM t
SELECT x AS k FROM t WHERE "k"=10
SELECT x AS k FROM t WHERE t.k=10
INSERT INTO u SELECT x AS k FROM t WHERE k>5 RETURNING b AS m, m
UPDATE u SET b=b+1 RETURNING b AS m, m+1
SELECT row_number() OVER (ORDER BY x) AS r FROM t WHERE r = 1
SELECT row_number() OVER (ORDER BY x) AS r FROM t ORDER BY r+1
SELECT row_number() OVER (ORDER BY x) AS r, r+1 FROM t
SELECT x AS k FROM t UNION SELECT b AS k FROM u WHERE k > 3 ORDER BY k
SELECT (x,y) AS k FROM t WHERE k=(10,20)
SELECT x AS k FROM t WHERE x IN (k, 3)
WITH c(a) AS (SELECT x AS k FROM t WHERE k=10) SELECT a AS k FROM c WHERE k=10
SELECT x AS true FROM t WHERE true
SELECT (SELECT x AS k FROM t WHERE k=b) FROM u
SELECT b AS k FROM u WHERE EXISTS (SELECT x FROM t WHERE x=k)
SELECT b AS x FROM u WHERE EXISTS (SELECT x+0 AS q FROM t WHERE q=u.b)
SELECT x, (SELECT b AS x FROM u WHERE x=10) FROM t
SELECT x AS b, (SELECT b FROM u LIMIT 1) FROM t
SELECT x AS k, sum(y) FILTER (WHERE k>1) FROM t
SELECT x AS k FROM t GROUP BY x HAVING count(*) FILTER (WHERE k>1) > 0

-- a database may stand before an alias, a view and a function, not before a row that is returned
CREATE TABLE t(x INTEGER PRIMARY KEY,y)
INSERT INTO t VALUES(10,20),(1,2)
CREATE VIEW v AS SELECT x, y FROM t
SELECT main.z.x FROM t AS z ORDER BY 1
SELECT z.x FROM main.t AS z ORDER BY main.z.y
SELECT main.t.x FROM t AS z
SELECT x FROM t AS t WHERE main.t.x=1
SELECT main.v.x FROM v
SELECT main.w.x FROM v AS w
SELECT temp.w.x FROM v AS w
SELECT main.v.x FROM (SELECT 1 x) v
SELECT main.c.x FROM (SELECT * FROM t) c
WITH c AS (SELECT * FROM t) SELECT main.c.x FROM c
SELECT main.json_each.value FROM json_each('[1]')
SELECT main.j.value FROM json_each('[1]') AS j
SELECT main.z.rowid FROM t AS z
SELECT main.z.* FROM t AS z
SELECT main.t.* FROM t
SELECT main.pragma_table_info.name FROM pragma_table_info('t')
SELECT temp.json_each.value FROM json_each('[1]')
SELECT main.sqlite_schema.name FROM sqlite_schema
UPDATE t AS q SET y=1 WHERE main.q.x=10
UPDATE t AS q SET y=main.q.y+1
UPDATE t SET y=main.t.y+1 WHERE main.t.x=10
UPDATE t SET y=1 WHERE main.t.x=10 RETURNING main.t.y
UPDATE t SET y=1 WHERE main.t.x=10 RETURNING t.y
UPDATE t AS q SET y=1 WHERE main.q.x=10 RETURNING main.q.y
UPDATE t AS q SET y=1 WHERE main.q.x=10 RETURNING t.y
UPDATE t AS q SET y=1 WHERE main.q.x=10 RETURNING q.y
INSERT INTO t VALUES(3,4) RETURNING main.t.y
INSERT INTO t VALUES(4,4) RETURNING (SELECT main.t.y)
DELETE FROM t WHERE x=4 RETURNING main.t.y
DELETE FROM t AS q WHERE main.q.x=100
DELETE FROM t AS q WHERE main.q.x=100 RETURNING main.q.y
INSERT INTO t AS q VALUES(1,4) ON CONFLICT DO UPDATE SET y=main.q.y+5
INSERT INTO t AS q VALUES(1,4) ON CONFLICT DO UPDATE SET y=5 WHERE main.q.y>1
INSERT INTO t VALUES(1,4) ON CONFLICT DO UPDATE SET y=main.t.y+5
INSERT INTO t VALUES(1,4) ON CONFLICT DO UPDATE SET y=main.excluded.y+5
UPDATE t AS q SET y=z.y FROM t AS z WHERE main.z.x=main.q.x
SELECT * FROM t
CREATE TABLE k(a, CHECK(main.k.a > 0))
INSERT INTO k VALUES(0)
INSERT INTO k VALUES(1)
CREATE TABLE k2(a, CHECK(k2.a > 0))
INSERT INTO k2 VALUES(1)
CREATE INDEX i ON t(main.t.y)
CREATE INDEX i ON t(t.y)
CREATE INDEX i ON t(y) WHERE main.t.y > 0
CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT main.new.x; END
INSERT INTO t VALUES (50,50)
CREATE TRIGGER tr2 AFTER INSERT ON t BEGIN UPDATE t AS q SET y = main.q.y+1 WHERE main.q.x = new.x; END
INSERT INTO t VALUES (60,60)
CREATE TRIGGER tr3 AFTER INSERT ON t BEGIN UPDATE t SET y = main.t.y+1 WHERE main.t.x = new.x; END
INSERT INTO t VALUES (70,60)
CREATE TRIGGER tr4 INSTEAD OF UPDATE ON v BEGIN UPDATE t SET y = new.y+1 WHERE x = new.x; END
UPDATE v SET y = main.v.y+1 WHERE main.v.x=10
SELECT * FROM t
SELECT x FROM t WHERE EXISTS (SELECT 1 FROM t AS z WHERE main.z.x=main.t.x AND temp.t.x=1)
SELECT nodb.t.x FROM t
SELECT nodb.z.x FROM t AS z
CREATE TEMP TABLE w(a)
INSERT INTO w VALUES(1)
SELECT temp.q.a FROM w AS q
SELECT main.q.a FROM w AS q
SELECT temp.t.a, main.t.x FROM w AS t JOIN main.t AS t ON 1
SELECT t.x FROM w AS t JOIN main.t AS t ON 1 ORDER BY 1
SELECT main.t.x FROM w AS t JOIN main.t AS t ON 1 ORDER BY 1

-- an alias of a subquery is that subquery wherever it is named
CREATE TABLE t(a, b)
INSERT INTO t VALUES (1,10),(2,20),(3,30)
CREATE TABLE u(c, d)
INSERT INTO u VALUES (1,100),(2,200),(3,300)
select a, (select d from u where c=a) as q from t where (select q+1)>101
select a, (select d from u where c=a) as q from t order by (select q)
select a, (select d from u where c=a) as q from t where exists (select 1 from u where d=q and c>1)
select a, (select max(d) from u) as q from t where a in (select c from u where d=q)
select a, (select max(d) from u) as q from t where a in (select c from u where d=q) order by (select -q)
select a, exists(select 1 from u where c=a+1) as q from t where (select q)
select a, a in (select c from u where d>100) as q from t where (select q) order by (select q)
select a, (select sum(d) from u where c<=a) as q from t where (select count(*) from u where d<q)>1
select a, (select sum(d) from u where c<=a) as q from t group by (select q)
select a, (select sum(d) from u where c<=a) as q from t group by a having (select q)>100
select a as q, (select (select q)) from t
select (select (select q)), a as q from t
select a+1 as q from t where (select (select q))>2
select (select d from u where c=a) as q from t where (select (select q))>100
select (select d from u where c=a) as q from t where (select (select q) from u limit 1)>100
select (select d from u where c=a) as c from t where (select c from u limit 1)>100
select (select d from u where c=a) as z from t where (select z from u order by z limit 1)>100
select (select d from u where c=a) as z from t where (select z from u order by c desc limit 1)>100
select (select b from t t2 where t2.a=t.a) as z from t where (select z from u where c=t.a)=20
select (select b from t t2 where t2.a=t.a) as z from t where (select z from t where a=2)=20
select (select b from t t2 where t2.a=t.a) as z from t x where (select z from t where a=2)=20
select (select random() is not null) as z from t where (select z)
select (select d from u where c=a limit 1) as z from t where (select max(z) from u)>100
select (select d from u where c=a limit 1) as z from t where (select count(z) from u)>2
select (select group_concat(d) from u where c<=a) as z from t where (select length(z) from u where c=1)>4
select (select a from t) as z, 1 as w from u where (select w) and (select z)
select a as x, (select x) from t
select a as x from t where a = (select x)
select a as x from t where (select x from (select x)) = 2
select a as x from t where exists(select 1 from (select x as y) where y=2)
select (select d from u where c=a) as x from t where exists(select 1 from (select x as y) where y=200)
select (select d from u where c=a) as x from t where exists(select 1 from u join (select x as y) on y=d)
select (select d from u where c=a) as x from t where exists(with r as (select x as y) select 1 from r where y=200)
select (select d from u where c=a) as x from t where exists(with recursive r(y) as (select x union select y+1 from r where y<250) select 1 from r where y=250)
select (select d from u where c=a) as x from t where (select x union select x)=200
select (select d from u where c=a) as x from t where (select x union select 5 order by 1 desc)=200
select (select d from u where c=a) as x from t where (select (select d from u where c=a) as x)=200
select (select d from u where c=a) as x from t where (values(x))=200
select (select d from u where c=a) as x from t where 200 in (values(x))
select (select d from u where c=a) as x from t where 200 in (select x)
select (select d from u where c=a) as x from t where x in (select x)
select (select d from u where c=a) as x from t where 200 = (select x from u where d=x)
select (select (select d from u where c=a)) as x from t where 200 = (select x from u where d=x)
select (select (select d from u where c=a) from u where c=a) as x from t where 200 = (select x from u where d=x)
select (a,b) in (select c,d/10 from u) as x from t where (select x) order by (select x)
select (select d from u where c=a) as x, count(*) from t where (select x)>100 group by (select x) having (select x)<300 order by (select x)
select (select d from u where c=a)+1 as x from t where (select x+1)>102 and (select x-1)<300
update t set b=b+1 where a in (select a from (select a, (select d from u where c=a) as q from t where (select q)>100)) returning *
select count(*) as n from t having (select n)>1
select count(*) as n from t order by (select n)
select count(*) as n from t group by a having (select n)>0
select sum(a) as n, (select d from u where c=1) as q from t having (select q)>1
select sum((select d from u where c=a)) as n from t having (select n)>1
select sum((select d from u where c=a)) as n from t order by (select n)
select sum((select d from u where c=a)) as n from t group by a order by (select n) desc
select (select sum(a)) as n from t order by (select n) desc
select (select sum(a) from u) as n from t where (select n) 
select row_number() over (order by a) as n from t order by (select n)
select row_number() over (order by a) as n from t where (select n)
select max(a) as n from t where (select n)>1
select t.a, (select d from u where u.c=w.c) as y from t join u on y=u.d join u as w on w.c=t.a

-- ON may name tables to its right, and aliases that do, unless an outer join is in between
CREATE TABLE t(a, b)
INSERT INTO t VALUES (1,10),(2,20),(3,30)
CREATE TABLE u(c, d)
INSERT INTO u VALUES (1,100),(2,200),(3,300)
select t.a as y from t join u on y=c
select u.d as y from t join u on y=100 and c=a
select t.a, w.c as y from t join u on y=u.c join u as w on w.c=t.a
select t.a from t join u on w.c=u.c join u as w on w.c=t.a
select t.a, w.c as y from t left join u on y=u.c left join u as w on w.c=t.a
select t.a, w.c as y from t join u on y=u.c left join u as w on w.c=t.a
select t.a, w.c as y from t right join u on y=u.c left join u as w on w.c=t.a
select t.a, w.c as y from t full join u on y=u.c left join u as w on w.c=t.a
select t.a, w.c as y from t left join u on y=u.c right join u as w on w.c=t.a
select t.a, w.c as y from t join (u join u as w on y=u.c) on w.c=t.a
select t.a as y from t join (u join u as w on y=u.c) on w.c=t.a
select u.c as y from t join (u join u as w on y=w.c) on w.c=t.a
select w.c as y from t join (u join u as w on y=u.c) on w.c=t.a
select t.a, w.c+u.c as y from t join u on y=2*u.c join u as w on w.c=t.a
select t.a, (select w.c) as y from t join u on y=u.c join u as w on w.c=t.a
select t.a, u.c as y from t join json_each('[1,2,3]') on value=y join u on u.c=t.a
select value as y from t, json_each('['||a||']') as j where y>1
select t.a, sum(u.c) as y from t join u on y=2
select t.a, row_number() over () as y from t join u on y=2
select t.a as y from t join u on (select y)=c
select w.c as y from t join u on (select y)=u.c join u as w on w.c=t.a
select w.c as y from t join u on exists(select 1 from u as z where z.c=y) join u as w on w.c=t.a order by 1
select w.c as y from t join u on u.c in (select c from u where c=y) join u as w on w.c=t.a
select w.rowid as y from t join u on u.c=y join u as w on w.c=t.a
select x.c as y from t join u on u.c=y join (select * from u where c>1) as x on x.c=t.a
select x.n as y from t join u on u.c=y join (select count(*) as n from u group by c) as x on x.n=t.a
select y2.c as y from t join u on u.c=y join u as y2 using(c) order by 1
select c as y from t join u on a=y
select b as y from t a2 left join t b2 on y=10 and a2.a=b2.a
select b2.b as y from t a2 left join t b2 on y=10 and a2.a=b2.a
select a2.b as y from t a2 left join t b2 on y=10 and a2.a=b2.a
select w.d as y, w.d as y2 from t left join u on y=d left join u w on w.c=a
select *, w.d as y from t cross join u on y=u.d cross join u w on w.c=a
select t.a, w.c from t join u on d = 100 join u as w on w.c = t.a
select t.a from t join u on zc = c join (select c as zc from u) on zc = t.a
select 5 as zc from t join u on zc = c join (select c as zc from u) on zc = a
select (select count(*) from t join u on o.a = u.c join (select 1 as a) as o on 1) from t as o
select (select count(*) from t x join u on q = u.c join (select 2 as q) on 1) from (select a as q from t)
select "zc" from t join u on "zc" = c join (select c as zc from u) on zc = a
select count(*) from t join u on u.c = w.c left join u as v on v.c = u.c join u as w on w.d > 100
select count(*) from t left join u on u.c = a join u as w on w.c = z.c join u as z on z.d > 100
select count(*) from t left join u on u.c = a and z.c = 1 join u as z on z.d > 100
select count(*) from t right join u on u.c = a join u as w on w.c = z.c join u as z on z.d > 100

-- columns of the schema table have its names, but for those of temp without the database
CREATE TABLE t(x)
CREATE TEMP TABLE tt(x)
ATTACH ':memory:' AS m2
CREATE TABLE m2.t(x)
CREATE VIEW v AS SELECT sqlite_schema.name FROM sqlite_master
SELECT * FROM v
select main.sqlite_master.name from sqlite_schema
select main.sqlite_schema.name from sqlite_master limit 1
select temp.sqlite_schema.name from sqlite_master limit 1
select temp.sqlite_schema.name from temp.sqlite_master limit 1
select temp.sqlite_master.name from sqlite_temp_master limit 1
select temp.sqlite_schema.name from sqlite_temp_master limit 1
select temp.sqlite_temp_schema.name from sqlite_temp_master limit 1
select temp.sqlite_temp_master.name from sqlite_temp_master limit 1
select main.sqlite_temp_master.name from sqlite_temp_master limit 1
select main.sqlite_temp_master.name from sqlite_master limit 1
select main.sqlite_temp_schema.name from sqlite_master limit 1
select main.sqlite_master.name from sqlite_temp_master limit 1
select m2.sqlite_master.name from m2.sqlite_master limit 1
select m2.sqlite_schema.name from m2.sqlite_master limit 1
select m2.sqlite_temp_schema.name from m2.sqlite_master limit 1
select main.sqlite_master.name from m2.sqlite_schema limit 1
select x.name from sqlite_master x limit 1
select main.sqlite_master.name from sqlite_master x limit 1
select main.x.name from sqlite_master x limit 1
select main.sqlite_master.x from t as sqlite_schema limit 1
select main.sqlite_schema.x from t as sqlite_master limit 1
select main.sqlite_master.rowid from sqlite_schema limit 1
select main.sqlite_schema.rowid from sqlite_master limit 1
select main.sqlite_master.name from sqlite_schema, sqlite_master limit 1
select main.sqlite_schema.name from sqlite_schema, sqlite_master limit 1
select (select main.sqlite_master.name) from sqlite_schema limit 1
select 1 from sqlite_schema where main.sqlite_master.name='t'
select 1 from sqlite_schema where "main"."sqlite_master".name='t'
select 1 from (select * from sqlite_schema) as sqlite_schema where main.sqlite_master.name='t'
select main.sqlite_MASTER.name from sqlite_schema limit 1
select MAIN.SQLITE_SCHEMA.name from sqlite_master limit 1
select sqlite_schema.name from sqlite_schema join sqlite_master using(name)
select sqlite_temp_master.name from sqlite_temp_schema left join sqlite_temp_master using(name)
select t.x from t join t using(x)
