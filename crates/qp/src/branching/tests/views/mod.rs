//! System views in queries. Neighbours: `super` has the database that they look at.

mod differences;
mod faults;
mod streams;

use super::{error, rows, shop};

#[test]
fn branches_tags_and_the_way_back_can_be_queried() {
    let session = shop();
    session
        .execute(
            "TAG BRANCH main AS v1;
             USE BRANCH dev; UPDATE item SET price = 3 WHERE id = 1; UPDATE item SET stock = 0;
             RESET BRANCH dev TO TAG v1",
        )
        .unwrap();
    assert_eq!(
        rows(
            &session,
            "SELECT b.branch_name, p.branch_name, b.is_current FROM pando_branches b
             LEFT JOIN pando_branches p ON p.branch_name = b.parent_branch ORDER BY 1"
        ),
        ["dev|main|1", "main|NULL|0"]
    );
    assert_eq!(rows(&session, "SELECT tag_name, branch_name FROM pando_tags"), ["v1|main"]);
    assert_eq!(
        rows(&session, "SELECT branch_name, reason FROM pando_reflog"),
        ["dev|reset to tag 'v1'"]
    );
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_conflicts"), ["0"]);
}

#[test]
fn the_log_has_both_parents_of_a_merge() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; UPDATE item SET price = 3 WHERE id = 1;
             USE BRANCH main; UPDATE item SET stock = 9 WHERE id = 1;
             MERGE BRANCH dev INTO main WITH (message = 'take dev', author = 'ann')",
        )
        .unwrap();
    let merge = rows(
        &session,
        "SELECT author, message, branch_name FROM pando_log WHERE merged IS NOT NULL",
    );
    assert_eq!(merge, ["ann|take dev|main"]);
    let parents = rows(
        &session,
        "SELECT count(*) FROM pando_log l JOIN pando_log p ON p.transaction_id IN (l.parent, \
         l.merged) WHERE l.merged IS NOT NULL",
    );
    assert_eq!(parents, ["2"]);
    // Only the branch's own and what it took.
    let own = rows(&session, "SELECT count(*) FROM pando_log('dev')");
    let all = rows(&session, "SELECT count(*) FROM pando_log('*')");
    assert!(own[0].parse::<u64>().unwrap() < all[0].parse::<u64>().unwrap(), "{own:?} {all:?}");
}

#[test]
fn what_a_transaction_changed_is_listed() {
    let session = shop();
    session
        .execute(
            "BEGIN; UPDATE item SET price = 3 WHERE id = 1; DELETE FROM item WHERE id = 2;
             ALTER TABLE item ADD COLUMN tag TEXT; COMMIT WITH MESSAGE 'three things'",
        )
        .unwrap();
    let changed = rows(
        &session,
        "SELECT object_type, object_name, change, row_key, c.column_name, old_value, new_value
         FROM pando_log l, pando_changes(l.transaction_id) c
         WHERE l.message = 'three things' AND c.change <> 'delete'",
    );
    assert_eq!(changed, ["table|item|added|NULL|tag|NULL|TEXT", "row|item|update|1|price|2|3"]);
    assert!(error(&session, "SELECT * FROM pando_changes('x')").contains("number"));
    assert!(error(&session, "SELECT * FROM pando_changes(99999)").contains("no transaction"));
}

#[test]
fn a_table_differs_with_its_own_columns_and_types() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; UPDATE item SET price = 3 WHERE id = 1; DELETE FROM item WHERE id = 2;
             INSERT INTO item VALUES (4,'cap',9,9); USE BRANCH main",
        )
        .unwrap();
    let sql = "SELECT change, changed_columns, old_id, new_id, old_price, new_price
               FROM pando_diff('item', 'main', 'dev')";
    assert_eq!(
        rows(&session, sql),
        ["update|price|1|1|2|3", "delete|NULL|2|NULL|5|NULL", "insert|NULL|NULL|4|NULL|9"]
    );
    // Affinity of the column: '9' is the number.
    let typed = "SELECT new_id FROM pando_diff('item', 'main', 'dev') WHERE new_price = '9'";
    assert_eq!(rows(&session, typed), ["4"]);
    assert_eq!(
        rows(&session, "SELECT * FROM pando_diff_summary('main', 'dev')"),
        ["table|item|0|1|1|1|1"]
    );
    // A prepared statement follows the schema of the branch.
    let (statement, _) =
        session.prepare("SELECT * FROM pando_diff('item', 'main', 'dev')").unwrap();
    let mut statement = statement.unwrap();
    statement.run().unwrap();
    assert_eq!(statement.column_count(), 10);
    session.execute("ALTER TABLE item ADD COLUMN tag TEXT").unwrap();
    statement.run().unwrap();
    assert_eq!(statement.column_count(), 12);
}

#[test]
fn a_difference_needs_constants_and_names_that_are_there() {
    let session = shop();
    for (sql, part) in [
        ("SELECT * FROM pando_diff('item', ?1, 'dev')", "constants"),
        ("SELECT * FROM pando_diff('item', 'main')", "3 arguments"),
        ("SELECT * FROM pando_diff('nothing', 'main', 'dev')", "no such table"),
        ("SELECT * FROM pando_diff('item', 'main', 'dve')", "there is no branch 'dve'"),
        ("SELECT * FROM pando_branchse", "no such table"),
    ] {
        let message = error(&session, sql);
        assert!(message.contains(part), "{sql}: {message}");
    }
}

#[test]
fn sizes_tell_what_is_owned_and_what_is_shared() {
    let session = shop();
    session
        .execute(
            "INSERT INTO item SELECT value, 'n' || value, value, value
             FROM generate_series(100, 20000);
             USE BRANCH dev; MERGE BRANCH main INTO dev",
        )
        .unwrap();
    let sizes = |branch: &str, name: &str| -> (i64, i64) {
        let sql = format!(
            "SELECT own_bytes, shared_bytes FROM pando_sizes('{branch}') WHERE object_name = \
             '{name}'"
        );
        let row = rows(&session, &sql).remove(0);
        let (own, shared) = row.split_once('|').unwrap();
        (own.parse().unwrap(), shared.parse().unwrap())
    };
    let (own, shared) = sizes("dev", "item");
    assert!(own == 0 && shared > 100_000, "{own} {shared}");
    session.execute("UPDATE item SET stock = -1 WHERE id = 500").unwrap();
    let (own, still_shared) = sizes("dev", "item");
    assert!(own > 0 && own < shared / 4 && still_shared < shared, "{own} {still_shared}");
    // The index on another column was not changed.
    assert_eq!(sizes("dev", "by_price").0, 0);
    let (all, _) = sizes("dev", "dev");
    assert!(all >= own);
}
