//! AUTOINCREMENT over several branches: numbers stay distinct.

use super::{error, reopened, rows, session};

#[test]
fn branches_do_not_give_one_number_to_two_rows() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             INSERT INTO t(x) VALUES ('a'), ('b'); CREATE BRANCH dev; CREATE BRANCH other;
             INSERT INTO t(x) VALUES ('main');
             INSERT INTO t@dev(x) VALUES ('dev'), ('dev');
             INSERT INTO t(x) VALUES ('main');
             INSERT INTO t@other(x) VALUES ('other');",
        )
        .unwrap();
    let all = "SELECT id, x FROM t UNION SELECT id, x FROM t@dev UNION SELECT id, x FROM t@other";
    assert_eq!(
        rows(&session, all),
        ["1|a", "2|b", "3|main", "4|dev", "5|dev", "6|main", "7|other"]
    );
    // What a statement chooses itself counts for the others, and openings forget nothing.
    session
        .execute("INSERT INTO t@dev(id, x) VALUES (100, 'chosen'); INSERT INTO t(x) VALUES ('m')")
        .unwrap();
    assert_eq!(rows(&session, "SELECT max(id) FROM t"), ["101"]);
    let session = reopened(session);
    session.execute("INSERT INTO t@other(x) VALUES ('o')").unwrap();
    assert_eq!(rows(&session, "SELECT max(id) FROM t@other"), ["102"]);
    // So that nothing collides, and the merge is none of two rows with one number.
    session.execute("MERGE BRANCH dev INTO main; MERGE BRANCH other INTO main").unwrap();
    assert_eq!(
        rows(&session, "SELECT count(*), count(DISTINCT id), max(id) FROM t"),
        ["10|10|102"]
    );
    assert_eq!(rows(&session, "SELECT seq FROM sqlite_sequence"), ["102"]);
}

#[test]
fn a_table_that_was_renamed_on_a_branch_keeps_its_counter() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             CREATE TABLE u(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             CREATE BRANCH dev; USE BRANCH dev; ALTER TABLE t RENAME TO renamed;
             INSERT INTO renamed(x) VALUES (1), (2); USE BRANCH main;
             INSERT INTO t(x) VALUES (3); INSERT INTO u(x) VALUES (4);",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t"), ["3"]);
    assert_eq!(rows(&session, "SELECT id FROM u"), ["1"]);
}

#[test]
fn one_branch_alone_counts_as_it_always_did() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             BEGIN; INSERT INTO t(x) VALUES (1); ROLLBACK; INSERT INTO t(x) VALUES (2);",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t"), ["1"]);
}

#[test]
fn a_table_may_count_on_each_branch_alone() {
    let session = session();
    session
        .execute(
            "CREATE TABLE IF NOT EXISTS alone(id INTEGER PRIMARY KEY AUTOINCREMENT, x INT)
               STRICT, AUTOINCREMENT PER BRANCH;
             CREATE TABLE shared(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             CREATE BRANCH dev;
             INSERT INTO alone(x) VALUES (1), (2); INSERT INTO shared(x) VALUES (1), (2);
             INSERT INTO alone@dev(x) VALUES (10); INSERT INTO shared@dev(x) VALUES (10)",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM alone@dev"), ["1"]);
    assert_eq!(rows(&session, "SELECT id FROM shared@dev"), ["3"]);
    assert_eq!(
        rows(&session, "PRAGMA autoincrement_list"),
        ["main|alone|2|branch", "main|shared|2|all branches"]
    );
    assert_eq!(rows(&session, "PRAGMA autoincrement_list(alone)"), ["main|alone|2|branch"]);
    // It lasts: in the file, in its text, over other changes of the table, and in a merge.
    let session = reopened(session);
    session.execute("USE BRANCH dev; ALTER TABLE alone ADD COLUMN y INT").unwrap();
    session
        .execute(
            "ALTER TABLE alone RENAME COLUMN x TO z; CREATE TABLE late(id INTEGER
        PRIMARY KEY AUTOINCREMENT) AUTOINCREMENT PER BRANCH; INSERT INTO late VALUES (7)",
        )
        .unwrap();
    session.execute("USE BRANCH main; ALTER TABLE alone ADD COLUMN w INT").unwrap();
    let told = session.query("MERGE BRANCH dev INTO main").unwrap_err().to_string();
    assert!(told.contains("conflict"), "the numbers met: {told}");
    session.execute("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'renumber')").unwrap();
    assert_eq!(rows(&session, "SELECT id, z FROM alone ORDER BY 1"), ["1|1", "2|2", "3|10"]);
    assert_eq!(
        rows(&session, "PRAGMA autoincrement_list"),
        ["main|alone|3|branch", "main|shared|3|all branches", "main|late|7|branch"]
    );
    let text = rows(&session, "SELECT sql FROM sqlite_schema WHERE name = 'alone'").pop().unwrap();
    assert!(text.ends_with("STRICT, AUTOINCREMENT PER BRANCH"), "{text}");
    session.execute("DROP TABLE alone").unwrap();
    session.execute(&text).unwrap();
    session.execute("INSERT INTO alone(z) VALUES (1)").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM alone"), ["1"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    for refused in [
        "CREATE TABLE no(id INTEGER PRIMARY KEY) AUTOINCREMENT PER BRANCH",
        "CREATE TABLE no(id INTEGER PRIMARY KEY AUTOINCREMENT) AUTOINCREMENT",
        "CREATE TABLE no(id INTEGER PRIMARY KEY AUTOINCREMENT) AUTOINCREMENT PER TABLE",
    ] {
        assert!(session.execute(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_table_that_is_there_may_count_on_each_branch_alone() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x) -- counted;
             ;
             CREATE TABLE s(id INTEGER PRIMARY KEY AUTOINCREMENT, x INT) STRICT;
             CREATE TABLE plain(id INTEGER PRIMARY KEY);
             CREATE BRANCH dev;
             INSERT INTO t(x) VALUES (1); INSERT INTO t@dev(x) VALUES (2);
             ALTER TABLE t SET AUTOINCREMENT PER BRANCH; ALTER TABLE s SET AUTOINCREMENT PER BRANCH;
             ALTER TABLE t SET AUTOINCREMENT PER BRANCH;
             USE BRANCH dev; ALTER TABLE t SET AUTOINCREMENT PER BRANCH; USE BRANCH main;
             INSERT INTO t(x) VALUES (3); INSERT INTO t@dev(x) VALUES (4);",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id, x FROM t"), ["1|1", "2|3"]);
    assert_eq!(rows(&session, "SELECT id, x FROM t@dev"), ["2|2", "3|4"]);
    let refused = session.execute("ALTER TABLE plain SET AUTOINCREMENT PER BRANCH").unwrap_err();
    assert!(refused.to_string().contains("without a counter"), "{refused}");
    let session = reopened(session);
    assert_eq!(
        rows(&session, "SELECT sql FROM sqlite_schema WHERE name IN ('t', 's') ORDER BY name DESC"),
        [
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x) AUTOINCREMENT PER BRANCH",
            "CREATE TABLE s(id INTEGER PRIMARY KEY AUTOINCREMENT, x INT) STRICT, AUTOINCREMENT \
             PER BRANCH"
        ]
    );
    // The same was done on both sides, which is no conflict of definitions.
    session.execute("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'renumber')").unwrap();
    assert_eq!(rows(&session, "SELECT x FROM t ORDER BY x"), ["1", "2", "3", "4"]);
}

