//! Definitions of one's own: each part that can conflict, in both directions, and afterwards.
//!
//! Neighbours: `resolving` (what RESOLVE takes beside), `rules` (what is a conflict at all).

use super::{error, reopened, rows, session};
use crate::session::Session;

/// A merge that stays open: of `dev` into `main`, which have changed the base each in its way.
fn open(base: &str, on_main: &str, on_dev: &str) -> Session {
    let session = session();
    session
        .execute(&format!(
            "{base}; CREATE BRANCH dev; USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main};
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')"
        ))
        .unwrap();
    session
}

/// What is asked for, on a branch.
fn on(session: &Session, branch: &str, sql: &str) -> Vec<String> {
    session.execute(&format!("USE BRANCH {branch}")).unwrap();
    rows(session, sql)
}

/// What holds after a merge that definitions settled: a second merge changes nothing, and one the
/// other way makes both branches the same, also where the source went on.
fn check_settled(session: &Session, query: &str) {
    let main = on(session, "main", query);
    let again = rows(session, "MERGE BRANCH dev INTO main");
    assert!(again[0].starts_with("up to date"), "{again:?}");
    assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
    session.execute("CREATE BRANCH side FROM dev").unwrap();
    rows(session, "MERGE BRANCH main INTO dev");
    assert_eq!(on(session, "dev", query), main);
    assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
    // One that has the source's definition still, and something of its own.
    session.execute("USE BRANCH side; CREATE TABLE other(x)").unwrap();
    let merged = rows(session, "MERGE BRANCH main INTO side");
    assert!(merged[0].starts_with("merged"), "{merged:?}");
    assert_eq!(on(session, "side", query), main);
    assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
    session.execute("USE BRANCH main").unwrap();
    let back = rows(session, "MERGE BRANCH side INTO main");
    assert!(!back[0].starts_with("conflicts"), "{back:?}");
    assert_eq!(on(session, "main", query), main);
}

/// Resolves all conflicts of a kind of change, in both directions, and gives what comes of it.
fn settled(base: &str, one: &str, other: &str, said: &[&str], query: &str) -> Vec<String> {
    let mut outcomes = Vec::new();
    for (on_main, on_dev) in [(one, other), (other, one)] {
        let session = open(base, on_main, on_dev);
        for (number, definition) in (1..).zip(said) {
            let definition = definition.replace('\'', "''");
            session
                .execute(&format!("RESOLVE CONFLICT {number} WITH DEFINITION '{definition}'"))
                .unwrap();
        }
        let session = reopened(session);
        let shown = "SELECT resolution IS NULL, resolution LIKE 'DEFINITION ''%' FROM
                     pando_conflicts GROUP BY 1, 2";
        assert_eq!(rows(&session, shown), ["0|1"]);
        let merged = rows(&session, "CONTINUE MERGE");
        assert!(merged[0].starts_with("merged|"), "{merged:?}");
        check_settled(&session, query);
        outcomes.push(rows(&session, query));
    }
    assert_eq!(outcomes[0], outcomes[1], "{one} / {other}");
    outcomes.remove(0)
}

const ITEM: &str = "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, stock INT,
    CONSTRAINT some CHECK (stock >= 0));
    INSERT INTO item VALUES (1, 'pen', 1), (2, 'ink', 2), (3, 'pad', 3)";

#[test]
fn a_column_that_both_added_is_what_somebody_says() {
    let query = "SELECT id, price, typeof(price) FROM item ORDER BY id";
    let found = settled(
        ITEM,
        "ALTER TABLE item ADD COLUMN price INT DEFAULT 1; UPDATE item SET price = 3 WHERE id = 1;
         INSERT INTO item VALUES (4, 'cap', 4, 9); CREATE INDEX by_price ON item(price)",
        "ALTER TABLE item ADD COLUMN price TEXT NOT NULL DEFAULT '7';
         UPDATE item SET price = '4.5' WHERE id = 2; INSERT INTO item VALUES (5, 'box', 5, '8')",
        &["price REAL NOT NULL DEFAULT 0 CHECK (price >= 0)"],
        query,
    );
    assert_eq!(found, ["1|3.0|real", "2|4.5|real", "3|0.0|real", "4|9.0|real", "5|8.0|real"]);
}

