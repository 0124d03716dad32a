//! Merges that crossed: what their bases do not agree on is a conflict, never lost in silence.

use super::{error, rows, session};
use crate::session::Session;

/// Branches `x` and `y` of `base` with what is done on each, which take each other and keep what
/// `choice` says.
fn crossed(base: &str, [on_x, on_y]: [&str; 2], choice: &str) -> Session {
    let session = session();
    session
        .execute(&format!(
            "{base}; CREATE BRANCH x; CREATE BRANCH y; USE BRANCH x; {on_x}; USE BRANCH y; {on_y};
             CREATE BRANCH x0 FROM x; CREATE BRANCH y0 FROM y"
        ))
        .unwrap();
    for (source, target) in [("y0", "x"), ("x0", "y")] {
        session
            .execute(&format!(
                "USE BRANCH {target};
                 MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = 'manual');
                 RESOLVE CONFLICTS WITH {choice}; CONTINUE MERGE"
            ))
            .unwrap_or_else(|error| panic!("{base}, {on_x}, {on_y}, {choice}: {error}"));
    }
    session
}

/// Merges both ways: by itself that is a conflict, and each policy gives what one branch has.
fn is_asked(session: &Session, query: &str) {
    let on = |branch: &str| {
        session.execute(&format!("USE BRANCH {branch}")).unwrap();
        rows(session, query)
    };
    for (source, target) in [("x", "y"), ("y", "x")] {
        let (has_source, has_target) = (on(source), on(target));
        assert_ne!(has_source, has_target);
        let told = error(session, &format!("MERGE BRANCH {source} INTO {target}"));
        assert!(told.contains("conflict"), "{told}");
        assert_eq!(on(target), has_target);
        for (policy, expected) in [("source_wins", &has_source), ("target_wins", &has_target)] {
            session
                .execute(&format!(
                    "CREATE BRANCH trial FROM {target}; MERGE BRANCH {source} INTO trial
                     WITH (conflict_resolution = '{policy}')"
                ))
                .unwrap_or_else(|error| panic!("{source} into {target}, {policy}: {error}"));
            assert_eq!(on("trial"), *expected, "{source} into {target}, {policy}");
            assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
            assert!(rows(session, "PRAGMA foreign_key_check").is_empty());
            session.execute("USE BRANCH main; DROP BRANCH trial").unwrap();
        }
    }
}

#[test]
fn rows_that_the_bases_have_with_one_unique_value_are_asked_for() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, n); INSERT INTO t VALUES (1,1,1)";
    let inserted = ["INSERT INTO t VALUES (2,33,0)", "INSERT INTO t VALUES (3,33,0)"];
    let more = "INSERT INTO t VALUES (8,8,8),(9,9,9)";
    for choice in ["TARGET", "SOURCE"] {
        is_asked(&crossed(base, inserted, choice), "SELECT * FROM t ORDER BY id");
        let updated = ["UPDATE t SET u = 33 WHERE id = 8", "UPDATE t SET u = 33 WHERE id = 9"];
        let session = crossed(&format!("{base}; {more}"), updated, choice);
        is_asked(&session, "SELECT * FROM t ORDER BY id");
    }
    let session = crossed(base, inserted, "SOURCE");
    session.execute("USE BRANCH x; UPDATE t SET n = 5 WHERE id = 1").unwrap();
    session.execute("MERGE BRANCH x INTO y WITH (conflict_resolution = 'source_wins')").unwrap();
    session.execute("USE BRANCH y").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM t ORDER BY id"), ["1|1|5", "3|33|0"]);
}

#[test]
fn rows_that_break_a_check_between_the_bases_are_asked_for() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, CHECK (a < b));
                INSERT INTO t VALUES (1,1,9)";
    for choice in ["TARGET", "SOURCE"] {
        let session = crossed(base, ["UPDATE t SET a = 7", "UPDATE t SET b = 3"], choice);
        is_asked(&session, "SELECT * FROM t");
    }
}

#[test]
fn a_child_without_a_parent_between_the_bases_is_asked_for() {
    let base = "PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);
                CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id));
                INSERT INTO p VALUES (1),(2)";
    for choice in ["TARGET", "SOURCE"] {
        let sides = ["INSERT INTO c VALUES (5,1)", "DELETE FROM p WHERE id = 1"];
        is_asked(
            &crossed(base, sides, choice),
            "SELECT 'p', id FROM p UNION ALL SELECT 'c', id FROM c ORDER BY 1, 2",
        );
    }
}

