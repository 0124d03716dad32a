//! UNDO TRANSACTION, CHERRY PICK, RESTORE TABLE, and merges that crossed.

use super::{error, rows, session, shop};
use crate::session::Session;

fn newest(session: &Session) -> i64 {
    rows(session, "SELECT max(transaction_id) FROM pando_log")[0].parse().unwrap()
}

#[test]
fn undoing_a_transaction_keeps_later_work() {
    let session = shop();
    session
        .execute(
            "BEGIN; UPDATE item SET price = 20 WHERE id = 1; DELETE FROM item WHERE id = 3;
             COMMIT WITH MESSAGE 'oops'",
        )
        .unwrap();
    let oops = newest(&session);
    session.execute("UPDATE item SET stock = 77 WHERE id = 1").unwrap();
    let undone = rows(&session, &format!("UNDO TRANSACTION {oops}"));
    assert_eq!(undone, [format!("undone|transaction {oops}|main|1|1|0|0|0|0|0|0")]);
    assert_eq!(rows(&session, "SELECT * FROM item"), ["1|pen|2|77", "2|ink|5|4", "3|pad|7|1"]);
    let message = "SELECT message FROM pando_log LIMIT 1";
    assert_eq!(rows(&session, message), [format!("undo transaction {oops}: oops")]);
    // The way back is an undo as well.
    let undo = newest(&session);
    session.execute(&format!("UNDO TRANSACTION {undo}")).unwrap();
    assert_eq!(rows(&session, "SELECT * FROM item"), ["1|pen|20|77", "2|ink|5|4"]);
    let again = rows(&session, &format!("UNDO TRANSACTION {undo}"));
    assert!(again[0].starts_with("nothing to do|"), "{again:?}");
}

#[test]
fn an_undo_that_meets_later_work_names_it_and_can_stay_open() {
    let session = shop();
    session.execute("UPDATE item SET price = 20 WHERE id = 1").unwrap();
    let first = newest(&session);
    session.execute("UPDATE item SET price = 30 WHERE id = 1").unwrap();
    let second = newest(&session);
    let told = error(&session, &format!("UNDO TRANSACTION {first}"));
    assert!(told.contains(&format!("transactions since: {second}")), "{told}");
    let dry = rows(&session, &format!("UNDO TRANSACTION {first} WITH (dry_run = true)"));
    assert!(dry[0].starts_with("conflicts|") && dry[0].ends_with("|1"), "{dry:?}");
    session
        .execute(&format!("UNDO TRANSACTION {first} WITH (conflict_resolution = 'manual')"))
        .unwrap();
    assert_eq!(
        rows(
            &session,
            "SELECT kind, object_name, column_name, base, ours, theirs FROM pando_conflicts"
        ),
        ["data|item|price|20|30|2"]
    );
    assert!(error(&session, &format!("UNDO TRANSACTION {first}")).contains("is open"));
    assert!(error(&session, "CONTINUE MERGE").contains("1 conflict"));
    session.execute("RESOLVE CONFLICT 1 WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["2"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_conflicts"), ["0"]);
    // Given up, it leaves nothing.
    let undo = format!("UNDO TRANSACTION {first} WITH (conflict_resolution = 'manual')");
    session.execute("UPDATE item SET price = 31 WHERE id = 1").unwrap();
    session.execute(&undo).unwrap();
    session.execute("ABORT MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["31"]);
}

#[test]
fn a_commit_is_picked_onto_another_branch() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; INSERT INTO item VALUES (8,'map',1,1);
             BEGIN; ALTER TABLE item ADD COLUMN tag TEXT DEFAULT 'x';
             UPDATE item SET price = 9 WHERE id = 2; COMMIT;",
        )
        .unwrap();
    let wanted = newest(&session);
    session.execute("UPDATE item SET price = 10 WHERE id = 3; USE BRANCH main").unwrap();
    let picked = rows(&session, &format!("CHERRY PICK TRANSACTION {wanted}"));
    assert!(
        picked[0].starts_with(&format!("picked|transaction {wanted}|main|0|1|0|0|1|")),
        "{picked:?}"
    );
    assert_eq!(
        rows(&session, "SELECT * FROM item"),
        ["1|pen|2|10|x", "2|ink|9|4|x", "3|pad|7|1|x"]
    );
    assert!(error(&session, &format!("UNDO TRANSACTION {wanted}")).contains("transaction"));
    assert!(error(&session, "CHERRY PICK 999999").contains("no transaction"));
    session.execute("CREATE BRANCH frozen WITH (strategy = 'readonly')").unwrap();
    let refused = error(&session, &format!("CHERRY PICK {wanted} INTO frozen"));
    assert!(refused.contains("Cannot modify read-only branch: frozen"), "{refused}");
}

