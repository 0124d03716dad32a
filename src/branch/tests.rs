//! Branches through the library: each verb, rights of names, merges with answers, forks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::sync::thread;

use super::*;
use crate::database::Database;
use crate::error::ErrorKind;
use crate::value::Value;

fn trees() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let sql = "CREATE TABLE tree(id INTEGER PRIMARY KEY, name TEXT, height REAL);
               INSERT INTO tree VALUES (1, 'oak', 20), (2, 'ash', 18), (3, 'elm', 25)";
    connection.execute_batch(sql).unwrap();
    connection
}

fn rows(connection: &Connection) -> Vec<(i64, String, f64)> {
    let mut statement = connection.prepare("SELECT * FROM tree ORDER BY id").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn names_are_data_whatever_is_in_them() {
    let connection = trees();
    let sharp = "a\"; DROP BRANCH main; --";
    for name in ["feature/x-1", "a b", "select", "q'uote", "v1.2", sharp] {
        let made = connection.create_branch(name);
        let Ok(made) = made else {
            assert_eq!(made.unwrap_err().kind(), ErrorKind::Invalid, "{name}");
            continue;
        };
        assert_eq!(made.name, name);
        connection.switch_branch(name).unwrap();
        assert_eq!(connection.current_branch(), name);
        connection.switch_branch("main").unwrap();
        connection.set_branch_option(name, "k'ey", "va'lue; DROP BRANCH main").unwrap();
        assert_eq!(connection.branch(name).unwrap().options["k'ey"], "va'lue; DROP BRANCH main");
        connection.rename_branch(name, "other").unwrap();
        connection.delete_branch("other").unwrap();
    }
    for name in ["", "../etc/passwd", "a/../b", "x\0y"] {
        let error = connection.create_branch(name).unwrap_err();
        assert!(!matches!(error.kind(), ErrorKind::Internal), "{name}: {error}");
    }
    assert_eq!(connection.branches().unwrap().len(), 1);
}

#[test]
fn a_branch_is_made_from_any_moment() {
    let connection = trees();
    connection.create_tag("v1", "main").unwrap();
    connection.execute_batch("DELETE FROM tree WHERE id = 1").unwrap();
    CreateBranch::new("old").at(Moment::tag("v1")).create(&connection).unwrap();
    CreateBranch::new("new").create(&connection).unwrap();
    let database = connection.database();
    assert_eq!(rows(&database.connect_to("old").unwrap()).len(), 3);
    assert_eq!(rows(&database.connect_to("new").unwrap()).len(), 2);
    let error = CreateBranch::new("x").at(Moment::tag("no")).create(&connection).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = CreateBranch::new("new").create(&connection).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    let read_only = CreateBranch::new("kept").strategy(Strategy::ReadOnly).create(&connection);
    assert!(read_only.unwrap().read_only);
}

#[test]
fn a_temporary_branch_goes_with_its_guard_and_can_be_kept() {
    let connection = trees();
    {
        let trial = connection.temporary_branch("trial").unwrap();
        trial.execute_batch("BEGIN; DELETE FROM tree").unwrap();
        trial.execute_batch("COMMIT").unwrap();
        assert!(rows(&trial).is_empty());
        trial.execute_batch("BEGIN; INSERT INTO tree VALUES (7, 'fir', 1)").unwrap();
    }
    assert_eq!(connection.branches().unwrap().len(), 1);
    assert_eq!(rows(&connection).len(), 3);
    let panicked = std::panic::catch_unwind(|| {
        let connection = trees();
        let database = connection.database().clone();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _trial = connection.temporary_branch("trial").unwrap();
            std::panic::resume_unwind(Box::new("on purpose"));
        }));
        assert!(unwound.is_err());
        database.connect().unwrap().branches().unwrap().len()
    });
    assert_eq!(panicked.unwrap(), 1);
    let trial = connection.temporary_branch("trial").unwrap();
    connection.rename_branch("trial", "renamed").unwrap();
    drop(trial);
    assert_eq!(connection.branches().unwrap().len(), 1);
    let kept = connection.temporary_branch("trial").unwrap().keep().unwrap();
    kept.execute_batch("DELETE FROM tree").unwrap();
    drop(kept);
    assert!(!connection.branch("trial").unwrap().temporary);
}