#[test]
fn a_column_without_defaults_is_filled_with_the_one_that_somebody_says() {
    let found = settled(
        ITEM,
        "ALTER TABLE item ADD COLUMN price INT",
        "ALTER TABLE item ADD COLUMN price TEXT",
        &["price REAL NOT NULL DEFAULT 2"],
        "SELECT id, price FROM item ORDER BY id",
    );
    assert_eq!(found, ["1|2.0", "2|2.0", "3|2.0"]);
}

#[test]
fn names_are_those_that_somebody_says() {
    let found = settled(
        &format!("{ITEM}; CREATE VIEW v AS SELECT name, stock FROM item"),
        "ALTER TABLE item RENAME COLUMN name TO title; UPDATE item SET title = 'PEN' WHERE id = 1",
        "ALTER TABLE item RENAME COLUMN name TO label; UPDATE item SET stock = 9 WHERE id = 1",
        &["\"the name\""],
        "SELECT id, item.\"the name\", stock FROM item JOIN v USING (stock) ORDER BY id",
    );
    assert_eq!(found, ["1|PEN|9", "2|ink|2", "3|pad|3"]);
    let found = settled(
        &format!("{ITEM}; CREATE VIEW v AS SELECT name FROM item"),
        "ALTER TABLE item RENAME TO thing; INSERT INTO thing VALUES (4, 'cap', 4)",
        "ALTER TABLE item RENAME TO goods; DELETE FROM goods WHERE id = 1",
        &["article"],
        "SELECT id, name FROM article NATURAL JOIN v ORDER BY id",
    );
    assert_eq!(found, ["2|ink", "3|pad", "4|cap"]);
}

#[test]
fn two_things_of_one_name_get_two_names() {
    for (one, other, query, expected) in [
        (
            "ALTER TABLE item RENAME TO new",
            "CREATE TABLE new(x); INSERT INTO new VALUES (7); CREATE VIEW v AS SELECT x FROM new",
            "SELECT name FROM sqlite_schema WHERE name LIKE 'new%' ORDER BY 1",
            2,
        ),
        (
            "ALTER TABLE item ADD COLUMN price DEFAULT 1",
            "ALTER TABLE item RENAME COLUMN stock TO price",
            "SELECT name FROM pragma_table_info('item') WHERE name LIKE 'new%' OR name = 'price'",
            2,
        ),
        (
            "CREATE INDEX new ON item(name)",
            "ALTER TABLE item RENAME TO new",
            "SELECT name FROM sqlite_schema WHERE name LIKE 'new%' ORDER BY 1",
            2,
        ),
    ] {
        for (on_main, on_dev) in [(one, other), (other, one)] {
            let session = open(ITEM, on_main, on_dev);
            session.execute("RESOLVE CONFLICT 1 WITH DEFINITION newer").unwrap();
            let merged = rows(&session, "CONTINUE MERGE");
            assert!(merged[0].starts_with("merged|"), "{merged:?}");
            assert!(merged[0].ends_with("|0|1|0"), "{merged:?}");
            assert_eq!(rows(&session, query).len(), expected, "{:?}", rows(&session, query));
            check_settled(&session, query);
        }
    }
}

