//! Changes of another branch (`t@branch`), and triggers and views that read one.

use pandodb_ds::record::Value;

use super::{error, reopened, rows, shop};
use crate::session::Step;

const ALL: &str = "SELECT id, price FROM item ORDER BY 1";

#[test]
fn rows_of_another_branch_are_inserted_changed_and_deleted() {
    let session = shop();
    session
        .execute(
            "INSERT INTO item@dev VALUES (4,'cap',9,1);
             UPDATE item@dev SET price = price + 1 WHERE id < 3;
             DELETE FROM item@dev WHERE id = 3;
             INSERT INTO main.item@dev(id, name) VALUES (9, 'box')",
        )
        .unwrap();
    assert_eq!(rows(&session, ALL), ["1|2", "2|5", "3|7"]);
    let there = "SELECT id, price FROM item@dev ORDER BY 1";
    assert_eq!(rows(&session, there), ["1|3", "2|6", "4|9", "9|NULL"]);
    // Each was a commit of that branch alone, and found by its index.
    assert_eq!(rows(&session, "SELECT id FROM item@dev WHERE price = 9"), ["4"]);
    let more = "SELECT (SELECT count(*) FROM pando_log('dev')) - (SELECT count(*) FROM pando_log)";
    assert_eq!(rows(&session, more), ["4"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    let session = reopened(session);
    assert_eq!(rows(&session, there), ["1|3", "2|6", "4|9", "9|NULL"]);
    assert_eq!(rows(&session, ALL), ["1|2", "2|5", "3|7"]);
}

#[test]
fn names_without_a_branch_mean_that_of_the_session() {
    let session = shop();
    session
        .execute(
            "CREATE TABLE only_here(id INT); INSERT INTO only_here VALUES (1), (3);
             CREATE VIEW dear AS SELECT * FROM item WHERE price > 2;
             UPDATE item SET price = 100 WHERE id = 1;",
        )
        .unwrap();
    session
        .execute(
            "INSERT INTO item@dev SELECT id + 10, name, price, 0 FROM item WHERE id = 1;
             INSERT INTO item@dev SELECT id + 20, name, price, 0 FROM dear WHERE id = 2;
             UPDATE item@dev SET stock = (SELECT price FROM item AS i WHERE i.id = item.id)
               WHERE id IN (SELECT id FROM only_here);
             UPDATE item@dev SET price = o.price FROM item@dev AS o
               WHERE o.id = 3 AND item.id = 2;",
        )
        .unwrap();
    assert_eq!(
        rows(&session, "SELECT id, price, stock FROM item@dev ORDER BY 1"),
        ["1|2|100", "2|7|4", "3|7|7", "11|100|0", "22|5|0"]
    );
    // A common table is neither here nor there.
    session
        .execute(
            "WITH item(id) AS (VALUES (3)) DELETE FROM item@dev WHERE id IN (SELECT id FROM item)",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item@dev WHERE id = 3"), ["0"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn one_transaction_changes_several_branches_without_leaving_its_own() {
    let session = shop();
    session
        .execute(
            "BEGIN; UPDATE item SET price = 20 WHERE id = 1;
             INSERT INTO item@dev SELECT id + 100, name, price, stock FROM item WHERE id = 1;
             DELETE FROM item@dev WHERE id = 2; UPDATE item SET price = 21 WHERE id = 2;",
        )
        .unwrap();
    assert_eq!(rows(&session, ALL), ["1|20", "2|21", "3|7"]);
    let there = "SELECT id, price FROM item@dev ORDER BY 1";
    assert_eq!(rows(&session, there), ["1|2", "3|7", "101|20"]);
    session.execute("SAVEPOINT s; DELETE FROM item@dev; DELETE FROM item; ROLLBACK TO s").unwrap();
    assert_eq!(rows(&session, there), ["1|2", "3|7", "101|20"]);
    session.execute("COMMIT WITH MESSAGE 'both'").unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, there), ["1|2", "3|7", "101|20"]);
    let both = "SELECT branch_name FROM pando_log('*') WHERE message = 'both' ORDER BY 1";
    assert_eq!(rows(&session, both), ["dev", "main"]);
    session.execute("BEGIN; DELETE FROM item@dev; DELETE FROM item; ROLLBACK").unwrap();
    assert_eq!(rows(&session, there), ["1|2", "3|7", "101|20"]);
    assert_eq!(rows(&session, ALL), ["1|20", "2|21", "3|7"]);
}

#[test]
fn triggers_keys_and_returned_rows_are_those_of_the_other_branch() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; CREATE TABLE log(what TEXT);
             CREATE TRIGGER noted AFTER INSERT ON item BEGIN
               INSERT INTO log VALUES ('got ' || NEW.name); END;
             CREATE TABLE part(item INT REFERENCES item(id) ON DELETE CASCADE);
             INSERT INTO part VALUES (1), (2); PRAGMA foreign_keys = ON; USE BRANCH main;",
        )
        .unwrap();
    let returned =
        "INSERT INTO item@dev VALUES (?1, 'cap', ?2, 1) RETURNING id, price * 2 AS twice";
    let (statement, _) = session.prepare(returned).unwrap();
    let mut statement = statement.unwrap();
    assert_eq!(&*statement.column_names()[1], "twice");
    for id in [7, 8] {
        statement.bind(1, Value::Integer(id)).unwrap();
        statement.bind(2, Value::Integer(id * 10)).unwrap();
        assert_eq!(statement.step().unwrap(), Step::Row);
        assert_eq!(statement.row().unwrap(), [Value::Integer(id), Value::Integer(id * 20)]);
        assert_eq!(statement.step().unwrap(), Step::Done);
        statement.reset();
    }
    drop(statement);
    assert_eq!(rows(&session, "SELECT what FROM log@dev"), ["got cap", "got cap"]);
    session.execute("DELETE FROM item@dev WHERE id = 1").unwrap();
    assert_eq!(rows(&session, "SELECT item FROM part@dev"), ["2"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    // The session is where it was, also after an error.
    assert!(error(&session, "INSERT INTO item@dev VALUES (7,'x',1,1)").contains("UNIQUE"));
    assert!(error(&session, "INSERT INTO part@dev VALUES (99)").contains("FOREIGN KEY"));
    assert!(error(&session, "INSERT INTO log VALUES ('x')").contains("no such table"));
    assert!(
        rows(&session, "EXPLAIN QUERY PLAN DELETE FROM item@dev WHERE id = 1")[0].contains("item")
    );
}

#[test]
fn what_cannot_be_changed_says_why() {
    let session = shop();
    session
        .execute("TAG BRANCH dev AS v1; CREATE BRANCH audit FROM main WITH (read_only = true)")
        .unwrap();
    let told = error(&session, "DELETE FROM item@v1");
    assert!(told.contains("cannot change the tag 'v1'"), "{told}");
    let told = error(&session, "DELETE FROM item@audit");
    assert!(told.contains("Cannot modify read-only branch: audit"), "{told}");
    assert!(error(&session, "DELETE FROM item@nowhere").contains("nowhere"));
    assert!(error(&session, "DELETE FROM missing@dev").contains("no such table"));
    session.execute("GRANT READ ON BRANCH dev TO eve; GRANT WRITE ON BRANCH main TO eve").unwrap();
    session.set_user(Some("eve"));
    assert!(error(&session, "DELETE FROM item@dev").contains("eve"));
    session.execute("DELETE FROM item WHERE id IN (SELECT id FROM item@dev WHERE id = 1)").unwrap();
    session.set_user(None);
    assert_eq!(rows(&session, "SELECT count(*) FROM item@dev"), ["3"]);
}

#[test]
fn triggers_and_views_read_other_branches() {
    let session = shop();
    session
        .execute(
            "CREATE VIEW changed AS SELECT i.id, d.price AS there FROM item AS i
               JOIN item@dev AS d ON d.id = i.id WHERE d.price <> i.price;
             CREATE TABLE log(id INT, price INT);
             CREATE TRIGGER compared AFTER UPDATE ON item BEGIN
               INSERT INTO log SELECT id, price FROM item@dev WHERE id = NEW.id; END;
             CREATE TRIGGER guarded BEFORE DELETE ON item
               WHEN OLD.id IN (SELECT id FROM item@dev) BEGIN
               SELECT RAISE(ABORT, 'still on dev'); END;",
        )
        .unwrap();
    session.execute("UPDATE item@dev SET price = 50 WHERE id = 1").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM changed"), ["1|50"]);
    session.execute("UPDATE item SET stock = 0 WHERE id < 3").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM log"), ["1|50", "2|5"]);
    assert!(error(&session, "DELETE FROM item WHERE id = 2").contains("still on dev"));
    // Another schema there, and another meaning of the name: the program is made anew.
    session.execute("DELETE FROM item@dev WHERE id = 2; DELETE FROM item WHERE id = 2").unwrap();
    session
        .execute(
            "USE BRANCH dev; ALTER TABLE item ADD COLUMN note; UPDATE item SET price = 60;
             USE BRANCH main; UPDATE item SET stock = 9 WHERE id = 3",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT * FROM log"), ["1|50", "2|5", "3|60"]);
    session.execute("RENAME BRANCH dev TO old").unwrap();
    assert!(error(&session, "UPDATE item SET stock = 1").contains("dev"));
    session.execute("RENAME BRANCH old TO dev").unwrap();
    let session = reopened(session);
    session.execute("UPDATE item SET stock = 3 WHERE id = 3").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM log"), ["4"]);
    // On dev itself the name means the branch that the trigger works on.
    session
        .execute("MERGE BRANCH main INTO dev WITH (conflict_resolution = 'source_wins')")
        .unwrap();
    session
        .execute("USE BRANCH dev; DELETE FROM log; UPDATE item SET price = 5 WHERE id = 1")
        .unwrap();
    assert_eq!(rows(&session, "SELECT * FROM log"), ["1|5"]);
}