#[test]
fn one_table_is_restored_from_a_branch_a_tag_or_a_time() {
    let session = shop();
    session
        .execute(
            "CREATE TABLE other(a); INSERT INTO other VALUES (1); TAG BRANCH main AS before;
             DELETE FROM item WHERE id > 1; UPDATE other SET a = 2;
             ALTER TABLE item ADD COLUMN extra TEXT; INSERT INTO item VALUES (9,'new',0,0,'e')",
        )
        .unwrap();
    session.execute("RESTORE TABLE item AS OF TAG before").unwrap();
    let before = ["1|pen|2|10", "2|ink|5|4", "3|pad|7|1"];
    assert_eq!(rows(&session, "SELECT * FROM item"), before);
    assert_eq!(rows(&session, "SELECT a FROM other"), ["2"]);
    assert_eq!(rows(&session, "SELECT id FROM item WHERE price = 5"), ["2"]);
    session.execute("DROP TABLE item").unwrap();
    session.execute("RESTORE TABLE item FROM dev").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM item"), before);
    assert_eq!(rows(&session, "SELECT id FROM item INDEXED BY by_price WHERE price = 7"), ["3"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    assert!(error(&session, "RESTORE TABLE absent FROM dev").contains("no such table"));
}

#[test]
fn merges_that_crossed_use_all_their_bases() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
             INSERT INTO t VALUES (1,'a0','b0'),(2,'x','x');
             CREATE BRANCH left; CREATE BRANCH right;
             USE BRANCH left; UPDATE t SET a = 'left' WHERE id = 1;
             USE BRANCH right; UPDATE t SET b = 'right' WHERE id = 1;
             CREATE BRANCH left_then FROM left; CREATE BRANCH right_then FROM right;
             MERGE BRANCH right_then INTO left; MERGE BRANCH left_then INTO right;
             USE BRANCH left; UPDATE t SET a = 'again' WHERE id = 1;
             USE BRANCH right; UPDATE t SET b = 'more' WHERE id = 1;",
        )
        .unwrap();
    // With one of the two bases alone, one side's older change would count as the newer.
    assert_eq!(rows(&session, "MERGE BRANCH left INTO right")[0].split('|').next(), Some("merged"));
    assert_eq!(rows(&session, "SELECT a, b FROM t WHERE id = 1"), ["again|more"]);
}

#[test]
fn a_cell_that_the_bases_disagree_on_counts_as_changed_by_both() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a);
             INSERT INTO t VALUES (1,'base');
             CREATE BRANCH left; CREATE BRANCH right;
             USE BRANCH left; UPDATE t SET a = 'left';
             USE BRANCH right; UPDATE t SET a = 'right';
             CREATE BRANCH left_then FROM left; CREATE BRANCH right_then FROM right;
             MERGE BRANCH right_then INTO left WITH (conflict_resolution = 'target_wins');
             MERGE BRANCH left_then INTO right WITH (conflict_resolution = 'target_wins');",
        )
        .unwrap();
    let told = error(&session, "MERGE BRANCH left INTO right");
    assert!(told.contains("1 conflict"), "{told}");
    let told = error(&session, "MERGE BRANCH right INTO left");
    assert!(told.contains("1 conflict"), "{told}");
}

#[test]
fn a_source_that_deletes_itself_is_gone_after_its_merge_and_the_session_goes_on() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH task WITH (auto_delete = true); USE BRANCH task;
             UPDATE item SET price = 1 WHERE id = 1; MERGE BRANCH task INTO main",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT branch_name FROM pando_branches WHERE is_current"), ["main"]);
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["1"]);
    assert!(error(&session, "USE BRANCH task").contains("no branch 'task'"));
}