#[test]
fn a_constraint_is_what_somebody_says() {
    let found = settled(
        ITEM,
        "ALTER TABLE item DROP CONSTRAINT some; ALTER TABLE item ADD CONSTRAINT some
         CHECK (stock > 0)",
        "ALTER TABLE item DROP CONSTRAINT some; ALTER TABLE item ADD CONSTRAINT some
         CHECK (stock < 100); INSERT INTO item VALUES (4, 'cap', 99)",
        &["CHECK (stock BETWEEN 1 AND 99)"],
        "SELECT sql LIKE '%CONSTRAINT some CHECK (stock BETWEEN 1 AND 99)%', sql LIKE '%<%',
         sql LIKE '%>%', (SELECT count(*) FROM item) FROM sqlite_schema WHERE name = 'item'",
    );
    assert_eq!(found, ["1|0|0|4"]);
    // One that needs a column that went.
    let found = settled(
        ITEM,
        "ALTER TABLE item DROP COLUMN name",
        "ALTER TABLE item ADD CONSTRAINT named CHECK (name <> '' AND stock < 50)",
        &["CONSTRAINT named CHECK (stock < 50)"],
        "SELECT sql LIKE '%CONSTRAINT named CHECK (stock < 50)%' FROM sqlite_schema
         WHERE name = 'item'",
    );
    assert_eq!(found, ["1"]);
    // A foreign key without a name.
    let found = settled(
        &format!(
            "{ITEM}; CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(id INTEGER PRIMARY
         KEY); CREATE TABLE c(id INTEGER PRIMARY KEY)"
        ),
        "ALTER TABLE item ADD COLUMN p REFERENCES a(id)",
        "ALTER TABLE item ADD COLUMN p REFERENCES b(id)",
        &["FOREIGN KEY (p) REFERENCES c(id) ON DELETE SET NULL"],
        "SELECT \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list('item')",
    );
    assert_eq!(found, ["c|p|id|SET NULL"]);
}

