//! What a file keeps, and what each branch keeps for itself: resets, merges and undoes.
//!
//! Neighbours: `merges::rules` has the pairs of changes of what branches keep.

use pandodb_branch::registry::SETTINGS_MOVED;
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::encode_row;
use pandodb_tm::{BeginOptions, TreeId};

use super::{error, reopened, rows, session, shop};
use crate::catalog::DatabaseIndex;
use crate::session::Session;
use crate::store::{CATALOG_TREE, MAIN};

/// PRAGMAs that the file keeps, what they are set to, and what they tell then.
const KEPT: &[(&str, &str, &str)] = &[
    ("history_retention", "FOREVER", "-1"),
    ("history_size", "123456789", "123456789"),
    ("compression", "'NONE'", "NONE"),
    ("wal_archive", "ON", "1"),
    ("default_cache_size", "777", "777"),
    ("wal_mode", "OFF", "OFF"),
];

fn set_all(session: &Session) {
    for (name, value, _) in KEPT {
        session.execute(&format!("PRAGMA {name} = {value}")).unwrap();
    }
}

fn check_all(session: &Session, when: &str) {
    for (name, _, told) in KEPT {
        assert_eq!(rows(session, &format!("PRAGMA {name}")), [*told], "{name}, {when}");
    }
}

/// The first branch goes back and forth; the file keeps what it was told.
#[test]
fn what_the_file_keeps_stays_whatever_happens_to_the_first_branch() {
    for (what, before, back) in [
        ("a reset to a tag", "TAG BRANCH main AS v0", "RESET BRANCH main TO TAG v0"),
        (
            "a fast-forward",
            "CREATE BRANCH other; INSERT INTO t@other VALUES (1)",
            "MERGE BRANCH other INTO main",
        ),
        (
            "a merge",
            "CREATE BRANCH other; INSERT INTO t@other VALUES (1)",
            "INSERT INTO t VALUES (2); MERGE BRANCH other INTO main",
        ),
        ("a rename", "", "RENAME BRANCH main TO trunk"),
    ] {
        let session = session();
        session.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)").unwrap();
        session.execute(before).unwrap();
        set_all(&session);
        session.execute(back).unwrap_or_else(|error| panic!("{what}: {error}"));
        check_all(&session, what);
        let session = reopened(session);
        check_all(&session, &format!("{what}, opened again"));
        // What is not main is opened just so.
        check_all(&reopened(session), &format!("{what}, opened twice"));
    }
}

#[test]
fn what_the_file_keeps_is_no_commit_of_a_branch() {
    let session = session();
    session.execute("CREATE TABLE t(a); CREATE BRANCH other").unwrap();
    let log = rows(&session, "SELECT * FROM pando_log");
    set_all(&session);
    assert_eq!(rows(&session, "SELECT * FROM pando_log"), log);
    session.execute("INSERT INTO t@other VALUES (1)").unwrap();
    let merged = rows(&session, "MERGE BRANCH other INTO main");
    assert!(merged[0].starts_with("fast-forward"), "{merged:?}");
}

/// Writes `history_retention` and `default_cache_size` as older versions did: into the catalog of
/// the first branch. And the file does not know of anything that was moved from there.
fn write_old_form(session: &Session) {
    let (database, _) = session.database(DatabaseIndex::MAIN).unwrap();
    let mut writer = database.begin(MAIN, BeginOptions::default()).unwrap();
    for (place, value) in [(5, -1), (7, 777)] {
        let mut row = Vec::new();
        encode_row(&[ValueRef::Integer(value)], &mut row).unwrap();
        writer.put(CATALOG_TREE, &rowid_key(-place), &row).unwrap();
    }
    writer.commit().unwrap();
    let manager = database.manager();
    let records = manager.first_head_with(b"pando system").unwrap().unwrap();
    let mut writer = manager.begin(records, BeginOptions::default()).unwrap();
    let mark = [&b"P"[..], &SETTINGS_MOVED.to_be_bytes()].concat();
    assert!(writer.delete(TreeId(1), &mark).unwrap());
    writer.commit().unwrap();
}

