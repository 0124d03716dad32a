//! The suite `branching`: branches, forks, diffs and merges, against DoltLite, copies of files,
//! and PandoDB itself where a cost must not depend on a size or a depth.
//!
//! Everything is said in SQL, through the library, with `synchronous = FULL`. Neighbours:
//! `create`, `queries`, `changes` (diff and merge), `growth`, `many` (10,000 branches) hold the
//! workloads, `dolt` the peer; rows and library are those of the suite `sql`.

mod changes;
mod create;
mod dolt;
mod growth;
mod many;
mod queries;

use std::path::{Path, PathBuf};

use self::dolt::Dolt;
use crate::sql::client::{Connection, Database, Durable, Statement};
use crate::sql::items;
use crate::sql::pando::Pando;
use crate::turns::{Outcome, Rounds, time_each};

/// The standard rows in both databases.
struct Base {
    rows: u64,
    folder: PathBuf,
    pando: Pando,
    connection: pandodb::Connection,
    dolt: Option<Dolt>,
}

impl Base {
    fn create(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<Self> {
        let pando: Pando = items::create(&folder.join("pando"), rows)?;
        let connection = pando.connect(Durable::Now)?;
        let dolt = Dolt::start(rounds, folder, rows)?;
        Ok(Self { rows, folder: folder.to_owned(), pando, connection, dolt })
    }

    /// Runs statements that nobody times.
    fn run(&self, sql: &str) -> Outcome<()> {
        self.connection.run_all(sql)
    }
}

/// The nanoseconds of statements, from their texts to the last row.
fn time_of(connection: &pandodb::Connection, sql: &str) -> Outcome<f64> {
    time_each(1, || connection.run_all(sql))
}

/// The nanoseconds of a query, all rows and values read.
fn time_of_query(connection: &pandodb::Connection, sql: &str) -> Outcome<f64> {
    time_each(1, || {
        Connection::prepare(connection, sql)?.touch(&[])?;
        Ok(())
    })
}

/// A number that is never given twice, for names.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Measures the whole suite with `rows` rows and `branches` branches below `folder`.
pub(crate) fn measure(rounds: &mut Rounds, folder: &Path, rows: u64, branches: u64) -> Outcome<()> {
    let folder = folder.join("branching");
    std::fs::create_dir_all(&folder)?;
    let of_base = [create::NAMES.as_slice(), &queries::NAMES, &changes::NAMES].concat();
    if of_base.iter().any(|name| rounds.wants(name)) {
        let base = Base::create(rounds, &folder, rows)?;
        create::measure(rounds, &base);
        changes::measure(rounds, &base);
        let outcome = queries::measure(rounds, &base);
        rounds.keep("branching/queries", outcome);
    }
    let outcome = growth::measure(rounds, &folder, rows);
    rounds.keep("branching/growth", outcome);
    let outcome = many::measure(rounds, &folder, branches);
    rounds.keep("branching/many", outcome);
    Ok(())
}