#[test]
fn views_indexes_and_triggers_are_what_somebody_says() {
    let found = settled(
        ITEM,
        "CREATE VIEW v AS SELECT id FROM item",
        "CREATE VIEW v AS SELECT name FROM item; CREATE VIEW w AS SELECT * FROM v",
        &["CREATE VIEW v AS SELECT id, name FROM item WHERE id < 3"],
        "SELECT * FROM w ORDER BY 1",
    );
    assert_eq!(found, ["1|pen", "2|ink"]);
    let found = settled(
        ITEM,
        "CREATE INDEX i ON item(stock); UPDATE item SET stock = 7 WHERE id = 1",
        "CREATE INDEX i ON item(name); INSERT INTO item VALUES (4, 'cap', 4)",
        &["CREATE UNIQUE INDEX i ON item(name, stock DESC) WHERE stock > 1"],
        "SELECT name, stock FROM item INDEXED BY i WHERE stock > 1 AND name > '' ORDER BY 1",
    );
    assert_eq!(found, ["cap|4", "ink|2", "pad|3", "pen|7"]);
    let found = settled(
        &format!("{ITEM}; CREATE TABLE log(x); CREATE TRIGGER t AFTER DELETE ON item BEGIN INSERT
         INTO log VALUES (OLD.id); END"),
        "DROP TRIGGER t; CREATE TRIGGER t AFTER DELETE ON item BEGIN INSERT INTO log VALUES (1);
         END",
        "ALTER TABLE item RENAME COLUMN name TO title; DROP TRIGGER t; CREATE TRIGGER t AFTER INSERT
         ON item BEGIN INSERT INTO log VALUES (NEW.title); END",
        &["CREATE TRIGGER t AFTER UPDATE OF title ON item BEGIN INSERT INTO log VALUES ('it''s ' ||
           NEW.title); END"],
        "SELECT sql FROM sqlite_schema WHERE name = 't'",
    );
    assert!(found[0].contains("'it''s ' ||"), "{found:?}");
}

#[test]
fn what_mentions_a_dropped_thing_is_what_somebody_says() {
    for (made, said, query, expected) in [
        (
            "CREATE VIEW v AS SELECT id, name FROM item",
            "CREATE VIEW v AS SELECT id FROM item",
            "SELECT * FROM v",
            vec!["1", "2", "3"],
        ),
        (
            "CREATE INDEX i ON item(name, stock)",
            "CREATE INDEX i ON item(stock)",
            "SELECT id FROM item INDEXED BY i WHERE stock > 1",
            vec!["2", "3"],
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON item BEGIN SELECT NEW.name; END",
            "CREATE TRIGGER t AFTER UPDATE ON item BEGIN SELECT NEW.id; END",
            "SELECT sql LIKE '%NEW.id;%' FROM sqlite_schema WHERE name = 't'",
            vec!["1"],
        ),
    ] {
        let found = settled(ITEM, "ALTER TABLE item DROP COLUMN name", made, &[said], query);
        assert_eq!(found, expected);
    }
    // One that nobody finds but by using it.
    let found = settled(
        &format!("{ITEM}; CREATE TABLE box(id INTEGER PRIMARY KEY, size)"),
        "CREATE VIEW v AS SELECT name, size FROM item, box",
        "ALTER TABLE box ADD COLUMN name",
        &["CREATE VIEW v AS SELECT item.name, size FROM item, box"],
        "SELECT count(*) FROM v",
    );
    assert_eq!(found, ["0"]);
}

#[test]
fn what_one_side_dropped_comes_back_as_somebody_says() {
    let found = settled(
        ITEM,
        "DROP TABLE item",
        "UPDATE item SET stock = 8 WHERE id = 2",
        &["CREATE TABLE item(id INTEGER PRIMARY KEY, stock TEXT NOT NULL, more INT DEFAULT 5,
           UNIQUE (stock))"],
        "SELECT id, stock, typeof(stock), more FROM item ORDER BY stock",
    );
    assert_eq!(found, ["1|1|text|5", "3|3|text|5", "2|8|text|5"]);
    let found = settled(
        ITEM,
        "ALTER TABLE item DROP COLUMN name",
        "ALTER TABLE item RENAME COLUMN name TO title",
        &["title TEXT COLLATE NOCASE NOT NULL DEFAULT '?'"],
        "SELECT id, title, title = upper(title) FROM item ORDER BY id",
    );
    assert_eq!(found, ["1|pen|1", "2|ink|1", "3|pad|1"]);
}

#[test]
fn a_table_that_both_added_is_what_somebody_says() {
    let found = settled(
        "CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2)",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT UNIQUE); CREATE INDEX i ON t(a);
         INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, c INT REFERENCES p(id),
         d INT AS (c * 2));
         CREATE INDEX j ON t(c); INSERT INTO t(id, a, c) VALUES (2, '20', 1), (3, 'z', 2)",
        &["CREATE TABLE t(c INT REFERENCES p(id), id INTEGER PRIMARY KEY, b TEXT DEFAULT 'none',
           a TEXT COLLATE NOCASE, e INT NOT NULL DEFAULT 4, d INT AS (c * 2 + e), UNIQUE (a, c))
           STRICT"],
        "SELECT id, a, b, c, d, e FROM t ORDER BY id",
    );
    assert_eq!(found, ["1|10|x|NULL|NULL|4", "2|20|y|1|6|4", "3|z|none|2|8|4"]);
}