/// A table that was made anew under the old name gives way with what it holds, and what mentions it
/// by its name goes on.
#[test]
fn a_table_is_restored_over_another_one_of_its_name() {
    let session = shop();
    session
        .execute(
            "CREATE VIEW dear AS SELECT name FROM item WHERE price > 4;
             CREATE VIEW dearest AS SELECT max(name) AS name FROM dear;
             CREATE TABLE log(what); CREATE TABLE part(id, item REFERENCES item(id));
             CREATE TRIGGER noted AFTER INSERT ON log
             BEGIN UPDATE item SET price = price + 1 WHERE id = 1; END;
             TAG BRANCH main AS v1; DROP TABLE item;
             CREATE TABLE item(price INT, name TEXT, id INTEGER PRIMARY KEY);
             INSERT INTO item VALUES (9, 'new', 1)",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT * FROM dear"), ["new"]);
    session.execute("RESTORE TABLE item FROM v1").unwrap();
    assert_eq!(
        rows(&session, "SELECT id, name, price FROM item"),
        ["1|pen|2", "2|ink|5", "3|pad|7"]
    );
    assert_eq!(rows(&session, "SELECT * FROM dear"), ["ink", "pad"]);
    assert_eq!(rows(&session, "SELECT * FROM dearest"), ["pad"]);
    session.execute("INSERT INTO log VALUES ('x'); PRAGMA foreign_keys = ON").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["3"]);
    assert!(session.execute("INSERT INTO part VALUES (1, 99)").is_err());
    session.execute("INSERT INTO part VALUES (1, 3)").unwrap();
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    // The texts are as they were written.
    let text = "SELECT sql FROM sqlite_master WHERE name = 'dear'";
    let written = "CREATE VIEW dear AS SELECT name FROM item WHERE price > 4";
    assert_eq!(rows(&session, text), [written]);
}

/// What needs a column that the table which comes back has not is in the way.
#[test]
fn a_table_is_not_restored_under_what_needs_a_column_more() {
    let session = shop();
    session
        .execute(
            "TAG BRANCH main AS v1; DROP TABLE item;
             CREATE TABLE item(id INTEGER PRIMARY KEY, colour TEXT);
             CREATE VIEW red AS SELECT id FROM item WHERE colour = 'red'",
        )
        .unwrap();
    let failed = session.query("RESTORE TABLE item FROM v1").map(|rows| rows.rows.len());
    let failed = failed.unwrap_err();
    assert!(failed.to_string().contains("restoring table item met 1 conflict"), "{failed}");
    assert!(failed.hint().is_some_and(|hint| hint.starts_with("DROP what is in the way")));
    session.execute("DROP VIEW red; RESTORE TABLE item FROM v1").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

/// A number that is no transaction of the branch is told as that, with what there is.
#[test]
fn undo_says_which_transactions_there_are_and_whose_one_is() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, x); TAG BRANCH main AS start;
             INSERT INTO t VALUES (1, 1); CREATE BRANCH dev; INSERT INTO t@dev VALUES (2, 2)",
        )
        .unwrap();
    let numbers = |branch: &str| {
        let listed = format!("SELECT transaction_id FROM pando_log('{branch}') ORDER BY 1");
        rows(&session, &listed)
    };
    let told = |sql: &str| {
        let error = session.query(sql).map(drop).unwrap_err();
        (error.message().to_owned(), error.hint().unwrap_or_default().to_owned())
    };
    let main = numbers("main");
    let (first, last) = (main.first().unwrap(), main.last().unwrap());
    let span = format!("the branch 'main' has some of {first} to {last}: SHOW COMMITS lists them");
    // The tag is none that anybody can undo.
    let mut between = first.parse::<u64>().unwrap()..last.parse().unwrap();
    let tagged = between.find(|number| !main.contains(&number.to_string())).unwrap().to_string();
    for number in ["0", &tagged, "99999"] {
        let none = (format!("there is no transaction {number}"), span.clone());
        assert_eq!(told(&format!("UNDO TRANSACTION {number}")), none);
    }
    let dev = numbers("dev").pop().unwrap();
    assert_eq!(
        told(&format!("UNDO TRANSACTION {dev}")),
        (
            format!("the branch 'main' has no transaction {dev}"),
            "it is one of the branch 'dev': USE BRANCH it first".to_owned()
        )
    );
    session.execute("RESET BRANCH main TO TAG start").unwrap();
    let (message, hint) = told(&format!("UNDO TRANSACTION {last}"));
    assert_eq!(message, format!("the branch 'main' has no transaction {last}"));
    assert!(hint.contains(&format!("CHERRY PICK TRANSACTION {last} does it again")), "{hint}");
    session.execute("CREATE BRANCH gone; INSERT INTO t@gone VALUES (9, 9)").unwrap();
    let gone = numbers("gone").pop().unwrap();
    session.execute("DROP BRANCH gone").unwrap();
    let (_, hint) = told(&format!("UNDO TRANSACTION {gone}"));
    assert_eq!(hint, "it was made on a branch that is gone");
}

