//! What must not happen to people's data: commands out of data files, work on another branch than
//! the one that was chosen, files that are written over.

use std::path::Path;

use pandodb_testkit::TemporaryFolder;

use crate::run;

/// Runs lines in one folder; what each printed.
fn play(folder: &Path, lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| run(folder, line).trim_end().to_owned()).collect()
}

fn last(folder: &Path, lines: &[&str]) -> String {
    play(folder, lines).pop().unwrap()
}

#[test]
fn a_sqlite_file_starts_no_programs() {
    let folder = TemporaryFolder::new();
    let evil = "sqlite3 evil.sqlite \"CREATE TABLE x(a); PRAGMA writable_schema = 1; UPDATE \
         sqlite_schema SET sql = 'CREATE TABLE x(a);' || char(10) || '.shell touch pwned' || \
         char(10) || '--'\"";
    let told = last(folder.path(), &[evil, "pando a.pando import evil.sqlite"]);
    assert!(!folder.path().join("pwned").exists(), "{told}");
    assert!(told.contains("only SQL is read") && told.contains("[exit 1]"), "{told}");
    assert_eq!(run(folder.path(), "pando a.pando .tables"), "");
}

#[test]
fn an_imported_script_starts_no_programs() {
    let folder = TemporaryFolder::new();
    let write = "printf 'CREATE TABLE x(a);\\n.shell touch pwned\\nCREATE TABLE y(a);\\n' > x.sql";
    let told = last(folder.path(), &[write, "pando a.pando import x.sql"]);
    assert!(!folder.path().join("pwned").exists(), "{told}");
    assert!(told.contains("line 2 holds a command"), "{told}");
    assert_eq!(run(folder.path(), "pando a.pando .tables"), "x\n");
}

#[test]
fn an_import_of_a_script_stops_at_its_first_error() {
    let folder = TemporaryFolder::new();
    let import = |script: &str| {
        let line = format!(
            "printf '{script}' > x.sql; rm -f a.pando*; pando a.pando 'CREATE TABLE t(a UNIQUE)'; \
             pando a.pando import x.sql; echo \"exit $?\"; pando a.pando 'SELECT * FROM t'"
        );
        run(folder.path(), &line)
    };
    let rows =
        "INSERT INTO t VALUES (1);\\nINSERT INTO t VALUES (1);\\nINSERT INTO t VALUES (2);\\n";
    let told = import(&format!("BEGIN;\\n{rows}COMMIT;\\nINSERT INTO t VALUES (3);\\n"));
    assert!(told.contains("Error: x.sql:3: UNIQUE constraint failed"), "{told}");
    assert!(told.ends_with("its transaction is rolled back\nexit 1\n"), "{told}");
    let told = import(rows);
    assert!(told.contains("x.sql was imported up to the error"), "{told}");
    assert!(told.ends_with("exit 1\n1\n"), "{told}");
    let told = import("BEGIN;\\nINSERT INTO t VALUES (7);\\n");
    assert!(told.contains("x.sql ends within a transaction"), "{told}");
    assert!(told.ends_with("exit 1\n"), "{told}");
    // A script of differences begins with a command, which changes nothing of this.
    let told = import(&format!(".bail on\\n.bail off\\n{rows}"));
    assert!(told.contains("line 2 holds a command") && told.ends_with("exit 1\n"), "{told}");
}