#[test]
fn what_a_definition_cannot_be_is_refused_where_it_is_said() {
    let session = open(
        ITEM,
        "ALTER TABLE item ADD COLUMN price INT; CREATE VIEW v AS SELECT 1;
         CREATE TABLE t(id INTEGER PRIMARY KEY, a, g AS (a)); ALTER TABLE item RENAME COLUMN name TO
         title; UPDATE item SET stock = 5; CREATE INDEX i ON item(id)",
        "ALTER TABLE item ADD COLUMN price TEXT; CREATE VIEW v AS SELECT 2;
         CREATE TABLE t(id INTEGER PRIMARY KEY, b); ALTER TABLE item RENAME COLUMN name TO label;
         CREATE INDEX i ON item(stock); UPDATE t SET b = 1",
    );
    let listed = "SELECT conflict_id, object_name, column_name, resolution FROM pando_conflicts";
    let (name, price, t, v, i) = (1, 2, 3, 4, 5);
    assert_eq!(
        rows(&session, listed),
        [
            "1|item|title|NULL",
            "2|item|price|NULL",
            "3|t|NULL|NULL",
            "4|v|NULL|NULL",
            "5|i|NULL|NULL"
        ]
    );
    for (number, definition, part) in [
        (name, "", "incomplete input"),
        (name, "a b", "near \"b\""),
        (price, "price REAL NOT", "incomplete"),
        (price, "price REAL PRIMARY KEY", "has no PRIMARY KEY"),
        (price, "price INT REFERENCES v(id)", "has no REFERENCES"),
        (price, "stock INT", "different columns of this name"),
        (name, "stock", "different columns of this name"),
        (price, "price INT AS (absent * 2)", "no such column: absent"),
        (price, "price INT CHECK (absent > 0)", "no such column: absent"),
        (t, "CREATE VIEW t AS SELECT 1", "that of the view t"),
        (t, "CREATE TABLE u(a)", "that of the table u"),
        (t, "CREATE TABLE temp.t(a)", "another database"),
        (t, "CREATE TABLE t AS SELECT 1", "lists its columns"),
        (t, "CREATE TABLE t(a, id)", "another primary key"),
        (t, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, g)", "computes the column g"),
        (t, "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)", "AUTOINCREMENT counter"),
        (t, "CREATE TABLE t(id INTEGER PRIMARY KEY, CHECK (x > 0))", "no such column: x"),
        (t, "DROP TABLE t", "is a CREATE statement"),
        (t, "CREATE TABLE t(id INTEGER PRIMARY KEY); SELECT 1", "one CREATE statement"),
        (v, "CREATE VIEW v AS SELEKT 1", "near \"SELEKT\""),
        (v, "CREATE VIEW w AS SELECT 1", "that of the view w"),
        (v, "CREATE VIEW v AS SELECT absent FROM item", "no such column: absent"),
        (i, "CREATE INDEX i ON absent(id)", "no such table: absent"),
        (i, "CREATE INDEX i ON item(absent)", "no such column: absent"),
    ] {
        let definition = definition.replace('\'', "''");
        let sql = format!("RESOLVE CONFLICT {number} WITH DEFINITION '{definition}'");
        let told = error(&session, &sql);
        assert!(told.contains(part), "{sql}: {told}");
    }
    assert_eq!(
        rows(&session, "SELECT count(*) FROM pando_conflicts WHERE resolution IS NULL"),
        ["5"]
    );
    let many = error(&session, "RESOLVE CONFLICTS WITH DEFINITION 'x'");
    assert!(many.contains("one conflict at a time"), "{many}");
    // The place is that in the statement, behind quotes that are written twice.
    let sql = "RESOLVE CONFLICT 2 WITH DEFINITION 'price TEXT DEFAULT ''a'' NUT NULL'";
    let place = session.query(sql).map(|_| ()).unwrap_err().span().unwrap();
    assert_eq!(place.of(sql), "NUT");
    let sql = "RESOLVE CONFLICT 4 WITH DEFINITION CREATE VIEW w AS SELECT 1";
    let place = session.query(sql).map(|_| ()).unwrap_err().span().unwrap();
    assert_eq!(place.of(sql), "w");
}

