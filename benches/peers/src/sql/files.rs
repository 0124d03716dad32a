//! Files and memory: how large a loaded database is, how fast a large one opens, and what a load
//! keeps in memory.
//!
//! The memory is that of a process of its own, which this program starts as `load`. Neighbours:
//! `writes` measures the time of the same load.

use std::path::Path;
use std::process::{Command, Stdio};

use super::client::{Cell, Connection, Database, Durable, Statement};
use super::items::{Items, load, random_keys};
use super::pando::Pando;
use super::sqlite::Sqlite;
use crate::turns::{Outcome, PANDO, Rounds, Unit, time_each, turn};

/// The bytes of all files in a folder and below.
pub(crate) fn bytes_below(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            bytes_below(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

/// Copies a folder with everything in it to a place where nothing is.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The size of the database after the load, closed, with default settings.
pub(crate) fn measure_size(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    const NAME: &str = "sql/file-size";
    if !rounds.wants(NAME) {
        return Ok(());
    }
    let own = size_of::<Pando>(&folder.join("size-pando"), rows)?;
    let peer = size_of::<Sqlite>(&folder.join("size-sqlite"), rows)?;
    // The same bytes in every round: one is enough.
    let turns = vec![turn(Pando::NAME, || Ok(own)), turn(Sqlite::NAME, || Ok(peer))];
    rounds.run(NAME, Unit::Bytes, turns)
}

fn size_of<D: Database>(folder: &Path, rows: u64) -> Outcome<f64> {
    drop(super::items::create::<D>(folder, rows)?);
    let bytes = bytes_below(folder)?;
    std::fs::remove_dir_all(folder)?;
    Ok(bytes as f64)
}

/// Opening a database of a kilobyte a row (1 GB with a million rows) and one point query.
pub(crate) fn measure_open(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    const NAME: &str = "sql/open-large";
    if !rounds.wants(NAME) {
        return Ok(());
    }
    let (own, peer) = (folder.join("large-pando"), folder.join("large-sqlite"));
    make_large::<Pando>(&own, rows)?;
    if !rounds.is_alone() {
        make_large::<Sqlite>(&peer, rows)?;
    }
    let mut key = random_keys(rows, 1, 79)[0];
    let mut next = move || {
        key = key * 48_271 % 2_147_483_647;
        key % rows as i64 + 1
    };
    let mut next_too = next;
    rounds.run(
        NAME,
        Unit::Nanoseconds,
        vec![
            turn(Pando::NAME, || open_and_ask::<Pando>(&own, &mut next)),
            turn(Sqlite::NAME, || open_and_ask::<Sqlite>(&peer, &mut next_too)),
        ],
    )?;
    std::fs::remove_dir_all(own)?;
    if peer.exists() {
        std::fs::remove_dir_all(peer)?;
    }
    Ok(())
}

fn make_large<D: Database>(folder: &Path, rows: u64) -> Outcome<()> {
    std::fs::create_dir_all(folder)?;
    let database = D::open(folder)?;
    let connection = database.connect(Durable::Later)?;
    connection.run_all("CREATE TABLE large(id INTEGER PRIMARY KEY, body BLOB)")?;
    let mut random = fastrand::Rng::with_seed(83);
    let mut insert = connection.prepare("INSERT INTO large VALUES (?1, ?2)")?;
    // In parts, so that SQLite's log does not become as large as the database.
    let keys: Vec<i64> = (1..=rows as i64).collect();
    for part in keys.chunks(50_000) {
        connection.run_all("BEGIN")?;
        for key in part {
            // Without any pattern: nothing that could be compressed.
            let body = std::iter::repeat_with(|| random.u8(..)).take(1000).collect();
            insert.change(&[Cell::Integer(*key), Cell::Blob(body)])?;
        }
        connection.run_all("COMMIT")?;
    }
    Ok(())
}

fn open_and_ask<D: Database>(folder: &Path, mut next: impl FnMut() -> i64) -> Outcome<f64> {
    // One takes a quarter of a millisecond, which anything that disturbs the machine can double.
    const TIMES: u64 = 16;
    time_each(TIMES, || {
        for _ in 0..TIMES {
            let key = next();
            let database = D::open(folder)?;
            let connection = database.connect(Durable::Later)?;
            let found =
                connection.prepare("SELECT body FROM large WHERE id = ?1")?.touch(&[key])?;
            if found != 1 {
                return Err(format!("{found} rows have the key {key}").into());
            }
        }
        Ok(())
    })
}

/// The most memory that a process has while it loads.
pub(crate) fn measure_memory(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    const NAME: &str = "sql/load-memory";
    if !rounds.wants(NAME) {
        return Ok(());
    }
    let folder = folder.join("memory");
    rounds.run(
        NAME,
        Unit::Bytes,
        vec![
            turn(PANDO, || load_elsewhere(&folder, PANDO, rows)),
            turn(Sqlite::NAME, || load_elsewhere(&folder, Sqlite::NAME, rows)),
        ],
    )
}

fn load_elsewhere(folder: &Path, contender: &str, rows: u64) -> Outcome<f64> {
    let child = Command::new(std::env::current_exe()?)
        .args(["load", contender, "--rows", &rows.to_string(), "--folder"])
        .arg(folder)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(child.stdout)?;
    std::fs::remove_dir_all(folder)?;
    Ok(text.trim().parse()?)
}

/// Loads the rows and prints by how many bytes the process grew at most.
pub(crate) fn load_here(folder: &Path, contender: &str, rows: u64) -> Outcome<u64> {
    std::fs::create_dir_all(folder)?;
    let before = memory("VmRSS:")?;
    match contender {
        PANDO => load_into(&Pando::open(folder)?, rows)?,
        Sqlite::NAME => load_into(&Sqlite::open(folder)?, rows)?,
        other => return Err(format!("there is no contender {other}").into()),
    }
    Ok(memory("VmHWM:")?.saturating_sub(before))
}

fn load_into<D: Database>(database: &D, rows: u64) -> Outcome<()> {
    load(&database.connect(Durable::Later)?, Items::new(rows))
}

/// A line of what Linux tells of this process, in bytes.
fn memory(line: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.trim().strip_suffix("kB")?.trim().parse().ok());
    let kibibytes: u64 = kibibytes.ok_or("this system does not tell what a process uses")?;
    Ok(kibibytes * 1024)
}