/// Both branches change every row; which answers are given decides what comes out, and whoever
/// answers only some changes nothing.
#[test]
fn a_merge_with_answers_is_one_commit_or_none() {
    let connection = trees();
    connection.create_branch("dev").unwrap();
    let dev = connection.database().connect_to("dev").unwrap();
    dev.execute_batch("UPDATE tree SET height = id * 100; DELETE FROM tree WHERE id = 3").unwrap();
    connection.execute_batch("UPDATE tree SET height = id * 10").unwrap();
    let before = (rows(&connection), connection.branch("main").unwrap().head_commit);
    let mut seen = connection.merge("dev").dry_run(true).run().unwrap();
    assert!(!seen.success);
    let kinds: Vec<ConflictKind> = seen.conflicts.iter().map(|conflict| conflict.kind).collect();
    assert_eq!(kinds, [ConflictKind::Data, ConflictKind::Data, ConflictKind::Deletion]);
    assert_eq!(seen.conflicts[0].row_key, [Value::Integer(1)]);
    assert_eq!(seen.conflicts[0].ours, Some(vec![Value::Real(10.0)]));
    assert_eq!(seen.conflicts[0].theirs, Some(vec![Value::Real(100.0)]));
    assert_eq!(seen.conflicts[0].base, Some(vec![Value::Real(20.0)]));
    seen.conflicts[0].resolve(Resolution::PreferBranch);
    seen.conflicts[1].resolve_with([("height", 7.5.into())]);
    let partly = connection.merge("dev").resolutions(&seen.conflicts).run().unwrap();
    assert_eq!((partly.success, partly.conflicts.len()), (false, 1));
    assert_eq!(before, (rows(&connection), connection.branch("main").unwrap().head_commit));
    assert_eq!(connection.merge_branch("dev").unwrap_err().kind(), ErrorKind::MergeConflict);
    seen.conflicts[2].resolve(Resolution::Delete);
    let merge = connection.merge("dev").resolutions(&seen.conflicts);
    let done = merge.message("agreed").author("both").delete_branch_after(true).run().unwrap();
    assert_eq!((done.success, done.status), (true, MergeStatus::Merged));
    assert_eq!(rows(&connection), [(1, "oak".into(), 100.0), (2, "ash".into(), 7.5)]);
    assert!(connection.branch("dev").is_err());
}

/// What the merged rows break is found once nothing else is left, has the rows of all sides, and is
/// answered like anything else.
#[test]
fn a_broken_constraint_is_answered_too() {
    let connection = trees();
    connection.execute_batch("CREATE UNIQUE INDEX one ON tree(name)").unwrap();
    connection.create_branch("dev").unwrap();
    let dev = connection.database().connect_to("dev").unwrap();
    dev.execute_batch(
        "INSERT INTO tree VALUES (7, 'yew', 3); UPDATE tree SET height = 1 WHERE id = 1",
    )
    .unwrap();
    connection
        .execute_batch(
            "INSERT INTO tree VALUES (9, 'yew', 4); UPDATE tree SET height = 2 WHERE id = 1",
        )
        .unwrap();
    let mut first = connection.merge("dev").dry_run(true).run().unwrap();
    assert_eq!(first.conflicts.len(), 1);
    first.conflicts[0].resolve(Resolution::PreferBranch);
    let merge = || connection.merge("dev").resolutions(&first.conflicts);
    let mut seen = merge().dry_run(true).run().unwrap();
    let [conflict] = seen.conflicts.as_mut_slice() else { panic!("{:?}", seen.conflicts) };
    assert_eq!(conflict.kind, ConflictKind::Constraint);
    assert_eq!(conflict.row_key, [Value::Integer(9)]);
    assert_eq!((&conflict.base, &conflict.theirs), (&None, &None));
    let row = [Value::Integer(9), Value::from("yew"), Value::Real(4.0)];
    assert_eq!(conflict.ours.as_deref(), Some(&row[..]));
    assert!(conflict.detail.ends_with("the row 7 has the same"), "{}", conflict.detail);
    let before = rows(&connection);
    for (answer, expected) in [
        (Resolution::PreferBranch, (7, "yew", 3.0)),
        (Resolution::PreferMain, (9, "yew", 4.0)),
        (Resolution::Delete, (7, "yew", 3.0)),
    ] {
        conflict.resolve(answer);
        connection.create_branch("trial").unwrap();
        let answers = std::slice::from_ref(conflict);
        let done = merge().resolutions(answers).into_branch("trial").run().unwrap();
        assert!(done.success, "{:?}", done.conflicts);
        let trial = connection.database().connect_to("trial").unwrap();
        let found = rows(&trial);
        assert_eq!(found.last(), Some(&(expected.0, expected.1.into(), expected.2)));
        drop(trial);
        connection.delete_branch("trial").unwrap();
        assert_eq!(rows(&connection), before);
    }
    conflict.resolve_with([("name", "fir".into())]);
    let answers = std::slice::from_ref(conflict);
    assert!(merge().resolutions(answers).run().unwrap().success);
    assert_eq!(rows(&connection).len(), 5);
}