/// Another conflict of the bases does not hide a broken constraint.
#[test]
fn a_broken_constraint_beside_another_conflict_is_asked_for() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE);
                CREATE TABLE o(id INTEGER PRIMARY KEY, v); INSERT INTO o VALUES (1,0);
                CREATE VIEW w AS SELECT 0 AS one";
    let sides = [
        "INSERT INTO t VALUES (2,33); UPDATE o SET v = 1",
        "INSERT INTO t VALUES (3,33); UPDATE o SET v = 2",
    ];
    for choice in ["TARGET", "SOURCE"] {
        let session = crossed(base, sides, choice);
        session
            .execute("USE BRANCH x; UPDATE o SET v = 7; USE BRANCH y; UPDATE o SET v = 7")
            .unwrap();
        is_asked(&session, "SELECT * FROM t ORDER BY id");
    }
}

/// Definitions: with what is done on the two branches, and what tells them apart.
#[test]
fn definitions_that_the_bases_disagree_on_are_asked_for() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT,
                    CONSTRAINT small CHECK (a < 100));
                INSERT INTO t VALUES (1,1,1); CREATE VIEW v AS SELECT id FROM t;
                CREATE INDEX i ON t(a)";
    let columns = "SELECT group_concat(name || ' ' || type) FROM pragma_table_info('t')";
    let view = "SELECT * FROM v";
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1";
    let check = "SELECT sql LIKE '%50%', sql LIKE '%60%' FROM sqlite_master WHERE name = 't'";
    let index = "SELECT name FROM pragma_index_info('i')";
    for (sides, query) in [
        (["ALTER TABLE t RENAME a TO ax", "ALTER TABLE t RENAME a TO ay"], columns),
        (["ALTER TABLE t RENAME TO tx", "ALTER TABLE t RENAME TO ty"], tables),
        (
            [
                "DROP VIEW v; CREATE VIEW v AS SELECT 'x'",
                "DROP VIEW v; CREATE VIEW v AS SELECT 'y'",
            ],
            view,
        ),
        (["DROP VIEW v; DROP TABLE t", "ALTER TABLE t RENAME b TO bb"], tables),
        (["DROP VIEW v; DROP TABLE t", "INSERT INTO t VALUES (2,2,2)"], tables),
        (["ALTER TABLE t DROP COLUMN b", "ALTER TABLE t RENAME b TO bb"], columns),
        (["ALTER TABLE t ADD COLUMN n INT", "ALTER TABLE t ADD COLUMN n TEXT"], columns),
        (
            [
                "ALTER TABLE t DROP CONSTRAINT small;
                 ALTER TABLE t ADD CONSTRAINT small CHECK (a < 50)",
                "ALTER TABLE t DROP CONSTRAINT small;
                 ALTER TABLE t ADD CONSTRAINT small CHECK (a < 60)",
            ],
            check,
        ),
        (["DROP INDEX i; CREATE INDEX i ON t(b)", "DROP INDEX i; CREATE INDEX i ON t(id)"], index),
    ] {
        for choice in ["TARGET", "SOURCE"] {
            println!("{sides:?}, {choice}");
            is_asked(&crossed(base, sides, choice), query);
        }
    }
}

/// What is asked for says why: neither branch need have inserted or deleted the row.
#[test]
fn conflicts_after_merges_that_crossed_say_that() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1)";
    let changed = ["UPDATE t SET a = 2", "UPDATE t SET a = 3"];
    let told = error(&crossed(base, changed, "TARGET"), "MERGE BRANCH x INTO y");
    assert!(told.contains("merges that crossed left a open, and the branches differ"), "{told}");
    let gone = ["UPDATE t SET a = 2", "DELETE FROM t"];
    let session = crossed(base, gone, "TARGET");
    for (source, target, lacks) in [("x", "y", "target"), ("y", "x", "source")] {
        session.execute(&format!("USE BRANCH {target}")).unwrap();
        let told = error(&session, &format!("MERGE BRANCH {source} INTO {target}"));
        let why = format!("left open whether the row is there: the {lacks} does not have it");
        assert!(told.contains(&why), "{told}");
    }
}

