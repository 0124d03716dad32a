//! The program at a real terminal: editing, completion, Ctrl-C, progress bars.

use std::fmt::Write as _;
use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{ControlCode, Expect, Session};
use pandodb_testkit::TemporaryFolder;

use crate::shell;

/// A shell at a terminal of its own, which answers where its cursor is when it is asked: the
/// editor asks that before each prompt.
struct Terminal(OsSession);

impl Terminal {
    fn start(folder: &TemporaryFolder) -> Self {
        let mut command = shell(folder.path(), "exec pando a.pando");
        command.env("TERM", "xterm-256color").env("NO_COLOR", "1").env("PAGER", "");
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(20)));
        session.expect("Type .help for help").unwrap();
        let mut terminal = Self(session);
        terminal.prompt();
        terminal
    }

    fn prompt(&mut self) {
        self.0.expect("\u{1b}[6n").unwrap();
        self.0.send("\u{1b}[3;1R").unwrap();
        self.0.expect("> ").unwrap();
    }

    fn keys(&mut self, keys: &str) {
        self.0.send(keys).unwrap();
    }

    fn sees(&mut self, text: &str) {
        self.0.expect(text).unwrap();
    }

    fn interrupt(&mut self) {
        self.0.send(ControlCode::EndOfText).unwrap();
    }
}

#[test]
fn statements_are_edited_completed_and_interrupted() {
    let folder = TemporaryFolder::new();
    let mut terminal = Terminal::start(&folder);
    terminal.keys("CREATE TABLE tree(name TEXT);\r");
    terminal.prompt();
    terminal.keys("INSERT INTO tree VALUES ('oak');\r");
    terminal.sees("1 row affected");
    terminal.prompt();
    terminal.keys("CREATE BRANCH \"dev\";\r");
    terminal.sees("Created branch: dev");
    terminal.prompt();
    // Tab completes the only table; without a semicolon Enter begins another line.
    terminal.keys("SELECT * FROM tr\t");
    terminal.sees("tree");
    terminal.keys("-- not yet\r");
    terminal.sees("...>");
    terminal.keys(";\r");
    terminal.sees("oak");
    terminal.prompt();
    // Ctrl-C drops what was typed and leaves the shell alone.
    terminal.keys("SELECT nonsense");
    terminal.sees("nonsense");
    terminal.interrupt();
    terminal.prompt();
    terminal.keys("SELECT 'still' || ' here';\r");
    terminal.sees("still here");
    terminal.prompt();
    // Ctrl-C stops a statement that would not end.
    terminal.keys(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;\r",
    );
    std::thread::sleep(Duration::from_millis(700));
    terminal.interrupt();
    terminal.sees("interrupted");
    terminal.prompt();
    terminal.keys("SELECT 'and' || ' now';\r");
    terminal.sees("and now");
    terminal.prompt();
    terminal.keys("BEGIN;\r");
    terminal.prompt();
    terminal.keys(".exit\r");
    terminal.sees("it is rolled back");
}

#[test]
fn an_import_is_interrupted_and_the_shell_goes_on() {
    let folder = TemporaryFolder::new();
    let mut rows = "id,name\n".to_owned();
    for row in 0..ROWS * 20 {
        let _ = writeln!(rows, "{row},name of row {row}");
    }
    std::fs::write(folder.file("rows.csv"), rows).unwrap();
    let mut terminal = Terminal::start(&folder);
    terminal.keys(".import rows.csv t\r");
    terminal.sees("importing [");
    terminal.interrupt();
    terminal.sees("interrupted");
    terminal.prompt();
    terminal.keys("SELECT count(*) || ' tables' FROM sqlite_schema;\r");
    terminal.sees("0 tables");
    terminal.prompt();
    terminal.keys(".exit\r");
    terminal.sees("\n");
}

/// Enough rows for some reports of progress.
const ROWS: usize = 30_000;

#[test]
fn long_work_shows_bars_at_a_terminal_and_only_there() {
    let folder = TemporaryFolder::new();
    let mut rows = "id,name\n".to_owned();
    for row in 0..ROWS {
        let _ = writeln!(rows, "{row},name of row {row}");
    }
    std::fs::write(folder.file("rows.csv"), rows).unwrap();
    let imported = format!("Imported {ROWS} rows");
    for (verb, bar, end) in [
        ("import rows.csv t", "importing [", imported.as_str()),
        ("backup full.bak", "backing up [", "Backed up to"),
    ] {
        let mut command = shell(folder.path(), &format!("exec pando a.pando {verb}"));
        command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(20)));
        session.expect(bar).unwrap();
        session.expect(end).unwrap();
        session.expect(expectrl::Eof).unwrap();
        drop(session);
        // Nothing of it is left in a pipe, nor where it is not wanted.
        let other = verb.replace(" t", " u").replace("full", "other");
        let printed = crate::run(folder.path(), &format!("pando a.pando {other}"));
        assert!(printed.starts_with(end) && printed.lines().count() == 1, "{printed:?}");
    }
    let mut command = shell(folder.path(), "exec pando --no-progress a.pando import rows.csv v");
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    let found = session.expect(imported.as_str()).unwrap();
    let before = String::from_utf8_lossy(found.before());
    assert!(!before.contains("importing"), "{before:?}");
}