#[test]
fn a_definition_that_no_longer_fits_is_open_again() {
    let session = open(
        ITEM,
        "CREATE VIEW v AS SELECT 1; CREATE TABLE free(x); UPDATE item SET stock = 5 WHERE id = 1",
        "CREATE VIEW v AS SELECT 2; UPDATE item SET stock = 6 WHERE id = 1",
    );
    session
        .execute(
            "RESOLVE CONFLICT 1 WITH DEFINITION 'CREATE VIEW v AS SELECT x FROM free';
             ALTER TABLE free RENAME COLUMN x TO y",
        )
        .unwrap();
    let before = rows(&session, "SELECT sql FROM sqlite_schema");
    let told = error(&session, "CONTINUE MERGE");
    assert!(told.contains("the definition cannot be used: no such column: x"), "{told}");
    assert_eq!(rows(&session, "SELECT sql FROM sqlite_schema"), before);
    let listed = "SELECT conflict_id, kind, object_name, resolution FROM pando_conflicts";
    assert_eq!(rows(&session, listed), ["1|schema|v|NULL", "2|data|item|NULL"]);
    session
        .execute(
            "RESOLVE CONFLICT 1 WITH DEFINITION CREATE VIEW v AS SELECT y FROM free;
             RESOLVE CONFLICT 2 WITH VALUE 7",
        )
        .unwrap();
    assert_eq!(
        rows(&session, listed),
        ["1|schema|v|DEFINITION 'CREATE VIEW v AS SELECT y FROM free'", "2|data|item|VALUE 7"]
    );
    rows(&session, "CONTINUE MERGE");
    assert_eq!(rows(&session, "SELECT stock FROM item WHERE id = 1"), ["7"]);
    check_settled(&session, "SELECT count(*) FROM v");
}

#[test]
fn indexes_follow_the_collation_that_wins() {
    let base = "CREATE TABLE item(id INTEGER PRIMARY KEY); INSERT INTO item VALUES (1), (2), (3)";
    let ours = "ALTER TABLE item ADD COLUMN tag TEXT; CREATE INDEX by_tag ON item(tag);
        UPDATE item SET tag = CASE id WHEN 1 THEN 'B' WHEN 2 THEN 'a' ELSE 'C' END";
    let theirs = "ALTER TABLE item ADD COLUMN tag TEXT COLLATE NOCASE";
    let query = "SELECT id FROM item INDEXED BY by_tag WHERE tag >= 'A' ORDER BY tag";
    let found = settled(base, ours, theirs, &["tag TEXT COLLATE NOCASE DEFAULT ''"], query);
    assert_eq!(found, ["2", "1", "3"]);
    // Where a side wins it is the same.
    let session = open(base, ours, theirs);
    session.execute("RESOLVE CONFLICTS WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, query), ["2", "1", "3"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn definitions_in_conflicts_are_what_was_written() {
    let session = open(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t(b);
         CREATE VIEW v AS SELECT a FROM t",
        "DROP INDEX i; CREATE INDEX i ON t(b DESC); ALTER TABLE t RENAME b TO ours;
         DROP VIEW v; CREATE VIEW v AS SELECT ours /* here */ FROM t;
         CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 1; END",
        "DROP INDEX i; CREATE INDEX i ON t(a, b); DROP VIEW v; CREATE VIEW v AS SELECT  b FROM t;
         CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 2; END",
    );
    let shown = "SELECT object_name, base, ours, theirs FROM pando_conflicts ORDER BY 1";
    // The view is the same on both: the column has another name on one of them.
    assert_eq!(
        rows(&session, shown),
        [
            "i|NULL|'CREATE INDEX i ON t(ours DESC)'|'CREATE INDEX i ON t(a, b)'",
            "r|NULL|'CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 1; END'\
             |'CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 2; END'",
        ]
    );
}

/// Rows that have no value for a column read one that is the same for all.
#[test]
fn a_default_that_is_computed_fills_no_rows() {
    let added = ["ADD COLUMN p INT DEFAULT 5", "ADD COLUMN p TEXT NOT NULL DEFAULT 'z'"]
        .map(|change| format!("ALTER TABLE item {change}"));
    let made = "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 2)";
    let both = [made.to_owned(), "CREATE TABLE t(id INTEGER PRIMARY KEY, b)".to_owned()];
    for (sides, definition) in [
        (&added, "p INT DEFAULT (1 + 1)"),
        (&added, "p INT DEFAULT CURRENT_TIMESTAMP"),
        (&added, "p INT DEFAULT (abs(-7))"),
        (&both, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c DEFAULT (1 + 1))"),
        (&both, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b DEFAULT (1 + 1))"),
    ] {
        for (on_main, on_dev) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
            let session = open(ITEM, on_main, on_dev);
            let told =
                error(&session, &format!("RESOLVE CONFLICT 1 WITH DEFINITION '{definition}'"));
            assert!(told.contains("with non-constant default"), "{definition}: {told}");
        }
    }
    // All rows have a value, or there are none.
    for (on_main, on_dev) in [(&both[0], &both[1]), (&both[1], &both[0])] {
        let session = open(ITEM, on_main, on_dev);
        let definition = "CREATE TABLE t(id INTEGER PRIMARY KEY, a DEFAULT (1 + 1))";
        let told = rows(
            &session,
            &format!("RESOLVE CONFLICT 1 WITH DEFINITION '{definition}'; CONTINUE MERGE"),
        );
        assert!(told.last().unwrap().starts_with("merged|"), "{told:?}");
        session.execute("INSERT INTO t(id) VALUES (2)").unwrap();
        assert_eq!(rows(&session, "SELECT * FROM t ORDER BY 1"), ["1|2", "2|2"]);
    }
}