/// Who kept a row has it as it was changed, who deleted it stored it anew: neither had the other's
/// reason.
#[test]
fn a_row_that_was_deleted_and_stored_anew_does_not_win_over_the_one_that_was_kept() {
    for declared in ["(id INTEGER PRIMARY KEY, a, b)", "(id PRIMARY KEY, a, b) WITHOUT ROWID"] {
        let base = format!("CREATE TABLE t{declared}; INSERT INTO t VALUES (1, 0, 0)");
        let session = crossed(&base, ["UPDATE t SET a = 2", "DELETE FROM t"], "TARGET");
        session.execute("USE BRANCH y; INSERT INTO t VALUES (1, 1, 1)").unwrap();
        for (source, target) in [("x", "y"), ("y", "x")] {
            session.execute(&format!("USE BRANCH {target}")).unwrap();
            let told = error(&session, &format!("MERGE BRANCH {source} INTO {target}"));
            assert!(told.contains("left a open"), "{told}");
        }
        session
            .execute("MERGE BRANCH y INTO x WITH (conflict_resolution = 'target_wins')")
            .unwrap();
        assert_eq!(rows(&session, "SELECT a FROM t"), ["2"]);
    }
}

/// `x` and `y` take each other once more, as both were before, and keep what `choice` says.
fn cross_again(session: &Session, choice: &str) {
    session.execute("CREATE BRANCH x1 FROM x; CREATE BRANCH y1 FROM y").unwrap();
    for (source, target) in [("y1", "x"), ("x1", "y")] {
        session
            .execute(&format!(
                "USE BRANCH {target};
                 MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = 'manual');
                 RESOLVE CONFLICTS WITH {choice}; CONTINUE MERGE"
            ))
            .unwrap_or_else(|error| panic!("{source} into {target}, {choice}: {error}"));
    }
}

/// The bases of merges that crossed twice parted at several moments, which do not agree either.
#[test]
fn what_merges_that_crossed_twice_leave_open_is_asked_for() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
                INSERT INTO t VALUES (1,0,0),(2,0,0); CREATE VIEW v AS SELECT 0 AS a";
    let rows_of_t = "SELECT * FROM t ORDER BY id";
    let columns = "SELECT group_concat(name || ' ' || type) FROM pragma_table_info('t')";
    let view = "SELECT a FROM v";
    let version = "PRAGMA user_version";
    for (sides, query) in [
        (["UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 2 WHERE id = 1"], rows_of_t),
        (["DELETE FROM t WHERE id = 1", "UPDATE t SET a = 2 WHERE id = 1"], rows_of_t),
        (["INSERT INTO t VALUES (3,1,1)", "INSERT INTO t VALUES (3,2,2)"], rows_of_t),
        (["ALTER TABLE t RENAME a TO ax", "ALTER TABLE t RENAME a TO ay"], columns),
        (["ALTER TABLE t DROP COLUMN b", "ALTER TABLE t RENAME b TO bb"], columns),
        (
            [
                "DROP VIEW v; CREATE VIEW v AS SELECT 'x' AS a",
                "DROP VIEW v; CREATE VIEW v AS SELECT 'y' AS a",
            ],
            view,
        ),
        (["PRAGMA user_version = 5", "PRAGMA user_version = 6"], version),
    ] {
        for choices in [["TARGET", "SOURCE"], ["SOURCE", "SOURCE"], ["TARGET", "TARGET"]] {
            println!("{sides:?}, {choices:?}");
            let session = crossed(base, sides, choices[0]);
            cross_again(&session, choices[1]);
            is_asked(&session, query);
        }
    }
}

/// Of three bases two parted from each other later than from the third.
#[test]
fn a_base_is_merged_from_where_it_parted_from_any_of_the_others() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1,0,0);
             CREATE BRANCH p; CREATE BRANCH q; CREATE BRANCH x; CREATE BRANCH y;
             UPDATE t@q SET a = 1; CREATE BRANCH r FROM q; UPDATE t@q SET b = 1 WHERE id = 1;
             UPDATE t@r SET a = 0; INSERT INTO t@p VALUES (2,2,2);
             UPDATE t@x SET id = id; UPDATE t@y SET id = id",
        )
        .unwrap();
    for target in ["x", "y"] {
        session
            .execute(&format!("INSERT INTO t@{target} VALUES (unicode('{target}'),1,1)"))
            .unwrap();
        for source in ["p", "q", "r"] {
            session.execute(&format!("MERGE BRANCH {source} INTO {target}")).unwrap();
        }
        assert_eq!(rows(&session, &format!("SELECT a, b FROM t@{target} WHERE id = 1")), ["0|1"]);
    }
    session.execute("UPDATE t@x SET a = 1 WHERE id = 1; CREATE BRANCH z FROM y").unwrap();
    for (source, target) in [("x", "z"), ("y", "x")] {
        session.execute(&format!("MERGE BRANCH {source} INTO {target}")).unwrap();
        assert_eq!(rows(&session, &format!("SELECT a, b FROM t@{target} WHERE id = 1")), ["1|1"]);
    }
}
