-- A CHECK that is added stands in the definition as it was written.
CREATE TABLE t(a, b);
ALTER TABLE t ADD CONSTRAINT ck2   CHECK(a<100);
ALTER TABLE t ADD   CHECK  ( b<>'' );
ALTER TABLE t ADD CHECK (a /* c */ > 0) ON CONFLICT IGNORE;
ALTER TABLE t ADD CONSTRAINT "x y" /* hm */ check (a > -5  ) -- end
;
SELECT sql FROM sqlite_schema;
