//! Branches that go by themselves, and those that stay: what time, options and merges may not drop.
//!
//! Neighbours: `statements` (branches are made and dropped), the branch crate's `registry::life`.

use super::{error, reopened, rows, session, shop};

const NAMES: &str = "SELECT branch_name FROM pando_branches ORDER BY 1";

#[test]
fn the_first_branch_and_protected_ones_outlive_their_options() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH kept WITH (protected = true, ttl = '0s');
             CREATE BRANCH gone WITH (ttl = '0s');
             CREATE BRANCH loose WITH (temporary = true);
             CREATE BRANCH tied WITH (temporary = true, protected = true)",
        )
        .unwrap();
    for (option, value) in [("ttl", "'0s'"), ("temporary", "true"), ("auto_delete", "true")] {
        let alter = format!("ALTER BRANCH main SET (description = 'x', {option} = {value})");
        let told = error(&session, &alter);
        assert!(told.contains(&format!("stays: {option} has no effect on it")), "{told}");
    }
    let said = "SELECT count(*) FROM pando_branches('main') WHERE description = 'x'";
    assert_eq!(rows(&session, said), ["0"]);
    // What takes them back is no mistake.
    session
        .execute("ALTER BRANCH main SET (ttl = NULL, temporary = false, auto_delete = false)")
        .unwrap();
    session.execute("INSERT INTO item(name) VALUES ('cap'); MERGE BRANCH main INTO dev").unwrap();
    assert_eq!(rows(&session, NAMES), ["dev", "kept", "loose", "main", "tied"]);
    let session = reopened(session);
    assert_eq!(rows(&session, NAMES), ["dev", "kept", "main", "tied"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["4"]);
    session.execute("ALTER BRANCH kept SET (protected = false)").unwrap();
    assert_eq!(rows(&session, NAMES), ["dev", "main", "tied"]);
}

#[test]
fn a_branch_stays_while_an_open_merge_needs_it() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH other; UPDATE item@dev SET price = 1; UPDATE item@other SET price = 3;
             UPDATE item SET price = 2;
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual');
             MERGE BRANCH main INTO other WITH (conflict_resolution = 'manual')",
        )
        .unwrap();
    let gone = "ALTER BRANCH dev SET (ttl = '0s'); ALTER BRANCH other SET (temporary = true)";
    session.execute(gone).unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, NAMES), ["dev", "main", "other"]);
    session.execute("CREATE BRANCH side; UPDATE item@side SET stock = 7").unwrap();
    let merge = "MERGE BRANCH dev INTO side WITH (conflict_resolution = 'source_wins'";
    let told = error(&session, &format!("{merge}, delete_branch_after = true)"));
    assert!(told.contains("stays after its merge: it has an open merge"), "{told}");
    assert_eq!(rows(&session, "SELECT sum(price) FROM item@side"), ["6"]);
    // What would be dropped with its merge only stays.
    session.execute("ALTER BRANCH dev SET (auto_delete = true)").unwrap();
    session.execute(&format!("{merge})")).unwrap();
    assert_eq!(rows(&session, NAMES), ["dev", "main", "other", "side"]);
    session.execute("RESOLVE CONFLICTS WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT sum(price) FROM item"), ["3"]);
    assert_eq!(rows(&session, NAMES), ["main", "other", "side"]);
    session.execute("USE BRANCH other; ABORT MERGE; USE BRANCH main").unwrap();
    assert_eq!(rows(&reopened(session), NAMES), ["main", "side"]);
}

#[test]
fn a_temporary_branch_goes_with_the_session_that_made_it() {
    let session = shop();
    let database = session.database(crate::catalog::DatabaseIndex::MAIN).unwrap().0;
    let maker = crate::session::Session::new(database);
    maker
        .execute(
            "CREATE BRANCH scratch WITH (temporary = true); USE BRANCH scratch;
             CREATE BRANCH kept WITH (temporary = true);
             ALTER BRANCH kept SET (temporary = false); RENAME BRANCH scratch TO sketch;
             BEGIN; DELETE FROM item",
        )
        .unwrap();
    assert_eq!(rows(&session, NAMES), ["dev", "kept", "main", "sketch"]);
    drop(maker);
    assert_eq!(rows(&session, NAMES), ["dev", "kept", "main"]);
}