/// A foreign key finds a key of its parent, whichever of the two somebody defines.
#[test]
fn a_definition_that_leaves_a_foreign_key_without_its_parent_is_refused() {
    let one = "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT UNIQUE);
        CREATE TABLE c(r INT REFERENCES t(a))";
    let other = "CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT)";
    let base = "CREATE TABLE p1(id INTEGER PRIMARY KEY); CREATE TABLE item(id INTEGER PRIMARY KEY)";
    let key = "ALTER TABLE item ADD COLUMN r REFERENCES p1(id)";
    let other_key = "ALTER TABLE item ADD COLUMN r REFERENCES item(id)";
    for (one, other, wrong, right) in [
        (
            one,
            other,
            vec![
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT)",
                "CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT)",
            ],
            "CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT, a INT UNIQUE)",
        ),
        (
            key,
            other_key,
            vec!["FOREIGN KEY (r) REFERENCES p1(nn)"],
            "FOREIGN KEY (r) REFERENCES p1(id) ON DELETE CASCADE",
        ),
    ] {
        for (on_main, on_dev) in [(one, other), (other, one)] {
            let session = open(base, on_main, on_dev);
            for definition in &wrong {
                let sql = format!("RESOLVE CONFLICT 1 WITH DEFINITION '{definition}'");
                let told = error(&session, &sql);
                assert!(told.contains("foreign key mismatch"), "{definition}: {told}");
            }
            session
                .execute(&format!("RESOLVE CONFLICT 1 WITH DEFINITION '{right}'; CONTINUE MERGE"))
                .unwrap();
        }
    }
    // What fitted when it was said is open again where a new key does not find its parent.
    let unique = "CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT UNIQUE)";
    let session = open(base, unique, "CREATE TABLE t(id INTEGER PRIMARY KEY, d TEXT)");
    session
        .execute(&format!(
            "RESOLVE CONFLICT 1 WITH DEFINITION '{other}'; CREATE TABLE c(r TEXT REFERENCES t(b))"
        ))
        .unwrap();
    let told = error(&session, "CONTINUE MERGE");
    assert!(told.contains("cannot be used: foreign key mismatch"), "{told}");
    assert_eq!(rows(&session, "SELECT resolution FROM pando_conflicts"), ["NULL"]);
}