#[test]
fn a_name_with_a_branch_is_no_temporary_table_for_changes_either() {
    let session = shop();
    session
        .execute(
            "CREATE TEMP TABLE item(id INTEGER PRIMARY KEY, name, price, stock);
             INSERT INTO temp.item VALUES (50, 'own', 0, 0);
             INSERT INTO item@main VALUES (4, 'cap', 9, 1);
             INSERT INTO item@main VALUES (4, 'cap', 9, 1) ON CONFLICT DO UPDATE SET stock = 2;
             UPDATE item@main SET price = item.price + s.price FROM item@dev AS s
               WHERE s.id = item.id;
             WITH item AS (SELECT 1 AS id) DELETE FROM item@main WHERE id IN (SELECT id FROM item);
             INSERT INTO item@dev VALUES (5, 'box', 1, 1)",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id, price FROM temp.item"), ["50|0"]);
    assert_eq!(
        rows(&session, "SELECT id, price FROM main.item ORDER BY 1"),
        ["2|10", "3|14", "4|9"]
    );
    assert_eq!(rows(&session, "SELECT stock FROM item@main WHERE id = 4"), ["2"]);
    assert_eq!(rows(&session, "SELECT id FROM item@dev ORDER BY 1"), ["1", "2", "3", "5"]);
    let returning = "DELETE FROM item@main WHERE id = 4 RETURNING name";
    assert_eq!(rows(&session, returning), ["cap"]);
    // A temporary trigger of the temporary table is not asked, one of the table is.
    session
        .execute(
            "CREATE TEMP TABLE seen(which);
             CREATE TEMP TRIGGER of_temp AFTER DELETE ON temp.item BEGIN
               INSERT INTO seen VALUES ('temp'); END;
             CREATE TEMP TRIGGER of_main AFTER DELETE ON main.item BEGIN
               INSERT INTO seen VALUES ('main'); END;
             DELETE FROM item@main WHERE id = 3",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT which FROM seen"), ["main"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM temp.item"), ["1"]);
}