/// What the target never had it did not drop.
#[test]
fn a_pick_says_that_the_target_lacks_what_it_never_had() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; CREATE TABLE u(id INTEGER PRIMARY KEY, a INT);
             ALTER TABLE item ADD COLUMN tag TEXT; INSERT INTO u VALUES (1, 1);
             INSERT INTO item VALUES (7, 'cap', 1, 1, 'x')",
        )
        .unwrap();
    let picks = [
        ("INSERT INTO u VALUES (2, 2)", "the target does not have the table, the source changed"),
        ("UPDATE item SET price = 2 WHERE id = 7", "the target does not have the row, the source"),
        ("UPDATE item SET tag = 'y' WHERE id = 1", "the target does not have the column tag"),
        ("ALTER TABLE item RENAME tag TO label", "the target does not have the column, the source"),
    ];
    for (sql, why) in picks {
        session.execute(&format!("USE BRANCH dev; {sql}")).unwrap();
        let number = rows(&session, "SELECT head_commit FROM pando_branches('dev')").concat();
        session.execute("USE BRANCH main").unwrap();
        let told = error(&session, &format!("CHERRY PICK TRANSACTION {number} INTO main"));
        assert!(told.contains(why), "{sql}: {told}");
    }
    // What it dropped it did.
    session.execute("CREATE TABLE v(a); INSERT INTO v VALUES (1)").unwrap();
    let number = rows(&session, "SELECT head_commit FROM pando_branches('main')").concat();
    session.execute("UPDATE v SET a = 2; DROP TABLE v").unwrap();
    let told = error(&session, &format!("UNDO TRANSACTION {number}"));
    assert!(told.contains("the target dropped the table"), "{told}");
}