/// What an older version kept is moved once: a way back to its time is none to its settings.
#[test]
fn what_an_older_file_kept_does_not_come_back_with_a_reset() {
    let session = session();
    session.execute("CREATE TABLE t(a); TAG BRANCH main AS before").unwrap();
    write_old_form(&session);
    // As an older version did: the settings went with the contents.
    session.execute("TAG BRANCH main AS old; RESET BRANCH main TO TAG before").unwrap();
    let session = reopened(session);
    let settings = ["PRAGMA history_retention", "PRAGMA default_cache_size"];
    let first = settings.map(|sql| rows(&session, sql));
    assert_ne!(first[0], ["-1"]);
    session.execute("RESET BRANCH main TO TAG old").unwrap();
    let session = reopened(session);
    assert_eq!(settings.map(|sql| rows(&session, sql)), first);
    // A copy knows it, too.
    session.execute("VACUUM INTO 'copy.pando'").unwrap();
    assert_eq!(settings.map(|sql| rows(&super::open_file("copy.pando"), sql)), first);
}

/// Older files have these settings in the catalog of the first branch.
#[test]
fn what_an_older_file_keeps_is_found_and_stays_from_then_on() {
    let session = session();
    session.execute("CREATE TABLE t(a); TAG BRANCH main AS v0").unwrap();
    write_old_form(&session);
    let check = |session: &Session, when: &str| {
        assert_eq!(rows(session, "PRAGMA history_retention"), ["-1"], "{when}");
        assert_eq!(rows(session, "PRAGMA default_cache_size"), ["777"], "{when}");
    };
    let session = reopened(session);
    check(&session, "opened");
    session.execute("RESET BRANCH main TO TAG v0").unwrap();
    let session = reopened(session);
    check(&session, "after the reset");
    // What is set from then on counts, also where the old row comes back.
    session.execute("PRAGMA history_retention = '3d'; CREATE BRANCH side AS OF TAG v0").unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, "PRAGMA history_retention"), ["259200"]);
    assert_eq!(rows(&session, "PRAGMA default_cache_size"), ["777"]);
}

#[test]
fn the_size_of_pages_can_be_chosen_behind_other_settings_but_not_behind_branches() {
    let session = session();
    session.execute("PRAGMA compression = 'NONE'; PRAGMA page_size = 4096").unwrap();
    session
        .execute(
            "CREATE TABLE t(a); INSERT INTO t VALUES (1); CREATE BRANCH b; PRAGMA wal_checkpoint",
        )
        .unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, "PRAGMA page_size"), ["4096"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    for made in ["CREATE BRANCH b", "TAG BRANCH main AS v"] {
        let session = super::session();
        session.execute(made).unwrap();
        let told = error(&session, "PRAGMA page_size = 4096");
        assert!(told.contains("page_size cannot be 4096"), "{told}");
    }
}

const VERSION: &str = "PRAGMA user_version";

/// The application's own version follows its tables: the way that a migration takes.
#[test]
fn settings_of_a_branch_come_along_with_merges() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a); PRAGMA user_version = 1;
             CREATE BRANCH feature; INSERT INTO t@feature VALUES (1, 'w');
             ALTER TABLE t ADD COLUMN b; PRAGMA user_version = 2; MERGE BRANCH main INTO feature",
        )
        .unwrap();
    session.execute("USE BRANCH feature").unwrap();
    assert_eq!(rows(&session, VERSION), ["2"]);
    session.execute("USE BRANCH main; MERGE BRANCH feature INTO main").unwrap();
    assert_eq!(rows(&session, VERSION), ["2"]);
    assert_eq!(rows(&session, VERSION), rows(&reopened(session), VERSION));
}

/// Both branches set it otherwise.
fn clash() -> Session {
    let session = shop();
    session
        .execute(
            "PRAGMA user_version = 1; MERGE BRANCH main INTO dev; USE BRANCH dev;
             PRAGMA user_version = 2; UPDATE item SET price = 9 WHERE id = 1; USE BRANCH main;
             PRAGMA user_version = 3; PRAGMA application_id = 77",
        )
        .unwrap();
    session
}