#[test]
fn a_dump_of_ones_own_starts_no_programs() {
    let folder = TemporaryFolder::new();
    let make = "pando a.pando \"CREATE TABLE x(a DEFAULT ';
.shell touch pwned
' /* ;
.shell touch pwned
*/ ); INSERT INTO x VALUES (''';
.shell touch pwned
'); CREATE TABLE \\\"t;
.shell touch pwned
\\\"(a); CREATE TRIGGER g AFTER INSERT ON x BEGIN SELECT 1; /* END;
.shell touch pwned
*/ SELECT 2; END\"";
    let told = play(
        folder.path(),
        &[
            make,
            "pando a.pando dump > a.sql",
            "pando b.pando '.read a.sql'",
            "pando c.pando < a.sql",
            "pando a.pando export a.sqlite",
            "pando d.pando import a.sqlite",
            "pando b.pando dump | cmp - a.sql; pando c.pando dump | cmp - a.sql",
        ],
    );
    assert!(!folder.path().join("pwned").exists(), "{told:?}");
    assert_eq!(told[0], "");
    assert_eq!(told[6], "");
}

#[test]
fn a_renamed_branch_stays_chosen() {
    let folder = TemporaryFolder::new();
    let made = &[
        "pando a.pando \"CREATE TABLE x(a); INSERT INTO x VALUES (1)\"",
        "pando a.pando switch -c dev",
        "pando a.pando branch -m work",
        "pando a.pando \"DELETE FROM x\"",
        "pando a.pando \"RENAME BRANCH work TO other\"",
        "pando a.pando branch current",
    ];
    assert_eq!(last(folder.path(), made), "other");
    assert_eq!(run(folder.path(), "pando --branch main a.pando \"SELECT count(*) FROM x\""), "1\n");
}

#[test]
fn nothing_is_done_on_another_branch_than_the_chosen_one() {
    let folder = TemporaryFolder::new();
    let made = &[
        "pando a.pando \"CREATE TABLE x(a); INSERT INTO x VALUES (1)\"",
        "pando a.pando switch -c dev",
        "pando --branch main a.pando \"DROP BRANCH dev\"",
        "pando a.pando \"DELETE FROM x\"",
    ];
    let told = last(folder.path(), made);
    assert!(told.contains("branch dev, which was chosen, is not there any more"), "{told}");
    assert!(told.contains("pando switch main") && told.contains("[exit 1]"), "{told}");
    let told = run(folder.path(), "pando a.pando \"DELETE FROM x\"");
    assert!(told.contains("[exit 1]"), "the second call must be refused as well: {told}");
    assert_eq!(run(folder.path(), "pando a.pando branch"), "* main\n");
    // A new branch of its name is another one.
    let made =
        &["pando --branch main a.pando \"CREATE BRANCH dev\"", "pando a.pando \"DELETE FROM x\""];
    assert!(last(folder.path(), made).contains("[exit 1]"));
    let made = &["pando a.pando switch main", "pando a.pando \"SELECT count(*) FROM x\""];
    assert_eq!(last(folder.path(), made), "1");
    // Another database at the same place knows nothing of it.
    let made = &[
        "pando a.pando switch -c dev",
        "rm a.pando*",
        "pando a.pando \"CREATE TABLE y(a)\"",
        "pando a.pando branch",
    ];
    assert_eq!(last(folder.path(), made), "* main");
}

#[test]
fn a_chosen_branch_follows_its_database_and_its_user() {
    let folder = TemporaryFolder::new();
    let at = |path: &str| run(folder.path(), &format!("pando {path} branch current"));
    let made = &[
        "pando a.pando \"CREATE TABLE x(a); GRANT ADMIN ON BRANCH main TO eva\"",
        "pando a.pando switch -c dev",
        "pando a.pando \"GRANT ADMIN ON BRANCH dev TO eva\"",
        "pando a.pando --user eva branch current",
    ];
    assert_eq!(last(folder.path(), made), "main", "what the owner chose is not eva's");
    let made = &["pando a.pando --user eva switch dev", "pando a.pando switch main"];
    play(folder.path(), made);
    assert_eq!((at("a.pando"), at("a.pando --user eva")), ("main\n".into(), "dev\n".into()));
    // A copy begins on the first branch, also when the other one is gone.
    play(folder.path(), &["pando a.pando switch dev", "cp a.pando b.pando"]);
    play(folder.path(), &["for log in a.pando-wal*; do cp $log b${log#a}; done"]);
    assert_eq!((at("a.pando"), at("b.pando")), ("dev\n".into(), "main\n".into()));
    // One that is moved, logs and all, is on the branch that was chosen.
    let moved = "mkdir sub; for file in a.pando*; do mv $file sub/c${file#a}; done";
    play(folder.path(), &[moved]);
    assert_eq!((at("sub/c.pando"), at("b.pando")), ("dev\n".into(), "main\n".into()));
    assert_eq!(at("sub/c.pando --user eva"), "dev\n");
    // And one that is restored to where it lay.
    let made = &[
        "pando sub/c.pando backup full.bak && rm sub/*",
        "pando restore full.bak --to sub/c.pando",
        "pando sub/c.pando branch current",
        "pando sub/c.pando switch main",
        "pando sub/c.pando branch current",
    ];
    let told = play(folder.path(), made);
    assert_eq!((told[2].as_str(), told[4].as_str()), ("dev", "main"), "{told:?}");
}

#[test]
fn the_first_branch_may_have_another_name() {
    let folder = TemporaryFolder::new();
    let made = &[
        "pando a.pando \"CREATE TABLE x(a)\"",
        "pando a.pando branch -m trunk",
        "pando a.pando branch create main",
        "pando a.pando switch main",
        "pando a.pando branch current",
    ];
    assert_eq!(last(folder.path(), made), "main");
    assert_eq!(run(folder.path(), "pando a.pando branch -d main"), "Deleted branch: main\n");
    assert_eq!(run(folder.path(), "pando a.pando branch"), "* trunk\n");
}

#[test]
fn a_branch_that_is_not_merged_is_deleted_only_on_demand() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    run("pando a.pando \"CREATE TABLE t(a); CREATE BRANCH dev; CREATE BRANCH two; \
         CREATE BRANCH ff; \
         USE BRANCH dev; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); \
         CREATE BRANCH below; USE BRANCH below; INSERT INTO t VALUES (3); \
         USE BRANCH two; INSERT INTO t VALUES (4); \
         USE BRANCH ff; INSERT INTO t VALUES (5); MERGE BRANCH ff INTO main\"");
    let refused = |name: &str, told: &str| {
        format!(
            "Error: {name} is not merged: {told}\nhint: pando branch -D {name} deletes it all the \
             same\n[exit 1]"
        )
    };
    let dev = refused("dev", "2 commits of it are not in main");
    assert_eq!(run("pando a.pando branch -d dev"), dev);
    assert_eq!(run("pando a.pando branch delete dev"), dev);
    assert_eq!(run("pando --branch dev a.pando branch -d dev"), dev);
    // A branch of a branch: it is enough that one of both has its commits.
    let below = refused("below", "1 commit of it is neither in dev nor in main");
    assert_eq!(run("pando a.pando branch -d below"), below);
    run("pando a.pando \"MERGE BRANCH below INTO dev\"");
    assert_eq!(run("pando a.pando branch -d below"), "Deleted branch: below\n");
    // Merged both ways, merged by going forward, deleted all the same, and as the statement does.
    assert_eq!(run("pando a.pando branch -d ff"), "Deleted branch: ff\n");
    run("pando a.pando \"MERGE BRANCH dev INTO main\"");
    assert_eq!(run("pando a.pando branch --delete dev"), "Deleted branch: dev\n");
    assert_eq!(run("pando a.pando branch -d two --force"), "Deleted branch: two\n");
    for forced in ["branch -D late", "branch delete late --force", "\"DROP BRANCH late\""] {
        run("pando a.pando \"CREATE BRANCH late; USE BRANCH late; INSERT INTO t VALUES (6)\"");
        run(&format!("pando a.pando {forced}"));
        assert_eq!(run("pando a.pando branch"), "* main\n", "{forced}");
    }
    assert_eq!(run("pando a.pando 'SELECT count(*) FROM t'"), "4\n");
}

#[test]
fn sql_without_a_database_makes_no_file_of_that_name() {
    let folder = TemporaryFolder::new();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    for sql in
        ["SELECT 1", " select(1);", "SELECT*FROM t", "with x as (select 1) table x", "begin;"]
    {
        let told = run(folder.path(), &format!("pando '{sql}'"));
        assert!(told.starts_with("Error: this looks like SQL"), "{sql}: {told}");
        assert!(told.ends_with("[exit 2]") && told.contains("pando FILE"), "{sql}: {told}");
    }
    assert_eq!(files(), 0);
    for name in ["./select one.pando", "selected works.pando", "backup.pando"] {
        assert_eq!(
            run(folder.path(), &format!("pando '{name}' 'CREATE TABLE t(a)'")),
            "",
            "{name}"
        );
    }
    // What is there is a database, whatever it is called.
    assert_eq!(run(folder.path(), "pando 'select one.pando' 'SELECT count(*) FROM t'"), "0\n");
    assert_eq!(run(folder.path(), "pando --db backup.pando 'SELECT 2'"), "2\n");
}

#[test]
fn an_open_database_is_not_written_over() {
    let folder = TemporaryFolder::new();
    let made = &[
        "pando b.pando \"CREATE TABLE y(a)\"",
        "pando a.pando \"CREATE TABLE t(a); INSERT INTO t VALUES (1)\"",
        "ln -s a.pando link",
        "ln a.pando hard",
    ];
    play(folder.path(), made);
    for name in ["a.pando", "./a.pando", "link", "a.pando-lock", "a.pando-wal-00000001", "b.pando"]
    {
        for command in [
            ".export csv NAME t",
            ".output NAME",
            ".once NAME",
            ".log ./NAME",
            ".trace NAME",
            ".dump ./NAME",
        ] {
            let command = command.replace("NAME", name);
            let line = format!("pando a.pando \"ATTACH 'b.pando' AS b\" '{command}'");
            let told = run(folder.path(), &line);
            assert!(told.contains("which is open") && told.contains("[exit"), "{line}: {told}");
        }
    }
    let told = run(folder.path(), "rm hard; pando a.pando export a.pando t");
    assert!(told.contains("which is open"), "{told}");
    assert_eq!(run(folder.path(), "pando a.pando \"SELECT * FROM t\""), "1\n");
    assert_eq!(run(folder.path(), "pando b.pando .tables"), "y\n");
}

#[test]
fn an_export_that_fails_leaves_the_old_file() {
    let folder = TemporaryFolder::new();
    let export = |what: &str| format!("pando a.pando export o.csv \"{what}\"; cat o.csv; ls");
    let told = play(
        folder.path(),
        &[
            "printf 'old\\n' > o.csv",
            "pando a.pando \"CREATE TABLE t(a); INSERT INTO t VALUES (1)\"",
            &export("nosuch"),
            &export("SELECT abs(-9223372036854775807 - a) FROM t"),
            "pando a.pando export o.csv t; cat o.csv; ls | grep partial",
        ],
    );
    assert!(told[2].contains("no such table") && told[2].contains("\nold\n"), "{told:?}");
    assert!(told[3].contains("overflow") && told[3].contains("\nold\n"), "{told:?}");
    assert!(!told[3].contains("partial"), "{told:?}");
    assert_eq!(told[4], "Exported to 'o.csv'\na\n1\n[exit 1]");
}

#[test]
fn an_export_keeps_the_file_that_has_other_names() {
    let folder = TemporaryFolder::new();
    let told = play(
        folder.path(),
        &[
            "pando a.pando \"CREATE TABLE t(a); INSERT INTO t VALUES (1)\"",
            "printf 'much longer than what comes\n' > o.csv; ln o.csv other.csv",
            "pando a.pando export o.csv nosuch; cat other.csv",
            "pando a.pando export o.csv t; cat other.csv; ls | grep -c partial",
        ],
    );
    assert!(told[2].ends_with("much longer than what comes"), "{told:?}");
    assert_eq!(told[3], "Exported to 'o.csv'\na\n1\n0\n[exit 1]");
}

#[test]
fn a_restore_leaves_a_database_and_nothing_else() {
    let folder = TemporaryFolder::new();
    let told = play(
        folder.path(),
        &[
            "pando a.pando 'CREATE TABLE t(a)' && pando a.pando backup a.bak && rm a.pando*",
            "pando restore a.bak --to b.pando && pando b.pando .tables \"VACUUM INTO 'c.pando'\"",
            "ls | grep partial",
        ],
    );
    assert!(told[1].ends_with("\nt"), "{told:?}");
    assert_eq!(told[2], "[exit 1]", "{told:?}");
}

#[test]
fn sqlite_files_of_any_name_come_and_go() {
    let folder = TemporaryFolder::new();
    for name in ["-cmd.sqlite", ":memory:.sqlite", "file:a?mode=memory.sqlite"] {
        let told = play(
            folder.path(),
            &[
                "rm -f *.pando*; pando a.pando 'CREATE TABLE t(a); INSERT INTO t VALUES (1)'",
                &format!("pando a.pando export -- '{name}'; ls"),
                &format!("pando b.pando import -- '{name}'; pando b.pando 'SELECT * FROM t'"),
            ],
        );
        assert!(told[1].contains(&format!("\n{name}")), "{told:?}");
        assert_eq!(told[2], "Imported 1 rows\n1", "{told:?}");
    }
}

#[test]
fn a_text_of_sqlite_that_is_not_utf8_is_named() {
    let folder = TemporaryFolder::new();
    let make = |table: &str, rows: &str| {
        format!(
            "rm -f s.sqlite; sqlite3 s.sqlite \"CREATE TABLE {table}; INSERT INTO t VALUES {rows}\""
        )
    };
    for (table, place) in [
        ("t(a, b)", "column b of table t is not UTF-8 where rowid is 2"),
        ("t(b, a)", "column a of table t is not UTF-8 where rowid is 2"),
        ("t(a PRIMARY KEY, b) WITHOUT ROWID", "column b of table t is not UTF-8 where a is 'two'"),
    ] {
        let rows = "('one', 'é'), ('two', CAST(x'6fff' AS TEXT))";
        let told = play(folder.path(), &[&make(table, rows), "pando a.pando import s.sqlite"]);
        assert!(
            told[1].contains("nothing has changed") && told[1].contains("[exit 7]"),
            "{told:?}"
        );
        assert!(told[1].contains(place), "{told:?}");
    }
}

#[test]
fn an_import_whose_commit_is_refused_leaves_no_transaction_open() {
    let folder = TemporaryFolder::new();
    let script = "PRAGMA foreign_keys = ON;
CREATE TABLE p(id INTEGER PRIMARY KEY);
CREATE TABLE c(p REFERENCES p DEFERRABLE INITIALLY DEFERRED);
.import c.csv c
INSERT INTO p VALUES (5);";
    let line = format!("printf 'p\\n9\\n' > c.csv; printf '{script}' | pando a.pando");
    let told = run(folder.path(), &line);
    assert!(told.contains("FOREIGN KEY constraint failed"), "{told}");
    let counts = "SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM c)";
    assert_eq!(run(folder.path(), &format!("pando a.pando \"{counts}\"")), "1|0\n");
}

#[test]
fn what_a_protected_branch_refuses_leaves_no_branches() {
    let folder = TemporaryFolder::new();
    let told = play(
        folder.path(),
        &[
            "pando a.pando \"CREATE TABLE t(a)\"",
            "pando a.pando switch -c dev",
            "pando a.pando \"INSERT INTO t VALUES (1)\"",
            "pando --branch main a.pando \"CREATE TABLE u(a)\"",
            "pando --branch main a.pando \"ALTER BRANCH dev SET (protected = true)\"",
            "pando a.pando stash",
            "pando a.pando rebase main",
            "pando a.pando branch",
        ],
    );
    assert!(told[5].contains("protected") && told[5].contains("[exit"), "{told:?}");
    assert!(told[6].contains("protected") && told[6].contains("[exit"), "{told:?}");
    assert_eq!(told[7], "  main\n* dev", "{told:?}");
}

#[test]
fn a_script_that_is_not_there_is_no_syntax_error() {
    let folder = TemporaryFolder::new();
    let told = run(folder.path(), "pando init a.pando; pando a.pando execute nosuch.sql");
    assert!(told.contains("cannot open nosuch.sql"), "{told}");
}

#[test]
fn two_revisions_may_be_written_as_a_range() {
    let folder = TemporaryFolder::new();
    let told = last(
        folder.path(),
        &[
            "pando a.pando \"CREATE TABLE t(a INTEGER PRIMARY KEY)\"",
            "pando a.pando switch -c dev",
            "pando a.pando \"INSERT INTO t VALUES (1)\"",
            "for it in main..dev 'main.. t' dev~1..dev; do pando a.pando diff $it; done",
        ],
    );
    assert_eq!(told, ["t\n  + 1  a=1"; 3].join("\n"));
}

/// A database whose commits are all in its log, as a killed process leaves it.
fn killed(folder: &Path) {
    let sql = "CREATE TABLE x(a); PRAGMA wal_checkpoint; INSERT INTO x VALUES (1), (2);";
    let (make, kill) = ("pando a.pando", ".shell kill -9 $PPID");
    let line = format!("printf '%s\\n%s\\n' '{sql}' '{kill}' | {make}; true");
    run(folder, &line);
    assert_eq!(run(folder, "ls a.pando-wal-*"), "a.pando-wal-00000001\n");
}

#[test]
fn a_segment_of_the_log_under_another_name_is_told_and_stays() {
    let folder = TemporaryFolder::new();
    killed(folder.path());
    run(folder.path(), "mv a.pando-wal-00000001 a.pando-wal-00000002");
    for open in ["pando a.pando", "pando --readonly a.pando"] {
        let told = run(folder.path(), &format!("{open} 'SELECT count(*) FROM x' 2>&1"));
        assert!(told.contains("it is segment 00000001 by what it says"), "{told}");
    }
    run(folder.path(), "mv a.pando-wal-00000002 a.pando-wal-00000001");
    assert_eq!(run(folder.path(), "pando a.pando 'SELECT count(*) FROM x'"), "2\n");
}

#[test]
fn segments_behind_a_missing_one_are_kept_and_told_at_each_opening() {
    let folder = TemporaryFolder::new();
    let sql = "CREATE TABLE x(a); PRAGMA wal_checkpoint; PRAGMA wal_autocheckpoint = 0; INSERT \
         INTO x SELECT randomblob(1000) FROM generate_series(1, 3000); INSERT INTO x SELECT \
         randomblob(1000) FROM generate_series(1, 3000); INSERT INTO x SELECT randomblob(1000) \
         FROM generate_series(1, 3000);";
    let kill = ".shell kill -9 $PPID";
    run(folder.path(), &format!("printf '%s\\n%s\\n' '{sql}' '{kill}' | pando a.pando; true"));
    let files = run(folder.path(), "ls a.pando-wal-*");
    assert!(files.lines().count() > 2, "{files}");
    run(folder.path(), "rm a.pando-wal-00000002");
    let last = files.lines().last().unwrap();
    let told = run(folder.path(), "pando --readonly a.pando 'SELECT 1' 2>&1");
    assert!(told.contains("cannot be reached") && told.contains(last), "{told}");
    for open in ["pando a.pando 'SELECT 1' 2>&1", "pando a.pando check 2>&1"] {
        let told = run(folder.path(), open);
        assert!(told.contains("cannot be reached") && told.contains("-lost"), "{told}");
    }
    assert_eq!(run(folder.path(), &format!("ls {last}-lost")), format!("{last}-lost\n"));
}

#[test]
fn a_log_whose_database_is_missing_is_no_place_for_a_new_one() {
    let folder = TemporaryFolder::new();
    killed(folder.path());
    run(folder.path(), "pando b.pando 'CREATE TABLE y(b)'; pando b.pando backup b.bk");
    run(folder.path(), "mv a.pando kept");
    let told = run(folder.path(), "pando a.pando 'SELECT 1' 2>&1");
    assert!(told.contains("the file a.pando is missing, but its log a.pando-wal-00"), "{told}");
    for (sql, place) in [
        ("pando restore b.bk --to a.pando 2>&1", "move a.pando-wal-00000001"),
        ("pando b.pando \"RESTORE DATABASE FROM 'b.bk' TO 'a.pando'\" 2>&1", "a.pando-wal-000"),
        ("pando b.pando \"VACUUM INTO 'a.pando'\" 2>&1", "a.pando-wal-00000001"),
    ] {
        let told = run(folder.path(), sql);
        assert!(told.contains("had this name is still there") && told.contains(place), "{told}");
    }
    assert_eq!(run(folder.path(), "test -e a.pando || echo none"), "none\n");
    run(folder.path(), "mv kept a.pando");
    assert_eq!(run(folder.path(), "pando a.pando 'SELECT count(*) FROM x'"), "2\n");
}

#[test]
fn what_did_not_become_a_database_leaves_no_lock() {
    let folder = TemporaryFolder::new();
    run(folder.path(), "pando b.pando 'CREATE TABLE y(b)'; pando b.pando backup b.bk");
    run(folder.path(), "printf nonsense > bad.bk");
    run(folder.path(), "pando restore bad.bk --to a.pando; pando restore b.bk --to c.pando");
    let left = run(folder.path(), "ls | grep -E 'a.pando|partial'; true");
    assert_eq!(left, "");
}

#[cfg(unix)]
#[test]
fn a_limit_of_file_sizes_is_a_full_disk_and_no_end() {
    let folder = TemporaryFolder::new();
    run(folder.path(), "pando a.pando 'CREATE TABLE x(a); INSERT INTO x VALUES (1)'");
    let large = "INSERT INTO x SELECT randomblob(100000) FROM generate_series(1, 300)";
    let told = run(folder.path(), &format!("ulimit -f 5000; pando a.pando '{large}' 2>&1"));
    assert!(told.contains("Error") && told.contains("[exit "), "{told}");
    assert!(!told.contains("signal") && !told.contains("[exit 153]"), "{told}");
    assert_eq!(run(folder.path(), "pando a.pando 'SELECT count(*) FROM x'"), "1\n");
}

#[test]
fn a_branch_whose_time_is_over_is_named_when_it_is_gone() {
    let folder = TemporaryFolder::new();
    let script = "CREATE TABLE x(a); CREATE BRANCH short; USE BRANCH short; ALTER BRANCH short SET \
         (ttl = '0s'); CREATE BRANCH other FROM main; SELECT 1;";
    let told = run(folder.path(), &format!("echo \"{script}\" | pando a.pando 2>&1"));
    assert!(told.contains("The branch short is gone"), "{told}");
    assert!(!told.contains("Switched to branch: #"), "{told}");
}

/// Where the process may not have the memory that a statement asks for, that is an error of the
/// statement.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_is_refused_ends_the_statement_and_not_the_process() {
    let folder = TemporaryFolder::new();
    for (call, said) in [
        ("zeroblob(900000000)", "out of memory"),
        ("hex(zeroblob(450000000))", "out of memory"),
        ("printf('%900000000d', 1)", "out of memory"),
        ("quote(zeroblob(400000000))", "out of memory"),
        ("replace(hex(zeroblob(30000000)), '0', 'xxxxxxxxxx')", "out of memory"),
        ("json_quote(printf('%300000000d', 1))", "out of memory"),
        ("group_concat(hex(randomblob(100000))) FROM generate_series(1, 2000)", "memory"),
    ] {
        let (value, from) = call.split_once(" FROM ").unwrap_or((call, "(SELECT 1)"));
        let sql = format!("SELECT length(x) FROM (SELECT {value} AS x FROM {from})");
        let line = format!("(ulimit -v 600000; pando a.pando \"{sql}\")");
        let told = run(folder.path(), &line);
        assert!(told.contains(said) && told.contains("[exit 1]"), "{call}: {told}");
    }
}