/// A table that comes back may need what is not there: nothing is in the way then.
#[test]
fn what_a_table_that_comes_back_needs_is_asked_for() {
    let (then, now, table, told, hint, first) = (
        "CREATE TABLE owner(id INTEGER PRIMARY KEY); INSERT INTO owner VALUES (1);
             CREATE TABLE part(id INTEGER PRIMARY KEY, owner REFERENCES owner(id));
             INSERT INTO part VALUES (1, 1)",
        "DROP TABLE part; DROP TABLE owner",
        "part",
        "part refers to no row of owner by owner = 1",
        "RESTORE TABLE the parents that are missing first, or insert them",
        "owner",
    );
    let session = shop();
    session
        .execute(&format!(
            "PRAGMA foreign_keys = ON; USE BRANCH dev; {then}; USE BRANCH main;
             MERGE BRANCH dev INTO main; {now}"
        ))
        .unwrap();
    let restore = format!("RESTORE TABLE {table} FROM dev");
    let before = rows(&session, "SELECT sql FROM sqlite_schema");
    let failed = session.query(&restore).map(|rows| rows.rows.len()).unwrap_err();
    assert!(failed.to_string().contains(told), "{failed}");
    assert_eq!(failed.hint(), Some(hint));
    assert_eq!(rows(&session, "SELECT sql FROM sqlite_schema"), before);
    session.execute(&format!("RESTORE TABLE {first} FROM dev; {restore}")).unwrap();
    assert_eq!(rows(&session, "PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

/// Triggers come back with their table, whatever else they mention; one that needs what is not
/// there stays behind, and the result says so.
#[test]
fn triggers_come_back_with_the_table_that_they_are_on() {
    const TRIGGERS: &str = "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1";
    // Either table may be the older one, and each may have a trigger that writes to the other.
    for tables in
        ["CREATE TABLE c(x); CREATE TABLE p(a, b)", "CREATE TABLE p(a, b); CREATE TABLE c(x)"]
    {
        let session = shop();
        session
            .execute(&format!(
                "{tables}; CREATE TRIGGER trp AFTER INSERT ON p BEGIN INSERT INTO c(x) VALUES
                 (NEW.b); END;
                 CREATE TRIGGER trc AFTER DELETE ON c BEGIN DELETE FROM p WHERE a = OLD.x; END;
                 INSERT INTO p VALUES (1, 2); CREATE BRANCH d; DROP TABLE c; DROP TABLE p"
            ))
            .unwrap();
        let left_out = |table: &str| {
            let found = session.query(&format!("RESTORE TABLE {table} FROM d")).unwrap();
            let names: Vec<&str> = found.columns.iter().map(|column| &**column).collect();
            assert_eq!((names[0], names.last().copied()), ("status", Some("left_out")));
            found.rows[0].last().cloned().unwrap()
        };
        let text = pandodb_ds::record::Value::text;
        assert_eq!(left_out("p"), text("trigger trp: there is no table c"));
        assert_eq!(rows(&session, TRIGGERS), [""; 0]);
        assert_eq!(left_out("c"), pandodb_ds::record::Value::Null);
        assert_eq!(rows(&session, TRIGGERS), ["trc"]);
        assert_eq!(left_out("p"), pandodb_ds::record::Value::Null);
        assert_eq!(rows(&session, TRIGGERS), ["trc", "trp"]);
        session.execute("INSERT INTO p VALUES (3, 4)").unwrap();
        assert_eq!(rows(&session, "SELECT x FROM c ORDER BY 1"), ["2", "4"]);
        // The other one first.
        session.execute("DROP TABLE p; DROP TABLE c").unwrap();
        assert_eq!(left_out("c"), text("trigger trc: there is no table p"));
        assert_eq!(left_out("p"), pandodb_ds::record::Value::Null);
        assert_eq!(rows(&session, TRIGGERS), ["trp"]);
        // Another table that has the name and the columns does, one without them does not.
        session.execute("DROP TABLE p; DROP TABLE c; CREATE TABLE c(y)").unwrap();
        assert_eq!(left_out("p"), text("trigger trp: table c has no column x"));
        session.execute("DROP TABLE p; DROP TABLE c; CREATE TABLE c(y, x)").unwrap();
        assert_eq!(left_out("p"), pandodb_ds::record::Value::Null);
        session.execute("INSERT INTO p VALUES (5, 6)").unwrap();
        assert_eq!(rows(&session, "SELECT x FROM c"), ["6"]);
        // One that is there already stays.
        session.execute("DROP TABLE c").unwrap();
        assert_eq!(left_out("p"), pandodb_ds::record::Value::Null);
        assert_eq!(rows(&session, TRIGGERS), ["trp"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

/// As if the table had never been away while others were renamed.
#[test]
fn triggers_that_come_back_follow_what_was_renamed_since() {
    for (what, since, left_out, check, expected) in [
        ("a table", "ALTER TABLE c RENAME TO cc", "NULL", "SELECT x, y FROM cc", "2|1"),
        ("a column", "ALTER TABLE c RENAME x TO z", "NULL", "SELECT z, y FROM c", "2|1"),
        (
            "both, and the names are given to others",
            "ALTER TABLE c RENAME TO cc; ALTER TABLE cc RENAME x TO z;
             ALTER TABLE cc ADD COLUMN x; CREATE TABLE c(x, y)",
            "NULL",
            "SELECT z, y, x, (SELECT count(*) FROM c) FROM cc",
            "2|1|NULL|0",
        ),
        (
            "names that change places",
            "ALTER TABLE c RENAME TO e; ALTER TABLE d RENAME TO c; ALTER TABLE e RENAME TO d;
             ALTER TABLE d RENAME x TO w; ALTER TABLE d RENAME y TO x; ALTER TABLE d RENAME w TO y",
            "NULL",
            "SELECT y, x, (SELECT group_concat(k) FROM c) FROM d",
            "2|1|1",
        ),
        ("a name of what is gone", "DROP TABLE d; ALTER TABLE c RENAME TO d", "", "SELECT 1", "1"),
        ("another one is dropped", "DROP TABLE d", "", "SELECT count(*) FROM c", "0"),
    ] {
        let session = shop();
        session
            .execute(&format!(
                "CREATE TABLE p(a, b); CREATE TABLE c(x, y); CREATE TABLE d(k);
                 CREATE TRIGGER trp AFTER INSERT ON p BEGIN
                   INSERT INTO c(x, y) SELECT NEW.b, NEW.a WHERE NEW.b NOT IN (SELECT x FROM c);
                   INSERT INTO d VALUES (NEW.a); END;
                 CREATE BRANCH old; DROP TABLE p; {since}"
            ))
            .unwrap();
        let restored = rows(&session, "RESTORE TABLE p FROM old").concat();
        let is_whole = left_out == "NULL";
        assert_eq!(restored.ends_with("|NULL"), is_whole, "{what}: {restored}");
        session.execute("INSERT INTO p VALUES (1, 2)").unwrap();
        assert_eq!(rows(&session, check), [expected], "{what}");
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{what}");
        let triggers = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
        assert_eq!(rows(&session, triggers), [if is_whole { "1" } else { "0" }], "{what}");
        assert!(
            rows(&session, "SELECT name FROM sqlite_schema WHERE sql LIKE '%restoring%'")
                .is_empty()
        );
        let diff = rows(&session, "SHOW DIFF BETWEEN old AND main");
        assert!(diff.iter().all(|row| !row.contains("restoring")), "{what}: {diff:?}");
    }
}