#[test]
fn a_preview_takes_numbers_when_it_is_applied_if_no_branch_was_given_them() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             CREATE TABLE alone(id INTEGER PRIMARY KEY AUTOINCREMENT, x) AUTOINCREMENT PER BRANCH;
             INSERT INTO t(x) VALUES ('a'); CREATE BRANCH dev; INSERT INTO t@dev(x) VALUES ('dev')",
        )
        .unwrap();
    let preview = "PREVIEW BEGIN INSERT INTO t(x) VALUES ('m'), ('n'); INSERT INTO alone(x) VALUES \
                   (1); END";
    // Beyond what dev has already, and for nobody until it is applied.
    session.query(preview).unwrap();
    session.query(preview).unwrap();
    session.execute("APPLY; INSERT INTO t@dev(x) VALUES ('dev')").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t"), ["1", "3", "4"]);
    assert_eq!(rows(&session, "SELECT id FROM t@dev"), ["1", "2", "5"]);
    // Another branch was given one since.
    session.query(preview).unwrap();
    session.execute("INSERT INTO t@dev(x) VALUES ('dev')").unwrap();
    let told = error(&session, "APPLY");
    assert!(told.contains("a branch was given a number of t since the preview"), "{told}");
    assert!(error(&session, "APPLY").contains("nothing to apply"));
    assert_eq!(rows(&session, "SELECT id FROM t"), ["1", "3", "4"]);
    // Of counters that are not shared, and without numbers, there is nothing to refuse.
    session.query("PREVIEW INSERT INTO alone(x) VALUES (2)").unwrap();
    session.execute("INSERT INTO alone@dev(x) VALUES (3), (4), (5); APPLY").unwrap();
    session.query("PREVIEW UPDATE t SET x = 'u'").unwrap();
    session.execute("INSERT INTO t@dev(x) VALUES ('dev'); APPLY").unwrap();
    // What a statement chose counts once it is applied.
    session.query("PREVIEW INSERT INTO t VALUES (50, 'chosen')").unwrap();
    session.execute("INSERT INTO t@dev(x) VALUES ('dev'); APPLY").unwrap();
    session.execute("INSERT INTO t@dev(x) VALUES ('dev')").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t@dev ORDER BY id DESC LIMIT 2"), ["51", "8"]);
}

#[test]
fn a_branch_that_is_younger_than_the_preview_may_have_its_numbers() {
    let session = session();
    session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x)").unwrap();
    session.query("PREVIEW INSERT INTO t(x) VALUES ('m')").unwrap();
    session.execute("CREATE BRANCH dev; INSERT INTO t@dev(x) VALUES ('dev')").unwrap();
    assert!(error(&session, "APPLY").contains("a branch was given a number of t"));
    assert_eq!(rows(&session, "SELECT id FROM t"), [""; 0]);
}

/// What one branch counted while it was alone is known to those that begin in its past.
#[test]
fn a_branch_from_the_past_gives_no_number_again() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE BRANCH dev;
             INSERT INTO t(x) VALUES (1); INSERT INTO t@dev(x) VALUES (2)",
        )
        .unwrap();
    let number = rows(&session, "SELECT head_commit FROM pando_branches('main')").concat();
    session
        .execute(&format!(
            "DROP BRANCH dev; INSERT INTO t(x) VALUES (3), (4);
             CREATE BRANCH back AS OF TRANSACTION {number}; INSERT INTO t@back(x) VALUES (5)"
        ))
        .unwrap();
    let last = rows(&session, "SELECT max(id) FROM t").concat().parse::<i64>().unwrap();
    assert_eq!(rows(&session, "SELECT max(id) FROM t@back"), [(last + 1).to_string()]);
}