#[test]
fn values_do_not_steer_the_terminal() {
    let folder = TemporaryFolder::new();
    let fill = "CREATE TABLE evil(a); INSERT INTO evil VALUES (char(27) || ']0;title' || char(7)); \
                CREATE BRANCH b; INSERT INTO evil@b VALUES (char(27) || 'c')";
    crate::run(folder.path(), &format!("pando a.pando \"{fill}\""));
    let modes = ["list", "csv", "tsv", "html", "quote", "insert", "json", "line", "box"];
    let mut lines: Vec<String> = modes.map(|mode| format!("--mode {mode} a.pando")).to_vec();
    for line in &mut lines {
        line.push_str(" 'SELECT * FROM evil'");
    }
    for other in ["dump", "diff main b", "table export evil"] {
        lines.push(format!("a.pando {other}"));
    }
    for line in lines {
        let printed = at_terminal(&folder, &format!("pando {line}"));
        assert!(!printed.contains(['\u{1b}', '\u{7}']), "{line}: {printed:?}");
        let is_shown = ["^[", "u001b"].iter().any(|shown| printed.contains(shown));
        assert!(is_shown, "{line}: {printed:?}");
    }
    let raw = at_terminal(&folder, "pando --list --escape off a.pando 'SELECT * FROM evil'");
    assert!(raw.contains("\u{1b}]0;title\u{7}"), "{raw:?}");
}

/// All that a program prints at a terminal.
fn at_terminal(folder: &TemporaryFolder, line: &str) -> String {
    let mut command = shell(folder.path(), &format!("exec {line}"));
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1").env("PAGER", "");
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    let all = session.expect(expectrl::Eof).unwrap();
    String::from_utf8_lossy(all.as_bytes()).into_owned()
}

/// What a program at a terminal prints, which must have shown `bar` on the way.
fn sees_bar(folder: &TemporaryFolder, line: &str, bar: &str, end: &str) {
    let mut command = shell(folder.path(), &format!("exec {line}"));
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect(bar).unwrap();
    session.expect(end).unwrap();
    session.expect(expectrl::Eof).unwrap();
}

#[test]
fn a_restore_shows_a_bar_at_a_terminal_and_only_there() {
    let folder = TemporaryFolder::new();
    let fill = "CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                WHERE i < 2000) INSERT INTO t SELECT randomblob(500) FROM n";
    crate::run(folder.path(), &format!("pando a.pando '{fill}' && pando a.pando backup full.bak"));
    let restore = |to: &str| format!("pando restore full.bak --to {to}");
    sees_bar(&folder, &restore("b.pando"), "restoring ", "Restored");
    let printed = crate::run(folder.path(), &restore("c.pando"));
    assert!(printed.starts_with("Restored") && printed.lines().count() == 1, "{printed:?}");
    sees_bar(&folder, "pando b.pando 'SELECT count(*) FROM t'", "", "2000");
}

#[test]
fn recovery_shows_a_bar_at_a_terminal_and_only_there() {
    let folder = TemporaryFolder::new();
    // More log than is done again in no time, left behind by a program that was killed.
    let mut script = "PRAGMA wal_autocheckpoint = 0;\nCREATE TABLE t(x);\n".to_owned();
    for _ in 0..240 {
        script.push_str(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
             INSERT INTO t SELECT randomblob(1000) FROM n;\n",
        );
    }
    script.push_str(".shell kill -9 $PPID\n");
    std::fs::write(folder.file("fill.sql"), script).unwrap();
    crate::run(folder.path(), "pando a.pando < fill.sql");
    crate::run(folder.path(), "mkdir copy && cp a.pando* copy");
    sees_bar(&folder, "pando a.pando 'SELECT count(*) FROM t'", "recovering ", "48000");
    // In a pipe the same recovery says nothing.
    let printed = crate::run(folder.path(), "pando copy/a.pando 'SELECT count(*) FROM t'");
    assert_eq!(printed, "48000\n");
}