#[test]
fn settings_that_both_branches_set_are_a_conflict_that_is_resolved_as_others() {
    for (answer, left) in [
        ("SOURCE", "2"),
        ("TARGET", "3"),
        ("BASE", "1"),
        ("VALUE 42", "42"),
        // As the PRAGMA takes it.
        ("VALUE 4294967295", "-1"),
    ] {
        let session = clash();
        let manual = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
        session.execute(manual).unwrap();
        let listed = "SELECT kind, object_kind, object_name, base, ours, theirs
                      FROM pando_conflicts";
        assert_eq!(rows(&session, listed), ["schema|setting|user_version|1|3|2"]);
        session.execute(&format!("RESOLVE CONFLICT 1 WITH {answer}; CONTINUE MERGE")).unwrap();
        assert_eq!(rows(&session, VERSION), [left], "{answer}");
        assert_eq!(rows(&session, "PRAGMA application_id"), ["77"], "{answer}");
        assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["9"], "{answer}");
    }
    for (policy, left) in [("source_wins", "2"), ("target_wins", "3")] {
        let session = clash();
        let merge = format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}'");
        let dry = rows(&session, &format!("{merge}, dry_run = true)"));
        assert!(dry[0].starts_with("would merge|dev|main"), "{policy}: {dry:?}");
        assert_eq!(rows(&session, VERSION), ["3"], "{policy}");
        session.execute(&format!("{merge})")).unwrap();
        assert_eq!(rows(&session, VERSION), [left], "{policy}");
    }
    let session = clash();
    let dry = rows(&session, "MERGE BRANCH dev INTO main WITH (dry_run = true)");
    assert!(dry[0].starts_with("conflicts|dev|main"), "{dry:?}");
    assert!(error(&session, "MERGE BRANCH dev INTO main").contains("user_version"));
}

#[test]
fn what_resolves_a_setting_is_a_number_of_32_bits() {
    let session = clash();
    session.execute("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')").unwrap();
    for answer in ["VALUE 'two'", "VALUE 4294967296", "VALUE NULL", "DELETE"] {
        let told = error(&session, &format!("RESOLVE CONFLICT 1 WITH {answer}"));
        assert!(told.contains("a whole number of 32 bits"), "{answer}: {told}");
    }
    let told = error(&session, "RESOLVE CONFLICT 1 WITH DEFINITION '4'");
    assert!(told.contains("user_version has no definition"), "{told}");
    session.execute("RESOLVE CONFLICT 1 WITH VALUE -2147483648; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, VERSION), ["-2147483648"]);
}

#[test]
fn settings_are_differences_that_picks_undoes_and_previews_carry() {
    let session = clash();
    let shown = rows(&session, "SHOW DIFF BETWEEN main AND dev");
    assert_eq!(
        shown[..2],
        [
            "setting|user_version|changed|NULL|NULL|3|2",
            "setting|application_id|changed|NULL|NULL|77|0"
        ]
    );
    let sums = "SELECT * FROM pando_diff_summary('main', 'dev') WHERE object_type = 'setting'";
    assert_eq!(
        rows(&session, sums),
        ["setting|application_id|1|0|0|0|0", "setting|user_version|1|0|0|0|0"]
    );
    // The newest commit of main set application_id.
    let newest = rows(&session, "SELECT max(transaction_id) FROM pando_log").remove(0);
    let changed = format!("SELECT * FROM pando_changes({newest})");
    assert_eq!(rows(&session, &changed), ["setting|application_id|changed|NULL|NULL|0|77"]);
    session.execute(&format!("CHERRY PICK {newest} INTO dev")).unwrap();
    session.execute("USE BRANCH dev").unwrap();
    assert_eq!(rows(&session, "PRAGMA application_id"), ["77"]);
    assert_eq!(rows(&session, VERSION), ["2"]);
    session.execute("USE BRANCH main").unwrap();
    session.execute(&format!("UNDO TRANSACTION {newest}")).unwrap();
    assert_eq!(rows(&session, "PRAGMA application_id"), ["0"]);
    assert_eq!(rows(&session, VERSION), ["3"]);
    let preview = "PREVIEW MERGE BRANCH dev INTO main WITH (conflict_resolution = 'source_wins')";
    let told = rows(&session, preview);
    assert!(told.iter().any(|row| row.contains("user_version")), "{told:?}");
    session.execute("APPLY").unwrap();
    assert_eq!(rows(&session, VERSION), ["2"]);
}

/// A table may be called as a setting is.
#[test]
fn a_table_with_the_name_of_a_setting_is_another_thing() {
    let session = session();
    session
        .execute(
            "CREATE TABLE user_version(id INTEGER PRIMARY KEY, x); CREATE BRANCH dev;
             PRAGMA user_version = 4; INSERT INTO user_version@dev VALUES (1, 2)",
        )
        .unwrap();
    let shown = rows(&session, "SHOW DIFF BETWEEN main AND dev FOR TABLE user_version");
    assert!(shown.iter().all(|row| row.starts_with("row|")), "{shown:?}");
    session.execute("MERGE BRANCH dev INTO main").unwrap();
    assert_eq!(rows(&session, "SELECT x FROM user_version"), ["2"]);
    assert_eq!(rows(&session, VERSION), ["4"]);
}
