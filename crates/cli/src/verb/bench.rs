//! A quick measurement of this machine, in a database that is gone afterwards.
//!
//! It shows what a user can expect, not how we compare: that is what the project's benchmarks
//! are for. Neighbours: `inspect`.

use std::io::Write;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::progress::Progress;
use crate::shell::{Opening, Shell};
use crate::terminal::Terminal;

/// Measures inserts, point reads, a scan and an update over `rows` rows.
pub(super) fn run(arguments: &Arguments, terminal: Terminal, rows: u64) -> Outcome<Exit> {
    let path = std::env::temp_dir().join(format!("pando-bench-{}.pando", std::process::id()));
    let path_text = path.display().to_string();
    let opening = Opening { path: path_text, read_only: false, create: true, user: None };
    let mut shell = Shell::open(opening, terminal, false)?;
    crate::configure(&mut shell, arguments);
    let outcome = measure(&mut shell, rows);
    let shown = shell.sink.flush();
    drop(shell);
    for leftover in ["", "-wal", "-lock"] {
        // A file that was never made need not be removed.
        let _ = std::fs::remove_file(format!("{}{leftover}", path.display()));
    }
    outcome?;
    shown?;
    Ok(Exit::Success)
}

fn measure(shell: &mut Shell, rows: u64) -> Outcome {
    shell.execute("CREATE TABLE bench(id INTEGER PRIMARY KEY, name TEXT, value REAL)")?;
    let progress = Progress::items(shell, "measuring", Some(rows * 3));
    let mut results = Vec::new();
    let began = Instant::now();
    shell.execute("BEGIN")?;
    for id in 0..rows {
        let mut insert =
            shell.connection.prepare_cached("INSERT INTO bench VALUES (?1, ?2, ?3)")?;
        insert.execute((id, format!("name {id}"), id as f64 / 7.0))?;
        progress.advance(1);
    }
    shell.execute("COMMIT")?;
    results.push(("insert, one transaction", rows, began.elapsed()));
    let began = Instant::now();
    for step in 0..rows {
        // A step that is odd and large visits every row in an order that no cache expects.
        let id = step.wrapping_mul(2_654_435_761) % rows.max(1);
        let mut query = shell.connection.prepare_cached("SELECT name FROM bench WHERE id = ?1")?;
        query.query_row([id], |row| row.get::<_, String>(0))?;
        progress.advance(1);
    }
    results.push(("read by key", rows, began.elapsed()));
    let began = Instant::now();
    let sql = "SELECT count(*), sum(value), max(name) FROM bench";
    shell.connection.query_row(sql, (), |row| row.get::<_, u64>(0))?;
    progress.advance(rows);
    results.push(("scan and aggregate", rows, began.elapsed()));
    let commits = rows.min(1000);
    let began = Instant::now();
    for id in 0..commits {
        shell.connection.execute("UPDATE bench SET value = value + 1 WHERE id = ?1", [id])?;
    }
    results.push(("durable commit", commits, began.elapsed()));
    progress.finish();
    for (what, count, elapsed) in results {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let (rate, each) = (count as f64 / seconds, seconds * 1e6 / count.max(1) as f64);
        writeln!(
            shell.sink,
            "{what:24} {count:>9} in {seconds:>8.3} s  {rate:>12.0}/s  {each:>9.3} us each"
        )?;
    }
    Ok(())
}
