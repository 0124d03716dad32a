//! The suite `sql`: statements through the library, against SQLite; questions about many rows
//! beside DuckDB too, for orientation.
//!
//! All contenders have the same rows, the same statements, kept prepared, the same durability and
//! caches of the same size. A result that differs between PandoDB and SQLite is an error line,
//! not a figure. Neighbours: `client` says what a contender is, `pando` and `sqlite` are two.

pub(crate) mod client;
mod duck;
pub(crate) mod files;
pub(crate) mod items;
pub(crate) mod pando;
mod reads;
mod sqlite;
mod start;
mod tpch;
mod writes;

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use self::pando::Pando;
use self::sqlite::Sqlite;
use crate::turns::{Outcome, Rounds};

/// The standard rows, loaded once for every workload that leaves them there.
struct Base {
    rows: u64,
    folder: PathBuf,
    pando: Pando,
    /// None where PandoDB is looked at alone.
    sqlite: Option<Sqlite>,
}

impl Base {
    fn create(folder: &Path, rows: u64, has_peers: bool) -> Outcome<Self> {
        let pando = items::create(&folder.join("pando"), rows)?;
        let sqlite = has_peers.then(|| items::create(&folder.join("sqlite"), rows)).transpose()?;
        Ok(Self { rows, folder: folder.to_owned(), pando, sqlite })
    }

    fn sqlite_file(&self) -> Option<PathBuf> {
        self.sqlite.as_ref().map(|_| self.folder.join("sqlite/data.sqlite"))
    }
}

/// Folders that nobody has used.
struct Fresh {
    root: PathBuf,
    next: u64,
}

impl Fresh {
    fn new(root: PathBuf) -> Self {
        Self { root, next: 0 }
    }

    fn folder(&mut self) -> Outcome<PathBuf> {
        self.next += 1;
        let folder = self.root.join(self.next.to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// Workloads that change the standard rows; the others come before.
const CHANGES: [&str; 5] = [
    "sql/branches-full-8",
    "sql/update-one-normal",
    "sql/update-one-full",
    "sql/update-one-full-8",
    "sql/reader-beside-writer",
];

/// Measures the whole suite with `rows` rows below `folder`.
pub(crate) fn measure(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    let folder = folder.join("sql");
    std::fs::create_dir_all(&folder)?;
    let has_peers = !rounds.is_alone();
    if reads::is_wanted(rounds) || CHANGES.iter().any(|name| rounds.wants(name)) {
        let base = Base::create(&folder, rows, has_peers)?;
        reads::measure(rounds, &base)?;
        writes::measure_branches(rounds, &base)?;
        writes::measure_beside(rounds, &base)?;
        writes::measure_single(rounds, &base)?;
    }
    tpch::measure(rounds, &folder, rows, has_peers)?;
    writes::measure_load(rounds, &folder, rows)?;
    writes::measure_tenths(rounds, &folder, rows)?;
    files::measure_size(rounds, &folder, rows)?;
    files::measure_open(rounds, &folder, rows)?;
    start::measure(rounds, &folder)?;
    files::measure_memory(rounds, &folder, rows)
}

/// Runs `work` once for each part, on a thread each; the clock starts when all have said that
/// they are ready, and the result is the time of one of `count` operations.
pub(crate) fn together<P: Send>(
    parts: Vec<P>,
    count: u64,
    work: impl Fn(P, &dyn Fn()) -> Outcome<()> + Sync,
) -> Outcome<f64> {
    let barrier = Barrier::new(parts.len() + 1);
    thread::scope(|scope| {
        let (work, barrier) = (&work, &barrier);
        let threads: Vec<_> = parts
            .into_iter()
            .map(|part| {
                scope.spawn(move || {
                    let has_waited = std::cell::Cell::new(false);
                    let ready = || {
                        has_waited.set(true);
                        barrier.wait();
                    };
                    let outcome = work(part, &ready).map_err(|error| error.to_string());
                    // One that failed before must not let the others wait for ever.
                    if !has_waited.get() {
                        barrier.wait();
                    }
                    outcome
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(start.elapsed().as_secs_f64() * 1e9 / count.max(1) as f64)
    })
}
