//! Broken constraints, settled by RESOLVE: every kind, every choice, every way to store rows.
//!
//! Neighbours: `constraints` (what is broken), `resolving` (what RESOLVE refuses), `settled` (what
//! follows from it).

use super::{error, reopened, rows, session};
use crate::session::Session;

/// How tables are stored: what stands behind the column `k`, and behind the table.
const STORED: [(&str, &str); 3] =
    [("INT", ""), ("INTEGER PRIMARY KEY", ""), ("TEXT PRIMARY KEY", "WITHOUT ROWID")];

/// What the choices of RESOLVE come to, in this order.
const CHOICES: [&str; 5] = ["SOURCE", "TARGET", "BASE", "DELETE", "row"];

struct Case {
    name: &'static str,
    /// Tables and rows; `KEY` and `END` stand for how they are stored.
    setup: &'static str,
    on_dev: &'static str,
    on_main: &'static str,
    /// What a conflict of cells is resolved with before, if there is one.
    before: &'static str,
    /// Kind and detail of the conflict, then base, ours and theirs.
    conflict: [&'static str; 5],
    /// The cells of the choice `row`.
    row: &'static str,
    query: &'static str,
    /// What the query gives after each choice; none where it is still broken.
    after: [Option<&'static str>; 5],
}

const CASES: [Case; 9] = [
    Case {
        name: "check",
        setup: "CREATE TABLE t(k KEY, a INT, b INT, CHECK (a + b < 100)) END;
                INSERT INTO t VALUES (1,1,1),(2,2,2)",
        on_dev: "UPDATE t SET a = 60 WHERE k = '1'",
        on_main: "UPDATE t SET b = 70 WHERE k = '1'",
        before: "",
        conflict: ["check", "CHECK constraint failed: a + b < 100", "1, 1", "1, 70", "60, 1"],
        row: "(b = 2)",
        query: "SELECT k, a, b FROM t ORDER BY k",
        after: [
            Some("1|60|1 2|2|2"),
            Some("1|1|70 2|2|2"),
            Some("1|1|1 2|2|2"),
            Some("2|2|2"),
            Some("1|60|2 2|2|2"),
        ],
    },
    Case {
        name: "not null on the source",
        setup: "CREATE TABLE t(k KEY, a INT, b INT) END; INSERT INTO t VALUES (1,1,1)",
        on_dev: "ALTER TABLE t ALTER COLUMN a SET NOT NULL; UPDATE t SET b = 5",
        on_main: "UPDATE t SET a = NULL",
        before: "",
        conflict: ["not null", "NOT NULL constraint failed: t.a", "1, 1", "NULL, 1", "1, 5"],
        row: "(a = 9)",
        query: "SELECT k, a, b FROM t",
        after: [Some("1|1|5"), None, Some("1|1|1"), Some(""), Some("1|9|5")],
    },
    Case {
        name: "not null on the target",
        setup: "CREATE TABLE t(k KEY, a INT, b INT) END; INSERT INTO t VALUES (1,1,1)",
        on_dev: "UPDATE t SET a = NULL",
        on_main: "ALTER TABLE t ALTER COLUMN a SET NOT NULL; UPDATE t SET b = 5",
        before: "",
        conflict: ["not null", "NOT NULL constraint failed: t.a", "1, 1", "1, 5", "NULL, 1"],
        row: "(a = 9, b = 8)",
        query: "SELECT k, a, b FROM t",
        after: [None, Some("1|1|5"), Some("1|1|1"), Some(""), Some("1|9|8")],
    },
    Case {
        name: "unique by updates",
        setup: "CREATE TABLE t(k KEY, a INT UNIQUE, b INT) END;
                INSERT INTO t VALUES (1,1,1),(2,2,2)",
        on_dev: "UPDATE t SET a = 7 WHERE k = '1'",
        on_main: "UPDATE t SET a = 7 WHERE k = '2'",
        before: "",
        conflict: [
            "unique",
            "UNIQUE constraint failed: t.a; the row 1 has the same",
            "2, 2",
            "7, 2",
            "2, 2",
        ],
        row: "(a = 9)",
        query: "SELECT k, a, b FROM t ORDER BY k",
        after: [
            Some("1|7|1 2|2|2"),
            Some("1|1|1 2|7|2"),
            Some("1|1|1 2|2|2"),
            Some("1|7|1"),
            Some("1|7|1 2|9|2"),
        ],
    },
    Case {
        name: "unique by inserts",
        setup: "CREATE TABLE t(k KEY, a INT UNIQUE, b INT) END; INSERT INTO t VALUES (1,1,1)",
        on_dev: "INSERT INTO t VALUES (3,7,3)",
        on_main: "INSERT INTO t VALUES (2,0,0),(4,7,4); DELETE FROM t WHERE k = '2'",
        before: "",
        conflict: ["unique", "UNIQUE constraint failed: t.a", "NULL", "7, 4", "NULL"],
        row: "(a = 9)",
        query: "SELECT k, a, b FROM t ORDER BY k",
        after: [
            Some("1|1|1 3|7|3"),
            Some("1|1|1 4|7|4"),
            Some("1|1|1"),
            Some("1|1|1 3|7|3"),
            Some("1|1|1 3|7|3 4|9|4"),
        ],
    },
    Case {
        name: "foreign key, the child comes from the source",
        setup: "CREATE TABLE p(k KEY, name TEXT) END; INSERT INTO p VALUES (1,'a'),(2,'b');
                CREATE TABLE t(k KEY, a TEXT, b INT REFERENCES p(k)) END",
        on_dev: "INSERT INTO t VALUES (5,'x',2)",
        on_main: "DELETE FROM p WHERE k = '2'",
        before: "",
        conflict: [
            "foreign key",
            "FOREIGN KEY constraint failed: t refers to no row of p with k = ",
            "NULL",
            "NULL",
            "'x', 2",
        ],
        row: "(b = 1)",
        query: "SELECT k, b FROM t UNION ALL SELECT 'p' || k, name FROM p",
        after: [Some("5|2 p1|a p2|b"), Some("p1|a"), Some("p1|a"), Some("p1|a"), Some("5|1 p1|a")],
    },
    Case {
        name: "foreign key, the child comes from the target",
        setup: "CREATE TABLE p(k KEY, name TEXT) END; INSERT INTO p VALUES (1,'a'),(2,'b');
                CREATE TABLE t(k KEY, a TEXT, b INT REFERENCES p(k)) END;
                INSERT INTO t VALUES (5,'x',1)",
        on_dev: "DELETE FROM p WHERE k = '2'",
        on_main: "UPDATE t SET b = 2; UPDATE p SET name = 'c' WHERE k = '1'",
        before: "",
        conflict: [
            "foreign key",
            "FOREIGN KEY constraint failed: t refers to no row of p with k = ",
            "'x', 1",
            "'x', 2",
            "'x', 1",
        ],
        row: "(b = NULL)",
        query: "SELECT k, b FROM t UNION ALL SELECT 'p' || k, name FROM p",
        after: [
            Some("5|1 p1|c"),
            Some("5|2 p1|c p2|b"),
            Some("5|1 p1|c"),
            Some("p1|c"),
            Some("5|NULL p1|c"),
        ],
    },
    Case {
        name: "foreign key to a unique column",
        setup: "CREATE TABLE p(k KEY, code TEXT UNIQUE COLLATE NOCASE) END;
                INSERT INTO p VALUES (1,'a'),(2,'b');
                CREATE TABLE t(k KEY, a TEXT, b TEXT REFERENCES p(code)) END",
        on_dev: "INSERT INTO t VALUES (5,'x','B')",
        on_main: "UPDATE p SET code = 'z' WHERE k = '2'",
        before: "",
        conflict: [
            "foreign key",
            "FOREIGN KEY constraint failed: t refers to no row of p with code = 'B'",
            "NULL",
            "NULL",
            "'x', 'B'",
        ],
        row: "(b = 'Z')",
        query: "SELECT k, b FROM t UNION ALL SELECT 'p' || k, code FROM p",
        after: [
            Some("5|B p1|a p2|b"),
            Some("p1|a p2|z"),
            Some("p1|a p2|z"),
            Some("p1|a p2|z"),
            Some("5|Z p1|a p2|z"),
        ],
    },
    Case {
        name: "type",
        setup: "CREATE TABLE t(k KEY, a INT, b TEXT) STRICTEND; INSERT INTO t VALUES (1,1,'o')",
        on_dev: "UPDATE t SET a = 2",
        on_main: "UPDATE t SET a = 3, b = 'm'",
        before: "RESOLVE CONFLICT 1 WITH VALUE 'x'",
        conflict: [
            "type",
            "cannot store TEXT value in INT column t.a",
            "1, 'o'",
            "3, 'm'",
            "2, 'o'",
        ],
        row: "(a = '4')",
        query: "SELECT k, a, b FROM t",
        after: [Some("1|2|o"), Some("1|3|m"), Some("1|1|o"), Some(""), Some("1|4|m")],
    },
];

fn opened(case: &Case, (key, end): (&str, &str)) -> Session {
    let session = session();
    let joined = if end.is_empty() { " STRICT".to_owned() } else { format!(" STRICT, {end}") };
    let setup = case.setup.replace(" STRICTEND", &joined).replace("KEY", key);
    // Whoever refers to `k` needs it to be unique.
    let setup = if key == "INT" { setup.replacen("k INT", "k INT UNIQUE", 1) } else { setup };
    let setup = setup.replace("END", end);
    session
        .execute(&format!(
            "PRAGMA foreign_keys = on; {setup}; CREATE BRANCH dev; USE BRANCH dev; {};
             USE BRANCH main; {}",
            case.on_dev, case.on_main
        ))
        .unwrap_or_else(|error| panic!("{}: {error}\n{setup}", case.name));
    session
}

fn state(session: &Session, case: &Case) -> String {
    rows(session, case.query).join(" ")
}

/// Opens the merge, up to where the constraint is the conflict.
fn begun(session: &Session, case: &Case) {
    let open = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
    session.execute(open).unwrap();
    if !case.before.is_empty() {
        session.execute(case.before).unwrap();
        assert!(error(session, "CONTINUE MERGE").contains("constraint"), "{}", case.name);
    }
}

#[test]
fn each_choice_settles_each_broken_constraint_however_rows_are_stored() {
    for case in &CASES {
        for stored in STORED {
            for (number, choice) in CHOICES.iter().enumerate() {
                let what = format!("{}, {stored:?}, {choice}", case.name);
                let session = opened(case, stored);
                let before = state(&session, case);
                begun(&session, case);
                check_shown(&session, case, stored, &what);
                let said = if *choice == "row" { case.row } else { choice };
                let open = "SELECT conflict_id FROM pando_conflicts WHERE resolution IS NULL";
                let open = rows(&session, open).remove(0);
                session.execute(&format!("RESOLVE CONFLICT {open} WITH {said}")).unwrap();
                // The conflict and what was said about it outlive the program.
                let session = if *choice == "row" { reopened(session) } else { session };
                let said = rows(&session, "SELECT DISTINCT resolution <> '' FROM pando_conflicts");
                assert_eq!(said, ["1"], "{what}");
                assert_eq!(state(&session, case), before, "{what}");
                let done = session.query("CONTINUE MERGE").map(|rows| rows.rows.len());
                match (done, case.after[number]) {
                    (Ok(_), Some(after)) => assert_eq!(state(&session, case), after, "{what}"),
                    (Err(error), None) => {
                        assert!(error.to_string().contains("met 1 conflict"), "{what}: {error}");
                        assert_eq!(state(&session, case), before, "{what}");
                        // What was said is no answer: the conflict is open.
                        let open = "SELECT DISTINCT resolution FROM pando_conflicts
                                    WHERE resolution IS NULL";
                        assert_eq!(rows(&session, open), ["NULL"], "{what}");
                        session.execute("ABORT MERGE").unwrap();
                        assert_eq!(state(&session, case), before, "{what}");
                    }
                    (done, after) => panic!("{what}: {done:?} instead of {after:?}"),
                }
                assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{what}");
                assert_eq!(rows(&session, "PRAGMA foreign_key_check"), [""; 0], "{what}");
                assert_eq!(rows(&session, "SELECT 1 FROM pando_conflicts"), [""; 0], "{what}");
            }
        }
    }
}

fn check_shown(session: &Session, case: &Case, (key, _): (&str, &str), what: &str) {
    let shown = rows(
        session,
        "SELECT kind, detail, coalesce(base, 'NULL'), coalesce(ours, 'NULL'),
         coalesce(theirs, 'NULL'), resolution, row_key FROM pando_conflicts
         WHERE resolution IS NULL",
    );
    assert_eq!(shown.len(), 1, "{what}: {shown:?}");
    let shown: Vec<&str> = shown[0].split('|').collect();
    assert_eq!(shown[0], format!("constraint: {}", case.conflict[0]), "{what}");
    // Keys that are texts are quoted in details.
    let detail = shown[1].replace('\'', "");
    assert!(detail.starts_with(&case.conflict[1].replace('\'', "")), "{what}: {}", shown[1]);
    for (found, expected) in shown[2..5].iter().zip(&case.conflict[2..]) {
        let found = found.replace('\'', "");
        assert!(found.ends_with(&expected.replace('\'', "")), "{what}: {shown:?}");
    }
    assert_eq!(shown[5], "NULL", "{what}");
    let called = match (key, case.name.contains("inserts"), case.name) {
        ("INT", ..) => None,
        (_, true, _) => Some("4"),
        (_, _, "unique by updates") => Some("2"),
        (_, _, name) if name.starts_with("foreign") => Some("5"),
        _ => Some("1"),
    };
    if let Some(called) = called {
        assert_eq!(shown[6].replace('\'', ""), called, "{what}");
    }
}

/// The same conflict whichever side is the target, with the sides exchanged, and SOURCE one way
/// comes to what TARGET comes to the other way.
#[test]
fn both_directions_show_the_same_row_and_are_settled_alike() {
    let shown =
        "SELECT kind, object_name, row_key, base, ours, theirs, detail FROM pando_conflicts";
    for case in CASES.iter().filter(|case| case.before.is_empty()) {
        for stored in STORED {
            let what = format!("{}, {stored:?}", case.name);
            let mut sides = Vec::new();
            for (choice, is_mirrored) in
                [("SOURCE", false), ("TARGET", true), ("TARGET", false), ("SOURCE", true)]
            {
                let session = opened(case, stored);
                let (source, target) = if is_mirrored { ("main", "dev") } else { ("dev", "main") };
                session
                    .execute(&format!(
                        "USE BRANCH {target};
                         MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = 'manual')"
                    ))
                    .unwrap();
                let mut conflict: Vec<String> =
                    rows(&session, shown)[0].split('|').map(str::to_owned).collect();
                if is_mirrored {
                    conflict.swap(4, 5);
                }
                session.execute(&format!("RESOLVE CONFLICTS WITH {choice}")).unwrap();
                let done = session.query("CONTINUE MERGE").is_ok();
                sides.push((
                    conflict,
                    done,
                    if done { state(&session, case) } else { what.clone() },
                ));
            }
            assert_eq!(sides[0], sides[1], "{what}");
            assert_eq!(sides[2], sides[3], "{what}");
            // Columns of rowid tables may come in another order.
            assert_eq!(sides[0].0, sides[2].0, "{what}");
        }
    }
}
