//! PREVIEW and APPLY.

use super::{error, reopened, rows, shop};

fn part(found: &[String], section: &str) -> Vec<String> {
    let start = format!("{section}|");
    found.iter().filter(|row| row.starts_with(&start)).cloned().collect()
}

#[test]
fn a_preview_tells_what_a_statement_would_change_and_changes_nothing() {
    let session = shop();
    let before = rows(&session, "SELECT * FROM item");
    let told = rows(&session, "PREVIEW UPDATE item SET price = price + 1 WHERE id < 3");
    assert_eq!(
        part(&told, "table"),
        [
            "table|item|rows|NULL|NULL|3|3",
            "table|item|inserted|NULL|NULL|NULL|0",
            "table|item|updated|NULL|NULL|NULL|2",
            "table|item|deleted|NULL|NULL|NULL|0",
        ]
    );
    assert_eq!(part(&told, "row"), ["row|item|update|1|price|2|3", "row|item|update|2|price|5|6"]);
    assert_eq!(part(&told, "constraints"), ["constraints|NULL|all hold|NULL|NULL|NULL|NULL"]);
    assert_eq!(part(&told, "preview").len(), 2);
    assert_eq!(rows(&session, "SELECT * FROM item"), before);
    assert_eq!(session.changes(), 3);
    assert!(session.is_autocommit());
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_branches"), ["2"]);
}

#[test]
fn a_script_is_previewed_as_one_transaction_and_applied_as_one_commit() {
    let session = shop();
    let commits = rows(&session, "SELECT count(*) FROM pando_log")[0].parse::<i64>().unwrap();
    let script = "PREVIEW BEGIN
        ALTER TABLE item ADD COLUMN tag TEXT DEFAULT 'old';
        INSERT INTO item VALUES (9, 'hat', 3, 1, 'new');
        CREATE TABLE extra(id INTEGER PRIMARY KEY, x UNIQUE);
        INSERT INTO extra SELECT id, name FROM item;
        DROP INDEX by_price;
        DELETE FROM item WHERE id = 2;
        END";
    let told = rows(&session, script);
    let schema = part(&told, "schema");
    assert!(
        schema.contains(&"schema|item|column added|NULL|tag|NULL|TEXT DEFAULT 'old'".to_owned()),
        "{schema:?}"
    );
    assert!(
        schema.contains(&"schema|extra|table added|NULL|NULL|NULL|NULL".to_owned()),
        "{schema:?}"
    );
    assert!(error(&session, "SELECT * FROM extra").contains("no such table"));
    let applied = rows(&session, "APPLY");
    assert!(applied[0].starts_with("applied|main|"), "{applied:?}");
    let after = rows(&session, "SELECT count(*) FROM pando_log")[0].parse::<i64>().unwrap();
    assert_eq!(after, commits + 1);
    let session = reopened(session);
    assert_eq!(
        rows(&session, "SELECT * FROM item"),
        ["1|pen|2|10|old", "3|pad|7|1|old", "9|hat|3|1|new"]
    );
    assert_eq!(rows(&session, "SELECT count(*) FROM extra"), ["4"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    assert!(error(&session, "APPLY").contains("nothing to apply"));
}

#[test]
fn a_preview_is_not_applied_once_its_base_moved() {
    let session = shop();
    session.query("PREVIEW DELETE FROM item").unwrap();
    session.execute("UPDATE item SET stock = 5 WHERE id = 1").unwrap();
    let told = error(&session, "APPLY");
    assert!(told.contains("base moved"), "{told}");
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    assert!(error(&session, "APPLY").contains("nothing to apply"));
}

#[test]
fn a_constraint_that_fails_is_in_the_report() {
    let session = shop();
    let told = rows(&session, "PREVIEW INSERT INTO item VALUES (1, 'dup', 0, 0)");
    let constraints = part(&told, "constraints");
    assert!(constraints[0].starts_with("constraints|NULL|fails|"), "{constraints:?}");
    assert!(error(&session, "APPLY").contains("cannot be applied"));
    assert!(session.is_autocommit());
    for (sql, part) in [
        ("PREVIEW BEGIN DELETE FROM item; COMMIT; END", "cannot be previewed"),
        ("PREVIEW CREATE BRANCH x", "cannot be previewed"),
        ("PREVIEW PRAGMA foreign_keys = on", "cannot be previewed"),
        ("PREVIEW DELETE FROM nothing_there", "no such table"),
        ("PREVIEW DELETE FROM item WHERE id = ?1", "no parameters"),
    ] {
        let told = error(&session, sql);
        assert!(told.contains(part), "{sql}: {told}");
        assert!(session.is_autocommit(), "{sql}");
    }
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn other_databases_of_the_session_are_put_back() {
    let session = shop();
    session.execute("CREATE TEMP TABLE note(a); INSERT INTO note VALUES (1)").unwrap();
    session
        .query("PREVIEW BEGIN DELETE FROM note; INSERT INTO item VALUES (4,'x',1,1); END")
        .unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM note"), ["1"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn a_merge_is_previewed_and_applied_as_the_merge() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; UPDATE item SET price = 3 WHERE id = 1; USE BRANCH main;
             UPDATE item SET stock = 1 WHERE id = 2",
        )
        .unwrap();
    let told = rows(&session, "PREVIEW MERGE BRANCH dev INTO main");
    assert_eq!(part(&told, "row"), ["row|item|update|1|price|2|3"]);
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["2"]);
    session.execute("APPLY").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["3"]);
    assert_eq!(rows(&session, "SELECT stock FROM item WHERE id = 2"), ["1"]);
    let again = rows(&session, "MERGE BRANCH dev INTO main");
    assert!(again[0].starts_with("up to date"), "{again:?}");
    // Nor does the preview of that leave a commit.
    let newest = rows(&session, "SELECT head_commit FROM pando_branches('main')").remove(0);
    session.query("PREVIEW MERGE BRANCH dev INTO main").unwrap();
    assert_eq!(rows(&session, "APPLY"), [format!("nothing to do|main|{newest}|0")]);
    assert_eq!(rows(&session, "SELECT head_commit FROM pando_branches('main')"), [newest]);
    // With a conflict there is nothing to apply.
    session
        .execute(
            "USE BRANCH dev; UPDATE item SET price = 30 WHERE id = 1; USE BRANCH main;
             UPDATE item SET price = 31 WHERE id = 1",
        )
        .unwrap();
    let told = rows(&session, "PREVIEW MERGE BRANCH dev INTO main");
    assert_eq!(part(&told, "conflict"), ["conflict|item|data|1|price|31|30"]);
    assert!(error(&session, "APPLY").contains("1 conflict"));
    let told =
        rows(&session, "PREVIEW MERGE BRANCH dev INTO main WITH (conflict_resolution = 'theirs')");
    assert_eq!(part(&told, "row"), ["row|item|update|1|price|31|30"]);
}