#[test]
fn without_a_table_of_the_branch_a_change_says_so_whatever_else_has_the_name() {
    let session = shop();
    session
        .execute(
            "CREATE TEMP TABLE own(x); CREATE TEMP VIEW shown AS SELECT 1 AS x;
             CREATE TEMP TRIGGER t INSTEAD OF INSERT ON shown BEGIN SELECT 1; END;
             ATTACH ':memory:' AS beside; CREATE TABLE beside.far(x)",
        )
        .unwrap();
    for name in ["own", "shown", "far"] {
        for branch in ["main", "dev"] {
            let wanted = format!("no such table: {name}@{branch}");
            for sql in [
                format!("SELECT * FROM {name}@{branch}"),
                format!("INSERT INTO {name}@{branch} VALUES (1)"),
                format!("UPDATE {name}@{branch} SET x = 1"),
                format!("DELETE FROM {name}@{branch}"),
            ] {
                assert_eq!(error(&session, &sql), wanted, "{sql}");
            }
        }
    }
    assert_eq!(rows(&session, "SELECT count(*) FROM own"), ["0"]);
}

#[test]
fn a_trigger_that_would_change_another_branch_is_not_made() {
    let session = shop();
    session.execute("CREATE TABLE audit(what); INSERT INTO audit@main VALUES ('x')").unwrap();
    for kind in ["", "TEMP "] {
        for body in [
            "INSERT INTO audit@dev VALUES (NEW.name)",
            "UPDATE audit@dev SET what = 1",
            "SELECT 1; DELETE FROM audit@main",
        ] {
            let sql = format!("CREATE {kind}TRIGGER t AFTER INSERT ON item BEGIN {body}; END");
            let told = error(&session, &sql);
            assert!(told.contains("a trigger cannot change another branch"), "{sql}: {told}");
        }
    }
    session.execute("INSERT INTO item VALUES (9, 'x', 1, 1)").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM audit"), ["1"]);
}

