-- What an INSERT reads while it inserts: several rows of VALUES, rows of a query.
CREATE TABLE items(id INTEGER PRIMARY KEY, pos INT, name TEXT)
INSERT INTO items(pos) VALUES((SELECT count(*) FROM items)),((SELECT count(*) FROM items))
SELECT id, pos FROM items
INSERT INTO items(pos) VALUES((SELECT max(pos) FROM items) + 1),((SELECT max(pos) FROM items) + 1),(9) RETURNING id, pos
INSERT INTO items(pos, name) VALUES(1, 'a'),(EXISTS(SELECT 1 FROM items WHERE name = 'a'), 'b')
INSERT INTO items(pos, name) VALUES(7, 'n'),(7 IN (SELECT pos FROM items), 'm')
SELECT id, pos, name FROM items ORDER BY id
CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT)
CREATE TABLE lines(id INTEGER PRIMARY KEY, order_id INT, sku TEXT)
INSERT INTO orders(id) VALUES(100)
INSERT INTO lines(order_id, sku) VALUES(last_insert_rowid(), 'x'),(last_insert_rowid(), 'y') RETURNING order_id, sku
INSERT INTO orders(id) VALUES(200)
INSERT INTO lines(order_id, sku) VALUES(last_insert_rowid(), 'x'),(last_insert_rowid(), 'y')
SELECT * FROM lines
INSERT INTO orders(id) VALUES(300)
INSERT INTO lines(order_id, sku) SELECT last_insert_rowid(), value FROM json_each('[1,2,3]') RETURNING order_id, sku
INSERT INTO orders(id) VALUES(400)
INSERT INTO lines(order_id, sku) SELECT last_insert_rowid(), value FROM json_each('[1,2,3]')
SELECT * FROM lines
INSERT INTO orders(id) VALUES(500)
INSERT INTO lines(order_id, sku) SELECT 1, value FROM json_each('[1,2,3]') WHERE last_insert_rowid() = 500 RETURNING sku
INSERT INTO lines(order_id, sku) SELECT changes(), value FROM json_each('[1,2,3]') RETURNING order_id, changes()
INSERT INTO lines(order_id, sku) VALUES(changes(), 1),(changes(), 2),(total_changes() > 0, 3) RETURNING order_id
CREATE TABLE log(n INT)
CREATE TABLE watched(id INTEGER PRIMARY KEY, v INT)
CREATE TRIGGER watch AFTER INSERT ON watched BEGIN INSERT INTO log VALUES(new.v); END
INSERT INTO watched(v) VALUES((SELECT count(*) FROM log)),((SELECT count(*) FROM log)),((SELECT count(*) FROM log))
SELECT v FROM watched
INSERT INTO orders(id) VALUES(600)
INSERT INTO watched(v) VALUES(last_insert_rowid()),(last_insert_rowid())
SELECT v FROM watched
SELECT n FROM log
INSERT INTO watched(v) SELECT (SELECT count(*) FROM log) FROM json_each('[1,2,3]')
SELECT v FROM watched
INSERT INTO watched(v) VALUES(1),(2),(3) RETURNING id, v
INSERT OR IGNORE INTO items(id, pos) VALUES(1, (SELECT count(*) FROM items)),(90, (SELECT count(*) FROM items)) RETURNING *
INSERT INTO items(id, pos) VALUES(1, (SELECT count(*) FROM items)),(91, (SELECT count(*) FROM items)) ON CONFLICT(id) DO UPDATE SET pos = excluded.pos RETURNING *
WITH c(n) AS (SELECT count(*) FROM items) INSERT INTO items(pos) VALUES((SELECT n FROM c)),((SELECT n FROM c)) RETURNING pos