#[test]
fn an_answer_for_a_column_that_is_not_there_is_refused() {
    let connection = trees();
    connection.create_branch("dev").unwrap();
    let dev = connection.database().connect_to("dev").unwrap();
    dev.execute_batch("UPDATE tree SET height = 1").unwrap();
    connection.execute_batch("UPDATE tree SET height = 2").unwrap();
    let mut seen = connection.merge("dev").dry_run(true).run().unwrap();
    seen.conflicts[0].resolve_with([("no_such", 1.into())]);
    let error = connection.merge("dev").resolutions(&seen.conflicts).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(connection.branch("dev").unwrap().merged_into, None);
}

#[test]
fn a_comparison_leads_from_one_side_to_the_other() {
    let connection = trees();
    connection.create_branch("dev").unwrap();
    let dev = connection.database().connect_to("dev").unwrap();
    dev.execute_batch(
        "ALTER TABLE tree RENAME COLUMN height TO metres; CREATE INDEX by_name ON tree(name);
         UPDATE tree SET metres = 30 WHERE id = 2; DELETE FROM tree WHERE id = 1;
         INSERT INTO tree VALUES (9, 'fir', 40)",
    )
    .unwrap();
    let there = connection.compare_branches("main", "dev").unwrap();
    let back = connection.compare_branches("dev", "main").unwrap();
    assert_eq!(there.tables[0].columns, ["id", "name", "metres"]);
    assert!(there.schema.iter().any(|change| change.object == ObjectType::Index));
    let seen =
        |rows: &[RowChange]| rows.iter().map(|row| (row.key.clone(), row.kind)).collect::<Vec<_>>();
    assert_eq!(
        seen(&there.tables[0].rows),
        [
            (vec![1.into()], ChangeKind::Deleted),
            (vec![2.into()], ChangeKind::Updated),
            (vec![9.into()], ChangeKind::Inserted)
        ]
    );
    for (row, other) in there.tables[0].rows.iter().zip(&back.tables[0].rows) {
        assert_eq!((&row.old, &row.new), (&other.new, &other.old));
    }
    assert!(connection.compare_branches("dev", "dev").unwrap().is_empty());
}