/// What `temp` names is no table of a branch, so that nothing is stored where nobody looks for it.
#[test]
fn a_temporary_table_is_on_no_branch_and_a_file_beside_has_its_own() {
    let session = shop();
    session
        .execute(
            "CREATE TEMP TABLE own(x); INSERT INTO own VALUES (1);
             ATTACH ':memory:' AS beside; CREATE TABLE beside.far(x)",
        )
        .unwrap();
    for name in ["temp.own@main", "temp.own@dev", "TEMP.item@dev"] {
        for sql in [
            format!("SELECT * FROM {name}"),
            format!("INSERT INTO {name} VALUES (2)"),
            format!("UPDATE {name} SET x = 2"),
            format!("DELETE FROM {name}"),
            format!("EXPLAIN QUERY PLAN DELETE FROM {name}"),
        ] {
            let told = error(&session, &sql);
            assert!(told.contains("temporary tables belong to no branch"), "{sql}: {told}");
        }
    }
    let told = error(&session, "SELECT * FROM temp.own AS OF TRANSACTION 1");
    assert!(told.contains("temporary tables have no past: own"), "{told}");
    assert_eq!(rows(&session, "SELECT x FROM own"), ["1"]);
    session
        .execute("INSERT INTO beside.far@main VALUES (1); UPDATE beside.far@main SET x = x + 1")
        .unwrap();
    assert_eq!(rows(&session, "SELECT x FROM beside.far@main"), ["2"]);
    for sql in ["SELECT * FROM beside.far@dev", "DELETE FROM beside.far@dev"] {
        assert!(error(&session, sql).contains("dev"), "{sql}");
    }
    assert_eq!(rows(&session, "SELECT x FROM beside.far"), ["2"]);
}