#[test]
fn undoing_is_previewed() {
    let session = shop();
    session.execute("DELETE FROM item WHERE id = 3").unwrap();
    let newest = rows(&session, "SELECT max(transaction_id) FROM pando_log").remove(0);
    let told = rows(&session, &format!("PREVIEW UNDO TRANSACTION {newest}"));
    assert_eq!(part(&told, "table")[0], "table|item|rows|NULL|NULL|2|3");
    session.execute("APPLY").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn a_preview_has_the_past_of_its_branch_and_changes_no_other_one() {
    let session = shop();
    session.execute("TAG BRANCH main AS v1; UPDATE item SET price = 9").unwrap();
    let before = rows(&session, "SELECT max(transaction_id) FROM pando_log").remove(0);
    session.execute("UPDATE item SET price = 11").unwrap();
    let told = rows(
        &session,
        &format!(
            "PREVIEW UPDATE item SET price = old.price + dev.price
             FROM item AS OF TRANSACTION {before} AS old, item@dev AS dev
             WHERE old.id = item.id AND dev.id = item.id AND item.id = 2"
        ),
    );
    assert_eq!(part(&told, "row"), ["row|item|update|2|price|11|14"]);
    for change in ["UPDATE item@dev SET price = 0", "DELETE FROM item@dev"] {
        let told = error(&session, &format!("PREVIEW {change}"));
        assert!(told.contains("changes nothing but itself"), "{told}");
    }
    assert_eq!(rows(&session, "SELECT sum(price) FROM item@dev"), ["14"]);
}

#[test]
fn a_foreign_key_whose_parent_goes_or_is_made_again_is_not_another_one() {
    let session = shop();
    session
        .execute(
            "CREATE TABLE part(id INTEGER PRIMARY KEY, item INT REFERENCES Item(id) ON DELETE
             CASCADE, other INT REFERENCES item)",
        )
        .unwrap();
    let again = "BEGIN DROP TABLE item; CREATE TABLE item(id PRIMARY KEY); END";
    for script in ["DROP TABLE item", again] {
        let told = rows(&session, &format!("PREVIEW {script}"));
        let of_part = part(&told, "schema").into_iter().filter(|row| row.contains("|part|"));
        assert_eq!(of_part.collect::<Vec<_>>(), [""; 0], "{script}");
    }
}