/// A definition says nothing of a column that was not there when it was given.
#[test]
fn a_definition_does_not_drop_a_column_that_is_younger() {
    let session = open(
        "CREATE TABLE p(id INTEGER PRIMARY KEY)",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1)",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b); INSERT INTO t VALUES (2, 'x', 3)",
    );
    let first =
        "RESOLVE CONFLICT 1 WITH DEFINITION 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)'";
    session.execute(&format!("{first}; ALTER TABLE t ADD COLUMN late INT DEFAULT 5")).unwrap();
    let session = reopened(session);
    let told = error(&session, "CONTINUE MERGE");
    assert!(told.contains("the target got the column late since it was given"), "{told}");
    assert_eq!(rows(&session, "SELECT * FROM t"), ["1|1|5"]);
    // Who knows of it may leave it out, or keep it.
    session.execute(&format!("CREATE BRANCH again; {first}; CONTINUE MERGE")).unwrap();
    assert_eq!(rows(&session, "SELECT * FROM t ORDER BY id"), ["1|1", "2|x"]);
    let session = open(
        "CREATE TABLE p(id INTEGER PRIMARY KEY)",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1)",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b); INSERT INTO t VALUES (2, 'x', 3)",
    );
    session
        .execute(
            "RESOLVE CONFLICT 1 WITH DEFINITION 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, late
             INT DEFAULT 5)'; ALTER TABLE t ADD COLUMN late INT DEFAULT 7; CONTINUE MERGE",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id, a FROM t ORDER BY id"), ["1|1", "2|x"]);
}

#[test]
fn conflicts_show_constraints_and_computed_columns_as_they_were_written() {
    let session = open(
        "CREATE TABLE item(id INTEGER PRIMARY KEY, Stock INT, g AS (Stock + 1),
             CONSTRAINT some CHECK (Stock  < 9))",
        "ALTER TABLE item DROP CONSTRAINT some; ALTER TABLE item ADD CONSTRAINT some
             CHECK (Stock  <> 7); ALTER TABLE item ADD COLUMN h AS (Stock || 'A')",
        "ALTER TABLE item DROP CONSTRAINT some; ALTER TABLE item ADD CONSTRAINT some
             CHECK (Stock  <> 8); ALTER TABLE item ADD COLUMN h AS (Stock || 'B')",
    );
    let told = rows(&session, "SHOW CONFLICTS").join("\n");
    for said in [
        "CHECK (Stock  < 9)",
        "CHECK (Stock  <> 7)",
        "CHECK (Stock  <> 8)",
        "AS (Stock || ''A'')",
        "AS (Stock || ''B'')",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("{c"), "{told}");
}

#[test]
fn a_merge_makes_no_table_wider_than_tables_may_be() {
    for (on_main, on_dev) in [("b", "c"), ("c", "b")] {
        let session = session();
        session
            .execute(&format!(
                "CREATE TABLE wide(id INTEGER PRIMARY KEY, a); CREATE BRANCH dev;
                 CREATE BRANCH old; INSERT INTO wide@old VALUES (1, 2);
                 USE BRANCH dev; ALTER TABLE wide ADD COLUMN {on_dev}; USE BRANCH main;
                 ALTER TABLE wide ADD COLUMN {on_main}; PRAGMA limit_column = 3"
            ))
            .unwrap();
        let refused = error(&session, "MERGE BRANCH dev INTO main");
        assert!(refused.starts_with("too many columns on wide: 4 of both sides"), "{refused}");
        assert_eq!(rows(&session, "SELECT count(*) FROM pragma_table_info('wide')"), ["3"]);
        // What one side has already is no matter of the merge.
        session.execute("PRAGMA limit_column = 2").unwrap();
        rows(&session, "MERGE BRANCH main INTO old");
        session.execute("PRAGMA limit_column = 4").unwrap();
        assert_eq!(rows(&session, "SELECT * FROM wide@old").len(), 1);
        rows(&session, "MERGE BRANCH dev INTO main");
        assert_eq!(rows(&session, "SELECT count(*) FROM pragma_table_info('wide')"), ["4"]);
    }
}