#[test]
fn a_source_that_has_nothing_new_is_dropped_if_that_was_said() {
    let session = shop();
    session.execute("CREATE BRANCH idle; USE BRANCH idle").unwrap();
    let dry = "MERGE BRANCH idle INTO main WITH (delete_branch_after = true, dry_run = true)";
    session.execute(dry).unwrap();
    assert_eq!(rows(&session, NAMES), ["dev", "idle", "main"]);
    let merged = rows(&session, "MERGE BRANCH idle INTO main WITH (delete_branch_after = true)");
    assert_eq!(merged, ["up to date|idle|main|0|0|0|0|0|0|0|0"]);
    assert_eq!(rows(&session, NAMES), ["dev", "main"]);
    // The session goes on with the target.
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    session.execute("ALTER BRANCH dev SET (protected = true)").unwrap();
    let told = error(&session, "MERGE BRANCH dev INTO main WITH (delete_branch_after = true)");
    assert!(told.contains("the branch 'dev' stays after its merge"), "{told}");
}

#[test]
fn what_is_chosen_when_a_branch_is_made_is_not_changed_afterwards() {
    let session = shop();
    for strategy in ["readonly", "copy", "cow"] {
        let told = error(&session, &format!("ALTER BRANCH dev SET (strategy = '{strategy}')"));
        assert!(told.contains("chosen when it is made"), "{told}");
    }
    session.execute("TAG BRANCH main AS t").unwrap();
    let told = session.query("TAG BRANCH main AS t").map(|rows| rows.rows.len()).unwrap_err();
    assert_eq!(told.hint(), Some("choose another name, or DROP TAG first"));
}

/// Tags go with their branch's name, whoever takes the old one.
#[test]
fn a_tag_knows_its_branch_by_any_name() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); CREATE BRANCH plan; TAG BRANCH plan AS secret;
             CREATE BRANCH past; TAG BRANCH past AS orphan; DROP BRANCH past;
             RENAME BRANCH plan TO hidden; CREATE BRANCH plan; CREATE BRANCH past;
             GRANT READ ON BRANCH plan TO ann; GRANT READ ON BRANCH past TO ann;
             GRANT READ ON BRANCH hidden TO bob; GRANT READ ON BRANCH main TO bob",
        )
        .unwrap();
    let tags = "SELECT tag_name, branch_name FROM pando_tags ORDER BY 1";
    assert_eq!(rows(&session, tags), ["orphan|past", "secret|hidden"]);
    session.set_user(Some("ann"));
    session.execute("USE BRANCH plan").unwrap();
    assert!(rows(&session, tags).is_empty());
    assert!(error(&session, "SELECT * FROM t@secret").contains("may not read the tag"));
    assert!(error(&session, "SELECT * FROM t@orphan").contains("may not read"));
    session.set_user(Some("bob"));
    session.execute("USE BRANCH main").unwrap();
    assert_eq!(rows(&session, tags), ["secret|hidden"]);
    assert!(rows(&session, "SELECT * FROM t@secret").is_empty());
}

/// What a tag with the name of a branch means.
#[test]
fn a_branch_is_meant_before_the_tag_of_its_name() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); INSERT INTO t VALUES (1); TAG BRANCH main AS main;
             INSERT INTO t VALUES (2); TAG BRANCH main AS later; INSERT INTO t VALUES (3)",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM t@main"), ["3"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM t AS OF TAG main"), ["1"]);
    let between = |name: &str| {
        let sql = format!("SELECT count(*) FROM pando_diff('t', '{name}', 'later')");
        rows(&session, &sql)
    };
    assert_eq!(between("main"), ["1"], "the row that the branch has since");
    session.execute("RESET BRANCH main TO TAG main").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), ["1"]);
}
