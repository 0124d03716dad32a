-- In which order a star shows the columns of joins in parentheses.
CREATE TABLE l(x,y); CREATE TABLE m(y,z); CREATE TABLE n(x,z,y); CREATE TABLE o(w, z, q);
INSERT INTO l VALUES(1,2); INSERT INTO m VALUES(3,4); INSERT INTO n VALUES(1,4,5); INSERT INTO o VALUES(7,4,8);
WITH q(a, b, c, d, e, f) AS (SELECT * FROM l, (m JOIN n USING(z)))
  SELECT * FROM q;
WITH q(a, b, c, d, e, f) AS (SELECT * FROM l, (m LEFT JOIN n USING(z)))
  SELECT * FROM q;
WITH q(a, b, c, d, e) AS (SELECT * FROM l LEFT JOIN (m RIGHT JOIN n USING(z)) USING(x))
  SELECT * FROM q;
WITH q(a, b, c, d, e) AS (SELECT * FROM l, (m NATURAL JOIN n))
  SELECT * FROM q;
WITH q(a, b, c, d, e, f) AS (SELECT * FROM l, (m NATURAL JOIN o))
  SELECT * FROM q;
WITH q(a, b, c, d, e, f, g, h) AS (SELECT * FROM l, (m JOIN n USING(z) JOIN o USING(z)))
  SELECT * FROM q;
WITH q(a, b, c, d, e) AS (SELECT * FROM l, (n JOIN m USING(y,z)))
  SELECT * FROM q;
WITH q(a, b, c, d, e) AS (SELECT * FROM l, (n JOIN m USING(z,y)))
  SELECT * FROM q;
WITH q(a, b, c, d, e, f, g, h) AS (SELECT * FROM l, (n JOIN (m JOIN o USING(z)) USING(z)))
  SELECT * FROM q;
WITH q(a, b, c, d) AS (SELECT * FROM (m JOIN n USING(z)))
  SELECT * FROM q;
