//! What it takes to start the program `pando`, run one statement on a file and end, beside the
//! program `sqlite3` and beside a process that does nothing.
//!
//! The statement reads a row, so that the file is opened in earnest. Neighbours: `files` measures
//! opening within a process.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::turns::{Outcome, PANDO, Rounds, Unit, time_each, turn};

/// Starts in one turn.
const STARTS: u64 = 20;
const SCRIPT: &str = "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT); \
                      INSERT INTO item VALUES (1, 'one')";

/// Measures `sql/start`; the program stands beside this one.
pub(super) fn measure(rounds: &mut Rounds, folder: &Path) -> Outcome<()> {
    const NAME: &str = "sql/start";
    if !rounds.wants(NAME) {
        return Ok(());
    }
    let own = std::env::current_exe()?.with_file_name("pando");
    if !own.exists() {
        rounds.fail(NAME, "the program is not built: cargo build --release -p pandodb-cli");
        return Ok(());
    }
    let folder = folder.join("start");
    std::fs::create_dir_all(&folder)?;
    let (file, peer_file) = (folder.join("data.pando"), folder.join("data.sqlite"));
    start(Command::new(&own).arg(&file).arg(SCRIPT))?;
    let has_peer = start(Command::new("sqlite3").arg(&peer_file).arg(SCRIPT)).is_ok();
    let question = "SELECT name FROM item WHERE id = 1";
    let ask = |program: &Path, file: &Path| {
        time_each(STARTS, || {
            (0..STARTS).try_for_each(|_| start(Command::new(program).arg(file).arg(question)))
        })
    };
    let mut turns = vec![turn(PANDO, || ask(&own, &file))];
    if has_peer {
        turns.push(turn("sqlite3", || ask(Path::new("sqlite3"), &peer_file)));
    } else {
        rounds.skip("sqlite3");
    }
    turns.push(turn("true", || {
        time_each(STARTS, || (0..STARTS).try_for_each(|_| start(&mut Command::new("true"))))
    }));
    rounds.run(NAME, Unit::Nanoseconds, turns)?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn start(command: &mut Command) -> Outcome<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
