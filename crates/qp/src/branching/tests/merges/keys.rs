//! Foreign keys whose parent goes, or gives its name to another table.

use super::{rows, session};
use crate::session::Session;

/// Two branches of `base` with a change each.
fn parted(base: &str, on_dev: &str, on_main: &str) -> Session {
    let session = session();
    session
        .execute(&format!(
            "{base}; CREATE BRANCH dev; USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main}"
        ))
        .unwrap();
    session
}

fn definition(session: &Session, table: &str) -> String {
    let sql = format!("SELECT lower(sql) FROM sqlite_schema WHERE name = '{table}'");
    rows(session, &sql).concat().replace('"', "")
}

/// A key names its parent: where another table gets the name of a dropped one, it leads there, as
/// it does where both are done on one branch.
#[test]
fn a_key_keeps_the_name_that_another_table_takes() {
    let refers = "CREATE TABLE u(id INTEGER PRIMARY KEY, p INT REFERENCES w)";
    for (on_dev, on_main) in [(refers, "DROP TABLE w"), ("DROP TABLE w", refers)] {
        let session = parted("CREATE TABLE w(id INTEGER PRIMARY KEY)", on_dev, on_main);
        session.execute("MERGE BRANCH dev INTO main").unwrap();
        assert!(definition(&session, "u").contains("references w)"));
    }
    let base = "CREATE TABLE w(id INTEGER PRIMARY KEY); CREATE TABLE t(id INTEGER PRIMARY KEY, a)";
    let replaces = "DROP TABLE w; ALTER TABLE t RENAME TO w; INSERT INTO w VALUES (1, 10)";
    for (refers, is_whole) in [
        ("CREATE TABLE u(id INTEGER PRIMARY KEY, p INT REFERENCES w)", true),
        (
            "CREATE TABLE u(id INTEGER PRIMARY KEY, p INT REFERENCES w);
             INSERT INTO u VALUES (1, 1)",
            true,
        ),
        (
            "CREATE TABLE u(id INTEGER PRIMARY KEY, p INT REFERENCES w);
             INSERT INTO u VALUES (1, 2)",
            false,
        ),
    ] {
        for (on_dev, on_main) in [(refers, replaces), (replaces, refers)] {
            let session = parted(base, on_dev, on_main);
            let merged = session.execute("MERGE BRANCH dev INTO main");
            assert_eq!(merged.is_ok(), is_whole, "{on_dev} / {on_main}: {merged:?}");
            if is_whole {
                let sql = definition(&session, "u");
                assert!(sql.contains("references w)"), "{on_dev} / {on_main}: {sql}");
                assert_eq!(rows(&session, "SELECT * FROM w"), ["1|10"]);
                assert_eq!(rows(&session, "PRAGMA foreign_key_check"), [""; 0]);
            }
        }
    }
}

/// A parent that is gone is known by the name that is left of it: two names are a conflict.
#[test]
fn a_key_whose_parent_went_under_two_names_is_a_conflict() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY);
        CREATE TABLE u(id INTEGER PRIMARY KEY, p INT REFERENCES t)";
    let (renames, drops) = ("ALTER TABLE t RENAME TO w; DROP TABLE w", "DROP TABLE t");
    for (on_dev, on_main, theirs) in [(renames, drops, "w"), (drops, renames, "t")] {
        let session = parted(base, on_dev, on_main);
        let told = session.execute("MERGE BRANCH dev INTO main").unwrap_err().to_string();
        assert!(told.contains("1 conflict") && told.contains("schema u"), "{told}");
        for (policy, name) in
            [("source_wins", theirs), ("target_wins", if theirs == "w" { "t" } else { "w" })]
        {
            let session = parted(base, on_dev, on_main);
            session
                .execute(&format!(
                    "MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')"
                ))
                .unwrap();
            let sql = definition(&session, "u");
            assert!(sql.contains(&format!("references {name})")), "{policy}: {sql}");
        }
    }
    for both in [renames, drops] {
        let session = parted(base, both, both);
        session.execute("MERGE BRANCH dev INTO main").unwrap();
        assert_eq!(definition(&session, "u").matches("references").count(), 1);
    }
}

/// A key that only one side has and that needs a column which the other side dropped goes where a
/// side wins: it cannot be there.
#[test]
fn a_key_to_a_dropped_column_goes_where_a_side_wins() {
    let base =
        "CREATE TABLE p(id INTEGER PRIMARY KEY, x INT, y INT); CREATE UNIQUE INDEX p_x ON p(x)";
    let refers =
        "CREATE TABLE c(id INTEGER PRIMARY KEY, x INT REFERENCES p(x), y INT CHECK (y > 0))";
    let drops = "DROP INDEX p_x; ALTER TABLE p DROP COLUMN x";
    for (on_dev, on_main) in [(refers, drops), (drops, refers)] {
        let session = parted(base, on_dev, on_main);
        let told = session.execute("MERGE BRANCH dev INTO main").unwrap_err().to_string();
        assert!(told.contains("1 conflict") && told.contains("dropped"), "{told}");
        for policy in ["source_wins", "target_wins"] {
            let session = parted(base, on_dev, on_main);
            session
                .execute(&format!(
                    "MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}');
                     INSERT INTO c VALUES (1, 5, 1)"
                ))
                .unwrap();
            let sql = definition(&session, "c");
            assert!(!sql.contains("references") && sql.contains("check"), "{policy}: {sql}");
        }
    }
}

/// What a view mentions of a table that both sides added otherwise is no conflict of its own.
#[test]
fn what_mentions_a_contested_table_is_no_second_conflict() {
    let one = "CREATE VIEW v AS SELECT c FROM u; CREATE TABLE u(id INTEGER PRIMARY KEY, c)";
    let other = "CREATE TABLE u(id INTEGER PRIMARY KEY, d)";
    for (on_dev, on_main) in [(one, other), (other, one)] {
        let session = parted("SELECT 1", on_dev, on_main);
        let told = session.execute("MERGE BRANCH dev INTO main").unwrap_err().to_string();
        assert!(told.contains("met 1 conflict"), "{on_dev} / {on_main}: {told}");
    }
}