#[test]
fn forks_are_private_and_go_with_whoever_holds_them() {
    let connection = trees();
    let database: Database = connection.database().clone();
    let fork = database.fork().unwrap();
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let fork = fork.clone();
            thread::spawn(move || {
                let connection = fork.connect().unwrap();
                for round in 0..10 {
                    let id = 100 + number * 10 + round;
                    connection.execute("INSERT INTO tree(id) VALUES (?1)", [id]).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let count = |connection: &Connection| {
        let sql = "SELECT count(*) FROM tree";
        connection.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count(&fork.connect().unwrap()), 43);
    assert_eq!(count(&connection), 3);
    let inner = fork.fork().unwrap().connect().unwrap();
    assert_eq!(count(&inner), 43);
    fork.check_base().unwrap();
    connection.execute_batch("DELETE FROM tree").unwrap();
    assert!(fork.check_base().is_err());
    let last = fork.connect().unwrap();
    drop(fork);
    assert_eq!(count(&last), 43, "a connection keeps its fork");
    assert_eq!(connection.branches().unwrap().len(), 1);
}

/// Whoever opens a database as a user has that user's rights everywhere.
#[test]
fn a_fork_and_a_backup_are_no_way_around_a_grant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.pando");
    {
        let owner = Connection::open(&file).unwrap();
        let sql = "CREATE TABLE tree(id INTEGER PRIMARY KEY); CREATE BRANCH secret;
                   INSERT INTO tree@secret VALUES (1); GRANT READ ON BRANCH main TO ann";
        owner.execute_batch(sql).unwrap();
    }
    let database = crate::OpenOptions::new().user("ann").open(&file).unwrap();
    let denied = |error: crate::Error| assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    denied(database.fork_at("secret", crate::Moment::Now).unwrap_err());
    denied(database.backup(folder.path().join("copy")).unwrap_err());
    let fork = database.fork().unwrap().connect().unwrap();
    fork.execute_batch("INSERT INTO tree VALUES (5)").unwrap();
    denied(fork.execute_batch("SELECT * FROM tree@secret").unwrap_err());
    for branch in ["secret", "main"] {
        let error = fork.switch_branch(branch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    let main = database.connect().unwrap();
    denied(main.execute_batch("INSERT INTO tree VALUES (6)").unwrap_err());
}

#[test]
fn a_fork_has_the_past_of_its_branch() {
    let connection = trees();
    let before = connection.branch("main").unwrap().head_commit;
    connection.execute_batch("DELETE FROM tree").unwrap();
    let fork = connection.database().fork().unwrap().connect().unwrap();
    let count = |sql: &str| fork.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM tree"), 0);
    assert_eq!(count(&format!("SELECT count(*) FROM tree AS OF TRANSACTION {before}")), 3);
    let told = fork.execute_batch("SHOW COMMITS").unwrap_err().to_string();
    assert!(told.contains("a fork in memory is no branch"), "{told}");
}

#[test]
fn a_fast_forward_tells_what_it_changed() {
    let connection = trees();
    connection.create_branch("dev").unwrap();
    let work = "USE BRANCH dev; DELETE FROM tree WHERE id = 1; UPDATE tree SET name = 'x';
                ALTER TABLE tree ADD COLUMN age; INSERT INTO tree(id) VALUES (9); USE BRANCH main";
    connection.execute_batch(work).unwrap();
    let tried = connection.merge("dev").dry_run(true).run().unwrap();
    let done = connection.merge("dev").run().unwrap();
    assert_eq!(done.status, MergeStatus::FastForward);
    let counts = |of: &MergeOutcome| {
        (of.is_counted, of.rows_inserted, of.rows_updated, of.rows_deleted, of.schema_changes)
    };
    assert_eq!(counts(&done), (true, 1, 2, 1, 1));
    assert_eq!(counts(&done), counts(&tried));
    assert_eq!(done.changes_applied, 5);
    // Tables that are new know how many rows they have; many changed rows are not counted.
    let many = "USE BRANCH dev; CREATE TABLE leaf(a); CREATE INDEX i ON leaf(a);
                INSERT INTO leaf SELECT value FROM generate_series(1, 1000); USE BRANCH main";
    connection.execute_batch(many).unwrap();
    let done = connection.merge("dev").run().unwrap();
    assert_eq!(counts(&done), (true, 1000, 0, 0, 2));
    connection.execute_batch("CREATE BRANCH ahead; UPDATE leaf@ahead SET a = -a").unwrap();
    let done = connection.merge("ahead").run().unwrap();
    assert_eq!((done.status, done.success), (MergeStatus::FastForward, true));
    assert_eq!(counts(&done), (false, 0, 0, 0, 0));
}

#[test]
fn the_first_branch_may_have_another_name() {
    let connection = trees();
    connection.create_tag("v1", "main").unwrap();
    connection.rename_branch("main", "trunk").unwrap();
    connection.execute_batch("DELETE FROM tree").unwrap();
    let fork = connection.database().fork().unwrap().connect().unwrap();
    for (sql, expected) in [
        ("SELECT count(*) FROM tree", 0),
        ("SELECT count(*) FROM tree@trunk", 0),
        ("SELECT count(*) FROM tree@v1", 3),
        ("SELECT count(*) FROM tree AS OF TAG v1", 3),
    ] {
        for connection in [&connection, &fork] {
            let count: i64 = connection.query_row(sql, (), |row| row.get(0)).unwrap();
            assert_eq!(count, expected, "{sql}");
        }
    }
    connection.create_branch("main").unwrap();
    let again = connection.database().connect().unwrap();
    assert_eq!(again.current_branch(), "trunk");
}

#[test]
fn snapshots_bring_a_branch_back() {
    let connection = trees();
    let before = rows(&connection);
    connection.snapshot("before").unwrap();
    connection.execute_batch("DELETE FROM tree; DROP TABLE tree").unwrap();
    connection.restore_snapshot("before").unwrap();
    assert_eq!(rows(&connection), before);
    assert_eq!(connection.tags().unwrap()[0].branch, "main");
    connection.delete_tag("before").unwrap();
    assert_eq!(connection.restore_snapshot("before").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn sizes_and_times_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("trees.pando")).unwrap();
    connection.execute_batch("CREATE TABLE tree(id INTEGER PRIMARY KEY, bark BLOB)").unwrap();
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
               INSERT INTO tree SELECT i, randomblob(1000) FROM n";
    connection.execute_batch(sql).unwrap();
    connection.create_branch("dev").unwrap();
    let first = connection.branch("main").unwrap().head_commit;
    let between = connection.commits("main", 1).unwrap()[0].time;
    let sizes = connection.branch_sizes().unwrap();
    let dev = sizes.iter().find(|size| size.branch == "dev").unwrap();
    assert!(dev.shared_bytes > 100_000 && dev.own_bytes < 10_000, "{dev:?}");
    let change = "UPDATE tree SET bark = randomblob(1001)";
    connection.database().connect_to("dev").unwrap().execute_batch(change).unwrap();
    connection.execute_batch(change).unwrap();
    let sizes = connection.branch_sizes().unwrap();
    let dev = sizes.iter().find(|size| size.branch == "dev").unwrap();
    assert!(dev.own_bytes > 100_000, "{dev:?}");
    assert!(dev.objects.iter().any(|(name, own, _)| name == "tree" && *own > 100_000), "{dev:?}");
    assert_eq!(connection.commit_at(between).unwrap(), first);
    let newest = connection.branch("main").unwrap().head_commit;
    assert!(newest > first);
    let fork = connection.database().fork_at("main", Moment::Commit(first)).unwrap();
    let sum = "SELECT sum(length(bark)) FROM tree";
    let read = |connection: &Connection| {
        connection.query_row(sum, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(read(&fork.connect().unwrap()), 100_000);
    let commits = connection.commits("main", 100).unwrap();
    assert!(commits.windows(2).all(|pair| pair[0].number > pair[1].number));
}

#[test]
fn a_database_that_is_only_read_shows_its_branches_and_their_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.pando");
    let connection = Connection::open(&path).unwrap();
    let sql = "CREATE TABLE tree(id INTEGER PRIMARY KEY, name TEXT, height REAL);
               INSERT INTO tree VALUES (1, 'oak', 20)";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let read = || {
        let database = crate::OpenOptions::new().read_only(true).open(&path).unwrap();
        database.connect().unwrap()
    };

    // Without a branch there are no records of branches, and none can be made.
    let connection = read();
    assert_eq!(connection.branches().unwrap()[0].name, "main");
    assert_eq!(rows(&connection).len(), 1);
    let before: Vec<u64> = commits(&connection, "main");
    assert!(before.len() >= 2, "{before:?}");
    drop(connection);

    let connection = Connection::open(&path).unwrap();
    connection.create_branch("dev").unwrap();
    connection.switch_branch("dev").unwrap();
    connection.execute("UPDATE tree SET height = 21", ()).unwrap();
    drop(connection);
    let connection = read();
    assert_eq!(connection.branches().unwrap().len(), 2);
    let commits = commits(&connection, "dev");
    assert_eq!(commits[1..], before);
    connection.switch_branch("dev").unwrap();
    assert_eq!(rows(&connection), [(1, "oak".to_owned(), 21.0)]);
    let sql = format!("SELECT height FROM tree AS OF TRANSACTION {}", commits[1]);
    let height: Value = connection.query_row(&sql, (), |row| row.get(0)).unwrap();
    assert_eq!(height, 20.0.into());
    assert!(!connection.compare_branches("main", "dev").unwrap().is_empty());
    for refused in ["DELETE FROM tree", "CREATE BRANCH more", "MERGE BRANCH dev INTO main"] {
        let error = connection.execute_batch(refused).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert!(error.to_string().contains("for reading only"), "{error}");
    }
}

fn commits(connection: &Connection, branch: &str) -> Vec<u64> {
    let mut statement = connection.prepare("SELECT transaction_id FROM pando_log(?1)").unwrap();
    statement.query_map([branch], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn users_work_side_by_side_and_stay_who_they_are() {
    let owner = trees();
    owner
        .execute_batch(
            "CREATE BRANCH dev; GRANT READ ON BRANCH main TO ann; GRANT WRITE ON BRANCH dev TO ann;
             GRANT WRITE ON BRANCH main TO bob",
        )
        .unwrap();
    let (ann, bob) =
        (owner.database().connect_as("ann").unwrap(), owner.database().connect_as("bob").unwrap());
    let kind = |connection: &Connection, sql: &str| {
        connection.execute_batch(sql).map_err(|error| error.kind()).err()
    };
    assert_eq!(kind(&ann, "UPDATE tree SET height = 1"), Some(ErrorKind::Denied));
    assert_eq!(kind(&bob, "UPDATE tree SET height = 2 WHERE id = 1"), None);
    assert_eq!(kind(&ann, "UPDATE tree@dev SET height = 3"), None);
    assert_eq!(kind(&bob, "SELECT * FROM tree@dev"), Some(ErrorKind::Denied));
    assert_eq!(rows(&ann)[0], (1, "oak".to_owned(), 2.0));
    // No way leads from a user to the owner or to another user.
    let database = ann.database();
    assert_eq!(database.connect_as("bob").err().unwrap().kind(), ErrorKind::Denied);
    for other in [
        database.connect().unwrap(),
        database.clone().connect_as("ann").unwrap(),
        database.fork().unwrap().connect().unwrap().database().connect().unwrap(),
    ] {
        assert_eq!(kind(&other, "DELETE FROM tree"), Some(ErrorKind::Denied));
    }
    assert_eq!(
        ann.temporary_branch("own").unwrap().database().connect_as("bob").err().unwrap().kind(),
        ErrorKind::Denied
    );
    assert_eq!(kind(&owner, "DELETE FROM tree"), None);
}

#[test]
fn a_connection_of_a_fork_changes_the_fork_alone() {
    let connection = trees();
    connection.create_branch("dev").unwrap();
    let fork = connection.database().fork().unwrap();
    let forked = fork.connect().unwrap();
    let refused = |outcome: Result<()>| {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    };
    refused(forked.create_branch("more").map(drop));
    refused(forked.switch_branch("main"));
    refused(forked.delete_branch("dev"));
    refused(forked.rename_branch("dev", "other"));
    forked.execute_batch("DELETE FROM tree").unwrap();
    assert_eq!((rows(&forked).len(), rows(&connection).len()), (0, 3));
    assert_eq!(connection.branches().unwrap().len(), 2);
}
