//! The published rules of merging (`docs/merging.md`), said in SQL, each in both directions.
//!
//! The branch crate tests the same rules on shapes; here every pair of changes goes through the
//! parser, the catalog, the engine's own writers and indexes. Whatever a pair comes to, the check
//! of the whole database is clean, and which branch is called ours makes no difference.
//! Neighbours: the branch crate's `merge::tests`.

use super::{rows, session};
use crate::session::Session;

/// What a pair of changes leads to.
enum Outcome {
    /// Both directions give these rows for the query.
    Rows(&'static str, &'static [&'static str]),
    /// A conflict of this kind, whose text says this.
    Conflict(&'static str, &'static str),
}
use Outcome::{Conflict, Rows};

/// What is there before: a table with an index, a view, a trigger and a row that others change.
const BASE: &str =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT, CONSTRAINT positive CHECK (a > 0));
    CREATE TABLE log(what);
    INSERT INTO t VALUES (1, 10, 20), (2, 11, 21), (3, 12, 22);
    CREATE INDEX t_b ON t(b); CREATE VIEW v AS SELECT a FROM t;
    CREATE TRIGGER tr AFTER DELETE ON t BEGIN INSERT INTO log VALUES (OLD.id); END;
    CREATE TABLE j(id INTEGER PRIMARY KEY, doc JSON);
    INSERT INTO j VALUES (1, '{\"x\":1,\"y\":{\"z\":1},\"list\":[1,2]}');
    CREATE TABLE g(id INTEGER PRIMARY KEY, a INT, twice INT AS (a * 2) STORED, b INT);
    INSERT INTO g VALUES (1, 1, 5);
    CREATE TABLE free(x, y); INSERT INTO free VALUES ('base', 0);
    CREATE TABLE named(name TEXT PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO named VALUES ('n', 1);
    CREATE TABLE keyed(name TEXT PRIMARY KEY, x); INSERT INTO keyed VALUES ('k', 1);
    CREATE TABLE parent(id INTEGER PRIMARY KEY, u INT UNIQUE);
    CREATE TABLE child(id INTEGER PRIMARY KEY, p INT NOT NULL REFERENCES parent(id));
    INSERT INTO parent VALUES (1, 1), (2, 2); INSERT INTO child VALUES (1, 1);";

const T: &str = "SELECT * FROM t ORDER BY id";

/// One side, the other side, and what comes of it.
const RULES: &[(&str, &str, Outcome)] = &[
    // Rows.
    ("", "UPDATE t SET a = 1 WHERE id = 1", Rows(T, &["1|1|20", "2|11|21", "3|12|22"])),
    (
        "UPDATE t SET a = 1 WHERE id = 1",
        "UPDATE t SET a = 1 WHERE id = 1",
        Rows(T, &["1|1|20", "2|11|21", "3|12|22"]),
    ),
    (
        "UPDATE t SET a = 1 WHERE id = 1",
        "UPDATE t SET b = 2 WHERE id = 1",
        Rows(T, &["1|1|2", "2|11|21", "3|12|22"]),
    ),
    (
        "UPDATE t SET a = 1 WHERE id = 1",
        "UPDATE t SET a = 2 WHERE id = 1",
        Conflict("data", "both branches changed a"),
    ),
    (
        "UPDATE j SET doc = json_set(doc, '$.x', 2)",
        "UPDATE j SET doc = json_set(doc, '$.y.z', 3)",
        Rows("SELECT doc ->> 'x', doc ->> '$.y.z' FROM j", &["2|3"]),
    ),
    (
        "UPDATE j SET doc = json_set(doc, '$.x', 2)",
        "UPDATE j SET doc = json_set(doc, '$.x', 3)",
        Conflict("data", "both branches changed doc"),
    ),
    (
        "UPDATE j SET doc = json_set(doc, '$.list[0]', 2)",
        "UPDATE j SET doc = json_set(doc, '$.list[1]', 3)",
        Conflict("data", "both branches changed doc"),
    ),
    ("DELETE FROM t WHERE id = 1", "", Rows(T, &["2|11|21", "3|12|22"])),
    ("DELETE FROM t WHERE id = 1", "DELETE FROM t WHERE id = 1", Rows(T, &["2|11|21", "3|12|22"])),
    (
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET a = 2 WHERE id = 1",
        Conflict("delete/modify", "deleted the row"),
    ),
    // The row was only stored anew: a column came, and went through every row.
    (
        "DELETE FROM t WHERE id = 1",
        "ALTER TABLE t ADD COLUMN c INT DEFAULT 7",
        Rows(T, &["2|11|21|7", "3|12|22|7"]),
    ),
    (
        "ALTER TABLE g DROP COLUMN b",
        "UPDATE g SET b = 6",
        Conflict("delete/modify", "dropped the column b"),
    ),
    (
        "ALTER TABLE g DROP COLUMN b",
        "INSERT INTO g VALUES (2, 2, 6)",
        Rows("SELECT * FROM g ORDER BY id", &["1|1|2", "2|2|4"]),
    ),
    (
        "INSERT INTO t VALUES (4, 1, 1)",
        "INSERT INTO t VALUES (4, 1, 1)",
        Rows("SELECT * FROM t WHERE id > 3", &["4|1|1"]),
    ),
    (
        "INSERT INTO t VALUES (4, 1, 1)",
        "INSERT INTO t VALUES (4, 1, 2)",
        Conflict("data", "both branches inserted the row"),
    ),
    (
        "ALTER TABLE t ADD COLUMN c INT DEFAULT 7; INSERT INTO t VALUES (4, 1, 1, 5)",
        "INSERT INTO t VALUES (4, 1, 1), (5, 1, 1)",
        Rows("SELECT * FROM t WHERE id > 2 ORDER BY 1", &["3|12|22|7", "4|1|1|5", "5|1|1|7"]),
    ),
    ("UPDATE g SET a = 3", "UPDATE g SET b = 6", Rows("SELECT * FROM g", &["1|3|6|6"])),
    (
        "INSERT INTO free VALUES ('one', 1)",
        "INSERT INTO free VALUES ('other', 2)",
        Rows("SELECT * FROM free ORDER BY y", &["base|0", "one|1", "other|2"]),
    ),
    (
        "INSERT INTO named VALUES ('m', 1)",
        "INSERT INTO named VALUES ('m', 2)",
        Conflict("data", "both branches inserted the row"),
    ),
    (
        "INSERT INTO keyed VALUES ('x', 0), ('m', 1)",
        "INSERT INTO keyed VALUES ('m', 1), ('y', 0)",
        Rows("SELECT name FROM keyed ORDER BY 1", &["k", "m", "x", "y"]),
    ),
    (
        "INSERT INTO keyed VALUES ('x', 0), ('m', 1)",
        "INSERT INTO keyed VALUES ('m', 2)",
        Conflict("data", "both branches inserted the row"),
    ),
    // What only the merge breaks.
    (
        "CREATE UNIQUE INDEX new ON t(b)",
        "INSERT INTO t VALUES (4, 1, 20)",
        Conflict("constraint", "UNIQUE"),
    ),
    (
        "ALTER TABLE t ADD CHECK (b < 90)",
        "INSERT INTO t VALUES (4, 1, 90)",
        Conflict("constraint", "CHECK"),
    ),
    (
        "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
        "UPDATE t SET b = NULL WHERE id = 2",
        Conflict("constraint", "NOT NULL"),
    ),
    (
        "ALTER TABLE t ADD COLUMN c INT DEFAULT 50 CHECK (c > b)",
        "UPDATE t SET b = 60 WHERE id = 2",
        Conflict("constraint", "CHECK"),
    ),
    (
        "ALTER TABLE t RENAME COLUMN b TO x",
        "CREATE VIEW w AS SELECT b, x FROM t, free",
        Conflict("schema", "ambiguous"),
    ),
    (
        "INSERT INTO parent VALUES (8, 7)",
        "INSERT INTO parent VALUES (9, 7)",
        Conflict("constraint", "UNIQUE"),
    ),
    (
        "DELETE FROM parent WHERE id = 2",
        "INSERT INTO child VALUES (5, 2)",
        Conflict("constraint", "refers to no row of parent"),
    ),
    (
        "UPDATE parent SET u = 9 WHERE id = 1; UPDATE parent SET u = 1 WHERE id = 2",
        "UPDATE parent SET id = 20 WHERE id = 2",
        Conflict("delete/modify", "deleted the row"),
    ),
    // Objects.
    (
        "CREATE TABLE new(id INTEGER PRIMARY KEY, x); INSERT INTO new VALUES (1, 1)",
        "CREATE TABLE New(id INTEGER PRIMARY KEY, x); INSERT INTO New VALUES (1, 1), (2, 2)",
        Rows("SELECT * FROM new", &["1|1", "2|2"]),
    ),
    (
        "CREATE TABLE new(id INTEGER PRIMARY KEY, x)",
        "CREATE TABLE new(id INTEGER PRIMARY KEY, y)",
        Conflict("schema", "different definitions"),
    ),
    ("DROP TABLE free", "DROP TABLE free", Rows("PRAGMA table_info(free)", &[])),
    ("DROP TABLE free", "INSERT INTO free VALUES (1, 1)", Conflict("schema", "dropped the table")),
    ("DROP TABLE free", "ALTER TABLE free ADD COLUMN z", Conflict("schema", "dropped the table")),
    (
        "DROP TABLE free; CREATE TABLE free(z)",
        "UPDATE free SET y = 1",
        Conflict("schema", "another one of the same name"),
    ),
    (
        "DROP TABLE child; DROP TABLE parent; CREATE TABLE parent(z UNIQUE)",
        "UPDATE parent SET u = 9 WHERE id = 1",
        Conflict("schema", "another one of the same name"),
    ),
    (
        "DROP TABLE child; DROP TABLE parent; CREATE VIEW parent AS SELECT 1",
        "UPDATE parent SET u = 9 WHERE id = 1",
        Conflict("schema", "dropped the table"),
    ),
    (
        "DROP INDEX t_b; CREATE INDEX t_b ON j(doc)",
        "DROP INDEX t_b; CREATE INDEX t_b ON t(b, a)",
        Conflict("schema", "different definitions"),
    ),
    // What mentions something that a conflict is about is none of its own.
    (
        "DROP TABLE free",
        "UPDATE free SET y = 1; CREATE TRIGGER u AFTER DELETE ON free BEGIN SELECT 1; END;
         CREATE INDEX new ON free(y)",
        Conflict("schema", "dropped the table"),
    ),
    // Columns.
    (
        "ALTER TABLE t ADD COLUMN c INT",
        "ALTER TABLE t ADD COLUMN C int; UPDATE t SET c = 5 WHERE id = 1",
        Rows(T, &["1|10|20|5", "2|11|21|NULL", "3|12|22|NULL"]),
    ),
    (
        "ALTER TABLE t ADD COLUMN c INT",
        "ALTER TABLE t ADD COLUMN c TEXT",
        Conflict("schema", "different definitions"),
    ),
    (
        "ALTER TABLE t ADD COLUMN c INT DEFAULT 1",
        "ALTER TABLE t ADD COLUMN c INT DEFAULT 2",
        Conflict("schema", "different definitions"),
    ),
    (
        "ALTER TABLE g DROP COLUMN b",
        "ALTER TABLE g DROP COLUMN b",
        Rows("SELECT * FROM g", &["1|1|2"]),
    ),
    // Types and defaults.
    (
        "ALTER TABLE t ALTER b TYPE TEXT",
        "UPDATE t SET b = 5 WHERE id = 1; INSERT INTO t VALUES (4, 4, 4)",
        Rows(
            "SELECT id, typeof(b), b FROM t ORDER BY id",
            &["1|text|5", "2|text|21", "3|text|22", "4|text|4"],
        ),
    ),
    (
        "ALTER TABLE t ALTER b TYPE BIGINT",
        "ALTER TABLE t ALTER b TYPE SMALLINT; UPDATE t SET b = 5 WHERE id = 1",
        Rows(
            "SELECT b, (SELECT type FROM pragma_table_info('t') WHERE name = 'b') FROM t
             WHERE id = 1",
            &["5|BIGINT"],
        ),
    ),
    (
        "ALTER TABLE t ALTER b TYPE BIGINT",
        "ALTER TABLE t ALTER b TYPE NUMERIC; UPDATE t SET b = 5.5 WHERE id = 1",
        Rows("SELECT b FROM t WHERE id < 3", &["5.5", "21"]),
    ),
    (
        "ALTER TABLE t ALTER b SET DATA TYPE TEXT",
        "ALTER TABLE t ALTER b TYPE text",
        Rows("SELECT typeof(b) FROM t WHERE b = '20'", &["text"]),
    ),
    (
        "ALTER TABLE t ALTER b TYPE TEXT",
        "ALTER TABLE t ALTER b TYPE REAL",
        Conflict("schema", "different ways"),
    ),
    (
        "ALTER TABLE t ALTER b TYPE TEXT",
        "ALTER TABLE t ALTER b SET DEFAULT 5",
        Conflict("schema", "different ways"),
    ),
    (
        "DELETE FROM t WHERE id = 1",
        "ALTER TABLE t ALTER b TYPE TEXT",
        Rows("SELECT id, typeof(b) FROM t", &["2|text", "3|text"]),
    ),
    (
        "ALTER TABLE keyed ALTER name TYPE INT",
        "INSERT INTO keyed VALUES ('1', 1), ('1.0', 2)",
        Conflict("constraint", "UNIQUE"),
    ),
    (
        "ALTER TABLE keyed ALTER name TYPE INT; INSERT INTO keyed VALUES (7, 1)",
        "UPDATE keyed SET x = 2; INSERT INTO keyed VALUES ('7', 1), ('8', 2)",
        Rows(
            "SELECT typeof(name), name, x FROM keyed ORDER BY 2",
            &["integer|7|1", "integer|8|2", "text|k|2"],
        ),
    ),
    (
        "ALTER TABLE t ALTER b TYPE REAL; CREATE UNIQUE INDEX u ON t(b)",
        "INSERT INTO t VALUES (4, 4, '20.0')",
        Conflict("constraint", "UNIQUE"),
    ),
    (
        "ALTER TABLE t ALTER b SET DEFAULT 7; INSERT INTO t(id, a) VALUES (4, 4)",
        "INSERT INTO t(id, a) VALUES (5, 5); ALTER TABLE t ALTER a SET DEFAULT 8",
        Rows(
            "SELECT id, b, (SELECT group_concat(coalesce(dflt_value, '')) FROM
             pragma_table_info('t')) FROM t WHERE id > 3",
            &["4|7|,8,7", "5|NULL|,8,7"],
        ),
    ),
    (
        "ALTER TABLE t ALTER b SET DEFAULT 7",
        "ALTER TABLE t ALTER b SET DEFAULT 8",
        Conflict("schema", "different ways"),
    ),
    (
        "ALTER TABLE g ALTER b SET DEFAULT 7",
        "ALTER TABLE g DROP COLUMN b",
        Conflict("schema", "dropped the column"),
    ),
    (
        "ALTER TABLE t ADD COLUMN c INT DEFAULT 1; ALTER TABLE t ALTER c SET DEFAULT 2;
         INSERT INTO t(id, a) VALUES (4, 4)",
        "INSERT INTO t VALUES (5, 5, 5); UPDATE t SET a = 9 WHERE id = 2",
        Rows("SELECT id, a, c FROM t", &["1|10|1", "2|9|1", "3|12|1", "4|4|2", "5|5|2"]),
    ),
    (
        "ALTER TABLE g RENAME COLUMN b TO c",
        "ALTER TABLE g DROP COLUMN b",
        Conflict("schema", "dropped the column"),
    ),
    (
        "ALTER TABLE t RENAME COLUMN b TO c",
        "UPDATE t SET b = 5 WHERE id = 1; INSERT INTO t VALUES (4, 4, 4)",
        Rows("SELECT id, c FROM t ORDER BY 1", &["1|5", "2|21", "3|22", "4|4"]),
    ),
    (
        "ALTER TABLE t RENAME COLUMN b TO c",
        "ALTER TABLE t RENAME COLUMN b TO d",
        Conflict("schema", "different ways"),
    ),
    (
        "ALTER TABLE t RENAME COLUMN b TO c",
        "ALTER TABLE t ADD COLUMN c",
        Conflict("schema", "rename one"),
    ),
    (
        "ALTER TABLE t RENAME TO r",
        "UPDATE t SET b = 5 WHERE id = 1; ALTER TABLE t ADD COLUMN c DEFAULT 1;
         CREATE INDEX t_a ON t(a)",
        Rows("SELECT * FROM r WHERE a = 10", &["1|10|5|1"]),
    ),
    (
        "ALTER TABLE t RENAME TO r",
        "ALTER TABLE t RENAME TO s",
        Conflict("schema", "different ways"),
    ),
    // The name comes from something that goes.
    (
        "DROP TABLE keyed; ALTER TABLE named RENAME TO keyed",
        "UPDATE named SET x = 5",
        Rows("SELECT * FROM keyed", &["n|5"]),
    ),
    (
        "ALTER TABLE free DROP COLUMN x; ALTER TABLE free RENAME COLUMN y TO x",
        "INSERT INTO free(x, y) VALUES ('other', 5)",
        Rows("SELECT * FROM free ORDER BY 1", &["0", "5"]),
    ),
    (
        "ALTER TABLE free RENAME TO later; CREATE TABLE free(z); INSERT INTO free VALUES (7)",
        "UPDATE free SET y = 9",
        Rows("SELECT y, (SELECT z FROM free) FROM later", &["9|7"]),
    ),
    // Definitions follow names, whoever renamed.
    (
        "ALTER TABLE t RENAME COLUMN b TO c",
        "CREATE VIEW w AS SELECT b FROM t WHERE b > 20; CREATE INDEX t_ab ON t(a, b) WHERE b > 0;
         CREATE TRIGGER u AFTER UPDATE OF b ON t BEGIN INSERT INTO log VALUES (NEW.b); END;
         UPDATE t SET b = 99 WHERE id = 3",
        Rows("SELECT * FROM w ORDER BY 1", &["21", "99"]),
    ),
    (
        "ALTER TABLE t RENAME COLUMN a TO x; CREATE INDEX one ON t(x, b)",
        "ALTER TABLE t RENAME COLUMN b TO y; CREATE INDEX other ON t(a, y)",
        Rows("SELECT x, y FROM t WHERE x = 10 AND y = 20", &["10|20"]),
    ),
    (
        "ALTER TABLE t RENAME COLUMN a TO z; ALTER TABLE t RENAME COLUMN b TO a;
         ALTER TABLE t RENAME COLUMN z TO b",
        "UPDATE t SET b = 5 WHERE id = 1; CREATE VIEW w AS SELECT a, b FROM t",
        // The view names the same two columns as before, by the names that they have now.
        Rows(
            "SELECT t.a, t.b, w.a, w.b, (SELECT sql FROM sqlite_schema WHERE name = 'w')
             FROM t, w WHERE t.id = 1 AND w.a = 5",
            &["5|10|5|10|CREATE VIEW w AS SELECT b, a FROM t"],
        ),
    ),
    (
        "ALTER TABLE parent RENAME TO elder",
        "CREATE TABLE niece(id INTEGER PRIMARY KEY, e INT REFERENCES parent(id));
         INSERT INTO niece VALUES (1, 2); CREATE VIEW w AS SELECT count(*) FROM parent",
        Rows("SELECT * FROM w", &["2"]),
    ),
    (
        "ALTER TABLE free DROP COLUMN x",
        "ALTER TABLE free DROP COLUMN y",
        Conflict("schema", "one has to stay"),
    ),
    // Indexes, views and triggers.
    (
        "CREATE INDEX new ON t(a)",
        "CREATE INDEX NEW ON t ( a )",
        Rows("SELECT count(*) FROM pragma_index_list('t') WHERE name LIKE 'new'", &["1"]),
    ),
    (
        "CREATE INDEX new ON t(a)",
        "CREATE INDEX new ON t(b)",
        Conflict("schema", "different definitions"),
    ),
    (
        "DROP VIEW v; CREATE VIEW v AS SELECT a + 1 FROM t",
        "DROP VIEW v; CREATE VIEW v AS SELECT a + 2 FROM t",
        Conflict("schema", ""),
    ),
    (
        "DROP VIEW v",
        "DROP VIEW v",
        Rows("SELECT count(*) FROM sqlite_schema WHERE name = 'v'", &["0"]),
    ),
    (
        "DROP TRIGGER tr",
        "DELETE FROM t WHERE id = 3",
        Rows("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM log)", &["2|1"]),
    ),
    (
        "DROP INDEX t_b; ALTER TABLE t DROP COLUMN b",
        "CREATE INDEX other ON t(b, a)",
        Conflict("schema", "the other branch dropped"),
    ),
    (
        "CREATE INDEX new ON free(x)",
        "DROP TABLE free",
        Conflict("schema", "the other branch dropped"),
    ),
    (
        "CREATE VIEW w AS SELECT x FROM free",
        "DROP TABLE free",
        Conflict("schema", "the other branch dropped"),
    ),
    (
        "CREATE TRIGGER u AFTER INSERT ON free BEGIN SELECT 1; END",
        "DROP TABLE free",
        Conflict("schema", "the other branch dropped"),
    ),
    // Settings.
    ("PRAGMA user_version = 5", "", Rows(SETTINGS, &["5|0"])),
    ("PRAGMA user_version = 5", "PRAGMA user_version = 5", Rows(SETTINGS, &["5|0"])),
    ("PRAGMA user_version = 5", "PRAGMA application_id = -6", Rows(SETTINGS, &["5|-6"])),
    (
        "PRAGMA user_version = 5",
        "PRAGMA user_version = 6; UPDATE t SET a = 1 WHERE id = 1",
        Conflict("schema", "both branches set it"),
    ),
    (
        "PRAGMA application_id = 5; ALTER TABLE t ADD COLUMN c INT",
        "PRAGMA application_id = 6; INSERT INTO free VALUES ('more', 1)",
        Conflict("schema", "both branches set it"),
    ),
];

const SETTINGS: &str =
    "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id";

fn checked(session: &Session, what: &str) {
    assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"], "{what}");
    assert_eq!(rows(session, "PRAGMA foreign_key_check"), [""; 0], "{what}");
}

/// The contents of all tables, and the definitions, in an order that both directions share.
fn contents(session: &Session) -> Vec<String> {
    let mut contents = Vec::new();
    for name in
        rows(session, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY lower(name)")
    {
        let columns = rows(
            session,
            &format!("SELECT name FROM pragma_table_info('{name}') ORDER BY lower(name)"),
        );
        let mut found = rows(session, &format!("SELECT {} FROM {name}", columns.join(", ")));
        found.sort();
        contents.push(format!("{}: {found:?}", name.to_lowercase()));
    }
    let rest =
        "SELECT type || ' ' || lower(name) FROM sqlite_schema WHERE type <> 'table' ORDER BY 1";
    contents.extend(rows(session, rest));
    for setting in ["user_version", "application_id"] {
        contents.extend(rows(session, &format!("PRAGMA {setting}")));
    }
    contents
}

fn prepared(one: &str, other: &str) -> Session {
    let session = session();
    session.execute(BASE).unwrap();
    session.execute("CREATE BRANCH one; CREATE BRANCH other; USE BRANCH one").unwrap();
    session.execute(one).unwrap_or_else(|error| panic!("{one}: {error:?}"));
    session.execute("USE BRANCH other").unwrap();
    session.execute(other).unwrap_or_else(|error| panic!("{other}: {error:?}"));
    session
}

/// Checks one rule in both directions.
fn check_rule((one, other, outcome): &(&str, &str, Outcome)) {
    let mut both = Vec::new();
    for (source, target) in [("other", "one"), ("one", "other")] {
        let what = format!("'{one}' and '{other}', {source} into {target}");
        let session = prepared(one, other);
        session.execute(&format!("USE BRANCH {target}")).unwrap();
        let before = contents(&session);
        let merge = format!("MERGE BRANCH {source} INTO {target}");
        match outcome {
            Rows(query, expected) => {
                session.execute(&merge).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                assert_eq!(rows(&session, query), *expected, "{what}");
                both.push(contents(&session));
            }
            Conflict(kind, words) => {
                assert!(session.execute(&merge).is_err(), "{what}");
                assert_eq!(contents(&session), before, "{what}");
                let manual = "WITH (conflict_resolution = 'manual')";
                session.execute(&format!("{merge} {manual}")).unwrap();
                let found = rows(&session, "SELECT kind, detail FROM pando_conflicts");
                assert!(found.iter().all(|it| it.starts_with(kind)), "{what}: {found:?}");
                assert!(found.iter().any(|it| it.contains(words)), "{what}: {found:?}");
                session.execute("ABORT MERGE").unwrap();
                assert_eq!(contents(&session), before, "{what}");
                both.push(vec![format!("{} conflicts", found.len())]);
            }
        }
        checked(&session, &what);
    }
    assert_eq!(both[0], both[1], "'{one}' and '{other}'");
}

#[test]
fn every_published_rule_holds_in_both_directions() {
    let broken = RULES.iter().filter(|rule| {
        let check = std::panic::AssertUnwindSafe(|| check_rule(rule));
        std::panic::catch_unwind(check).is_err()
    });
    let broken: Vec<_> = broken.map(|(one, other, _)| (one, other)).collect();
    assert!(broken.is_empty(), "{} of {} rules: {broken:#?}", broken.len(), RULES.len());
}

/// One side winning is the other one losing, and nothing but a conflict that no policy decides
/// stands in the way of either.
#[test]
fn policies_mirror_each_other_for_every_conflict() {
    for (one, other, outcome) in RULES {
        let Conflict(..) = outcome else { continue };
        let merged = |source: &str, target: &str, policy: &str| {
            let session = prepared(one, other);
            session.execute(&format!("USE BRANCH {target}")).unwrap();
            let merge = format!(
                "MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = '{policy}')"
            );
            let done = session.execute(&merge).map(drop);
            checked(&session, &format!("'{one}' and '{other}': {merge}"));
            done.map(|()| contents(&session)).map_err(|error| error.kind())
        };
        for (winner, loser) in [("one", "other"), ("other", "one")] {
            let theirs = merged(winner, loser, "source_wins");
            let ours = merged(loser, winner, "target_wins");
            assert_eq!(theirs, ours, "'{one}' and '{other}', {winner} wins");
            let refused = theirs.err();
            let is_said = refused.is_none_or(|kind| kind == crate::ErrorKind::MergeConflict);
            assert!(is_said, "'{one}' and '{other}', {winner} wins: {refused:?}");
        }
    }
}

/// Every row of the published tables names a test that is there.
#[test]
fn each_row_of_the_manual_has_its_test() {
    const MANUAL: &str = include_str!("../../../../../../docs/merging.md");
    const TESTS: &[&str] = &[
        include_str!("../../../../../branch/src/merge/tests/row_table.rs"),
        include_str!("../../../../../branch/src/merge/tests/schema_table.rs"),
        include_str!("../../../../../branch/src/merge/tests/laws.rs"),
        include_str!("broken.rs"),
        include_str!("constraints.rs"),
        include_str!("keys.rs"),
        include_str!("kept.rs"),
        include_str!("twice.rs"),
        include_str!("picks.rs"),
        include_str!("renumbered/mod.rs"),
        include_str!("renumbered/keyed.rs"),
        include_str!("renumbered/null_keys.rs"),
        include_str!("renumbered/replaced.rs"),
        include_str!("rules.rs"),
        include_str!("settled.rs"),
        include_str!("settling.rs"),
        include_str!("../mod.rs"),
        include_str!("../settings.rs"),
    ];
    let mut known = 0;
    for line in MANUAL.lines().filter(|line| line.starts_with("| ") && !line.contains("---")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let ([_, _, _, test] | [_, _, _, _, test]) = cells.as_slice() else { continue };
        if test.starts_with("test") {
            continue;
        }
        known += 1;
        let name = test.split('`').nth(1).unwrap_or(test).trim_end_matches('…');
        let is_there = match name {
            "same" => true,
            "schema_table.rs" => TESTS[1].contains("columns_follow_the_table_of_rules"),
            name => TESTS.iter().any(|text| text.contains(&format!("#[test]\nfn {name}"))),
        };
        assert!(is_there && !name.is_empty(), "no test for: {line}");
    }
    assert!(known > 40, "{known} rows");
}
