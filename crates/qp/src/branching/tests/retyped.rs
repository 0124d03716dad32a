//! Types and defaults that change on a branch: what differences, picks and undoing make of it.
//!
//! What merges make of it is in `merges::rules`.

use super::{error, reopened, rows, session};
use crate::session::Session;

const ROWS: &str = "SELECT id, typeof(a), a, b FROM t ORDER BY id";

fn prepared() -> Session {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT DEFAULT 1);
             CREATE INDEX t_a ON t(a);
             INSERT INTO t(id, a) VALUES (1, 10), (2, 20); ALTER TABLE t ADD COLUMN c INT DEFAULT 5;
             CREATE BRANCH dev; USE BRANCH dev",
        )
        .unwrap();
    session
}

fn newest(session: &Session, branch: &str) -> String {
    rows(session, &format!("SELECT head_commit FROM pando_branches('{branch}')")).concat()
}

/// A row that was only converted is none that changed.
#[test]
fn a_difference_has_the_definition_and_the_cells_that_say_something_else() {
    let session = prepared();
    session
        .execute(
            "ALTER TABLE t ALTER a TYPE TEXT; ALTER TABLE t ALTER b SET DEFAULT 2;
             ALTER TABLE t ALTER c SET DEFAULT 6; UPDATE t SET a = 'x' WHERE id = 2",
        )
        .unwrap();
    let changed = "SELECT change, old_a, new_a, old_c, new_c FROM pando_diff('t', 'main', 'dev')";
    let found = rows(&session, changed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("|20|x|5|5"), "{found:?}");
    let schema = rows(&session, "SHOW DIFF BETWEEN main AND dev");
    assert!(schema.iter().any(|row| row.contains("TEXT")), "{schema:?}");
    let session = reopened(session);
    assert_eq!(rows(&session, "SELECT typeof(a), b, c FROM t@dev WHERE id = 1"), ["text|1|5"]);
    assert_eq!(rows(&session, "SELECT typeof(a), b, c FROM t WHERE id = 1"), ["integer|1|5"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn a_type_is_picked_and_undone() {
    let session = prepared();
    session.execute("UPDATE t SET b = 7 WHERE id = 1").unwrap();
    session.execute("ALTER TABLE t ALTER a TYPE TEXT").unwrap();
    let retyped = newest(&session, "dev");
    session.execute("USE BRANCH main; INSERT INTO t(id, a) VALUES (3, 30)").unwrap();
    session.execute(&format!("CHERRY PICK TRANSACTION {retyped} INTO main")).unwrap();
    assert_eq!(rows(&session, ROWS), ["1|text|10|1", "2|text|20|1", "3|text|30|1"]);
    assert_eq!(rows(&session, "SELECT id FROM t WHERE a = '30'"), ["3"]);
    session.execute("USE BRANCH dev; INSERT INTO t(id, a) VALUES (4, '40')").unwrap();
    session.execute(&format!("UNDO TRANSACTION {retyped}")).unwrap();
    assert_eq!(rows(&session, ROWS), ["1|integer|10|7", "2|integer|20|1", "4|integer|40|1"]);
    assert_eq!(rows(&session, "SELECT id FROM t WHERE a = 40"), ["4"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn a_default_is_picked_and_undone() {
    let session = prepared();
    session.execute("ALTER TABLE t ALTER c SET DEFAULT 9").unwrap();
    let changed = newest(&session, "dev");
    session.execute("INSERT INTO t(id) VALUES (3)").unwrap();
    session.execute(&format!("UNDO TRANSACTION {changed}; INSERT INTO t(id) VALUES (4)")).unwrap();
    assert_eq!(rows(&session, "SELECT id, c FROM t"), ["1|5", "2|5", "3|9", "4|5"]);
    session.execute("USE BRANCH main; INSERT INTO t(id) VALUES (7)").unwrap();
    session.execute(&format!("CHERRY PICK TRANSACTION {changed} INTO main")).unwrap();
    session.execute("INSERT INTO t(id) VALUES (8)").unwrap();
    assert_eq!(rows(&session, "SELECT id, c FROM t"), ["1|5", "2|5", "7|5", "8|9"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

/// Rows that both branches gave one number to are told apart, whatever type the column has.
#[test]
fn rows_are_renumbered_beside_a_change_of_type() {
    for (source, target) in [("dev", "main"), ("main", "dev")] {
        let session = prepared();
        session
            .execute("ALTER TABLE t ALTER a TYPE TEXT; INSERT INTO t(id, a) VALUES (3, 'x')")
            .unwrap();
        session.execute("USE BRANCH main; INSERT INTO t(id, a) VALUES (3, 30)").unwrap();
        let merge = format!("USE BRANCH {target}; MERGE BRANCH {source} INTO {target}");
        assert!(error(&session, &merge).contains("conflict"));
        session.execute(&format!("{merge} WITH (conflict_resolution = 'renumber')")).unwrap();
        let found = rows(&session, "SELECT typeof(a), a FROM t ORDER BY a");
        assert_eq!(found, ["text|10", "text|20", "text|30", "text|x"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn a_preview_shows_a_change_of_type_and_changes_nothing() {
    let session = prepared();
    session.execute("PREVIEW ALTER TABLE t ALTER a TYPE TEXT").unwrap();
    assert_eq!(rows(&session, "SELECT DISTINCT typeof(a) FROM t"), ["integer"]);
    session.execute("APPLY").unwrap();
    assert_eq!(rows(&session, "SELECT DISTINCT typeof(a) FROM t"), ["text"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

/// A row that one side deleted and the other changed, whichever of them has the new type, and
/// whichever wins: what stays has the type of the merged column, in the table and in its indexes.
#[test]
fn a_row_that_stays_against_its_deletion_has_the_new_type() {
    const STORED: [&str; 4] = [
        "(id INTEGER PRIMARY KEY, a INT)",
        "(id INT PRIMARY KEY, a INT)",
        "(id INT, a INT)",
        "(id TEXT PRIMARY KEY, a INT) WITHOUT ROWID",
    ];
    let sides = [("dev", "main"), ("main", "dev")];
    for columns in STORED {
        for (retypes, deletes) in
            [("dev", "dev"), ("dev", "main"), ("main", "dev"), ("main", "main")]
        {
            let changes = if deletes == "dev" { "main" } else { "dev" };
            for ((source, target), policy) in
                sides.into_iter().flat_map(|side| ["source", "target", "said"].map(|it| (side, it)))
            {
                let session = session();
                session
                    .execute(&format!(
                        "CREATE TABLE t{columns}; CREATE INDEX t_a ON t(a);
                         INSERT INTO t VALUES (1, 10), (2, 20), (3, 30); CREATE BRANCH dev;
                         USE BRANCH {deletes}; DELETE FROM t WHERE id = 2;
                         USE BRANCH {changes}; UPDATE t SET a = 25 WHERE id = 2;
                         USE BRANCH {retypes}; ALTER TABLE t ALTER a TYPE TEXT;
                         USE BRANCH {target}"
                    ))
                    .unwrap();
                let merge =
                    format!("MERGE BRANCH {source} INTO {target} WITH (conflict_resolution");
                let winner = if policy == "source" { source } else { target };
                let sql = match policy {
                    "said" => format!(
                        "{merge} = 'manual'); RESOLVE CONFLICTS WITH TARGET; CONTINUE MERGE"
                    ),
                    _ => format!("{merge} = '{policy}_wins')"),
                };
                let what = format!("{columns}: {retypes} retypes, {deletes} deletes, {sql}");
                session.execute(&sql).unwrap_or_else(|error| panic!("{what}: {error}"));
                let stays = if winner == changes { "10,25,30" } else { "10,30" };
                let found = "SELECT DISTINCT typeof(a), (SELECT group_concat(a) FROM
                             (SELECT a FROM t ORDER BY id)) FROM t";
                assert_eq!(rows(&session, found), [format!("text|{stays}")], "{what}");
                let indexed = "SELECT group_concat(a) FROM (SELECT a FROM t INDEXED BY t_a
                               WHERE a > '' ORDER BY a)";
                assert_eq!(rows(&session, indexed), [stays], "{what}");
                assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{what}");
            }
        }
    }
}
