//! The suite `transactions`: commits of one row, readers beside a writer, recovery; against
//! SQLite and redb, and against this disk's own time for a write and a sync.
//!
//! Everybody updates the same rows of the same table to the same values. PandoDB and redb are
//! called through their own interfaces, SQLite through prepared statements, which is the
//! nearest that it has. Neighbours: one file a contender.

mod pando;
mod redb;
mod round_trip;
mod sqlite;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::pando::Pando;
use self::redb::Redb;
use self::round_trip::round_trip;
use self::sqlite::Sqlite;
use crate::data::{Data, WORDS};
use crate::turns::{Outcome, PANDO, Rounds, Turn, Unit, time_each};

/// The cache of each contender.
const CACHE_BYTES: usize = 256 * 1024 * 1024;

/// When a commit that was acknowledged is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Durable {
    /// After a crash of the process; after one of the machine with the next checkpoint only.
    Later,
    /// Before it is acknowledged.
    Now,
}

/// Keys and the values that they get. A key never gets the value that it has: SQLite notices
/// that and writes nothing.
struct Changes<'a> {
    data: &'a Data,
    keys: &'a [u64],
    /// Another one each time.
    turn: u64,
}

impl<'a> Changes<'a> {
    fn new(data: &'a Data, keys: &'a [u64]) -> Self {
        static TURNS: AtomicU64 = AtomicU64::new(1);
        Self { data, keys, turn: TURNS.fetch_add(1, Ordering::Relaxed) }
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &'a [u8])> {
        let Self { data, keys, turn } = *self;
        keys.iter()
            .zip(0..)
            .map(move |(key, number)| (*key, data.value((key + turn * 7919 + number) % data.rows)))
    }
}

/// What a database must be able to do to be measured here.
trait Contender: Sized + Sync {
    const NAME: &'static str;

    /// A database with all rows in a new folder.
    fn create(folder: &Path, data: &Data) -> Outcome<Self>;

    /// Gives each key a new value in a transaction of its own.
    fn commit_each(&self, changes: &Changes<'_>, durable: Durable) -> Outcome<()>;

    /// Reads each key in a transaction of its own; returns the sum of the lengths.
    fn read_each(&self, keys: &[u64]) -> Outcome<u64>;
}

/// How many commits a round takes.
struct Counts {
    normal: u64,
    full: u64,
    reads: u64,
}

/// Runs `work` on `threads` threads with a part of the keys each; returns the time of one key.
fn on_threads(
    keys: &[u64],
    threads: usize,
    work: impl Fn(&[u64]) -> Outcome<()> + Sync,
) -> Outcome<f64> {
    let share = keys.len().div_ceil(threads);
    time_each(keys.len() as u64, || {
        thread::scope(|scope| {
            let work = &work;
            let started: Vec<_> = keys
                .chunks(share)
                .map(|part| scope.spawn(move || work(part).map_err(|error| error.to_string())))
                .collect();
            for thread in started {
                thread.join().map_err(|_| "a thread panicked")??;
            }
            Ok(())
        })
    })
}

fn commits<C: Contender>(
    database: &C,
    data: &Data,
    count: u64,
    threads: usize,
    durable: Durable,
) -> Outcome<f64> {
    let keys = data.random_keys(count, 31);
    on_threads(&keys, threads, |part| database.commit_each(&Changes::new(data, part), durable))
}

/// What this disk takes for a write of a small frame and a sync, in a file that does not grow.
fn disk_alone(file: &mut File, count: u64) -> Outcome<f64> {
    const FRAME: [u8; 160] = [7; 160];
    file.seek(SeekFrom::Start(0))?;
    time_each(count, || {
        for _ in 0..count {
            file.write_all(&FRAME)?;
            file.sync_data()?;
        }
        Ok(())
    })
}

/// Measures the whole suite with `rows` rows below `folder`.
pub(crate) fn measure(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    let data = Data::new(rows, WORDS);
    let root = folder.join("transactions");
    let counts = Counts { normal: (rows / 50).max(1000), full: 400, reads: 200_000 };
    let pando = Pando::create(&root.join("pando"), &data)?;
    let sqlite = Sqlite::create(&root.join("sqlite"), &data)?;
    let redb = Redb::create(&root.join("redb"), &data)?;
    let other = Pando::create(&root.join("other"), &data)?;
    let time = Unit::Nanoseconds;
    rounds.run(
        "transactions/commit-normal",
        time,
        vec![
            turn(Pando::NAME, || commits(&pando, &data, counts.normal, 1, Durable::Later)),
            turn(Sqlite::NAME, || commits(&sqlite, &data, counts.normal, 1, Durable::Later)),
        ],
    )?;
    let mut file = File::create(root.join("alone"))?;
    file.write_all(&vec![0; 1 << 20])?;
    file.sync_all()?;
    rounds.run(
        "transactions/commit-full-1",
        time,
        vec![
            turn(Pando::NAME, || commits(&pando, &data, counts.full, 1, Durable::Now)),
            turn(Sqlite::NAME, || commits(&sqlite, &data, counts.full, 1, Durable::Now)),
            turn(Redb::NAME, || commits(&redb, &data, counts.full, 1, Durable::Now)),
            turn("disk alone", || disk_alone(&mut file, counts.full)),
        ],
    )?;
    rounds.run(
        "transactions/commit-full-8",
        time,
        vec![
            turn(Pando::NAME, || commits(&pando, &data, 2 * counts.full, 8, Durable::Now)),
            turn(Sqlite::NAME, || commits(&sqlite, &data, 2 * counts.full, 8, Durable::Now)),
            turn(Redb::NAME, || commits(&redb, &data, 2 * counts.full, 8, Durable::Now)),
        ],
    )?;
    let reads = data.random_keys(counts.reads, 37);
    rounds.run(
        "transactions/read",
        time,
        vec![
            turn(Pando::NAME, || on_threads(&reads, 1, |part| pando.read_each(part).map(keep))),
            turn(Sqlite::NAME, || on_threads(&reads, 1, |part| sqlite.read_each(part).map(keep))),
            turn(Redb::NAME, || on_threads(&reads, 1, |part| redb.read_each(part).map(keep))),
        ],
    )?;
    // What the next two depend on: see there.
    rounds.run("transactions/line-round-trip", time, vec![turn(PANDO, round_trip)])?;
    for (name, of_processor) in
        [("transactions/reader-loss", false), ("transactions/reader-loss-processor", true)]
    {
        let loss = |busy| reader_loss(&pando, busy, &data, &reads, of_processor);
        rounds.run(
            name,
            Unit::Fraction,
            vec![
                turn(PANDO, || loss(Busy::Commits(&pando))),
                turn("beside another file's writer", || loss(Busy::Commits(&other))),
                turn("beside a copy of memory", || loss(Busy::Copies)),
                turn("beside a computation", || loss(Busy::Computes)),
            ],
        )?;
    }
    drop((pando, other));
    measure_large(rounds, &root, &data)
}

/// Recovery and large transactions, which only PandoDB has bounds for.
fn measure_large(rounds: &mut Rounds, root: &Path, data: &Data) -> Outcome<()> {
    let mut made = 0;
    let mut fresh = || {
        made += 1;
        root.join(format!("large-{made}"))
    };
    let shuffled = data.shuffled_keys(41);
    rounds.run(
        "transactions/recovery",
        Unit::Nanoseconds,
        vec![turn(PANDO, || {
            let folder = fresh();
            let pando = Pando::without_checkpoints(&folder)?;
            pando.put_all(data, &shuffled, 100)?;
            let start = Instant::now();
            let rows = pando.recover()?;
            let figure = start.elapsed().as_secs_f64() * 1e9;
            std::fs::remove_dir_all(&folder)?;
            if rows == data.rows { Ok(figure) } else { Err(format!("{rows} rows are left").into()) }
        })],
    )?;
    let sorted: Vec<u64> = (0..data.rows).collect();
    rounds.run(
        "transactions/large-written",
        Unit::Fraction,
        vec![turn(PANDO, || {
            let folder = fresh();
            let pando = Pando::without_checkpoints(&folder)?;
            pando.put_all(data, &sorted, sorted.len())?;
            pando.checkpoint()?;
            let (written, used) = pando.written()?;
            drop(pando);
            std::fs::remove_dir_all(&folder)?;
            Ok(written as f64 / used as f64)
        })],
    )
}

fn turn<'a>(name: &'static str, work: impl FnMut() -> Outcome<f64> + 'a) -> Turn<'a> {
    (name, Box::new(work))
}

fn keep(sum: u64) {
    let _ = std::hint::black_box(sum);
}

/// What runs beside a reader. Only the first kind shares anything with it but the machine.
#[derive(Clone, Copy)]
enum Busy<'a> {
    /// Commits of one row without pause, in the reader's database or in another one.
    Commits(&'a Pando),
    /// Copies in memory, of as much as the processor's last cache holds.
    Copies,
    /// Arithmetic without memory.
    Computes,
}

impl Busy<'_> {
    /// Works for about a millisecond.
    fn work(self, data: &Data, keys: &[u64], memory: &mut [u64]) -> Outcome<()> {
        match self {
            Self::Commits(pando) => pando.commit_each(&Changes::new(data, keys), Durable::Later)?,
            Self::Copies => {
                let half = memory.len() / 2;
                memory.copy_within(..half, half);
                std::hint::black_box(&memory);
            }
            Self::Computes => {
                let sum = (0..1_000_000u64).fold(1u64, |sum, step| {
                    std::hint::black_box(sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ step)
                });
                keep(sum);
            }
        }
        Ok(())
    }
}

/// The part of its rate that a reader loses while another thread is busy without pause.
///
/// Short turns alone and beside it alternate, so that what else the machine does falls on
/// both alike. With `of_processor` the reader's own time on a processor counts, not that of the
/// clock: what it loses to the writer's work on shared memory, without what it loses because
/// three threads (the checkpoints have one) and other programs want two processors.
fn reader_loss(
    pando: &Pando,
    busy: Busy<'_>,
    data: &Data,
    reads: &[u64],
    of_processor: bool,
) -> Outcome<f64> {
    const TURNS: usize = 8;
    const COPIED_WORDS: usize = 4 << 20;
    let keys = data.random_keys(256, 43);
    let mut memory = vec![1; if matches!(busy, Busy::Copies) { COPIED_WORDS } else { 0 }];
    let [mut alone, mut beside] = [0.0, 0.0];
    for _ in 0..TURNS {
        alone += time_of(of_processor, || pando.read_each(reads).map(keep))?;
        let is_over = AtomicBool::new(false);
        beside += thread::scope(|scope| {
            let worker = scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    busy.work(data, &keys, &mut memory).map_err(|e| e.to_string())?;
                }
                Ok::<(), String>(())
            });
            let beside = time_of(of_processor, || pando.read_each(reads).map(keep));
            is_over.store(true, Ordering::Relaxed);
            worker.join().map_err(|_| "the busy thread panicked")??;
            beside
        })?;
    }
    Ok((1.0 - alone / beside).max(0.0))
}

/// Seconds that `work` takes, by the clock or of the thread's own on a processor.
fn time_of(of_processor: bool, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let begin = Instant::now();
    let before = processor_time();
    work()?;
    let by_clock = begin.elapsed().as_secs_f64();
    let spent = before.zip(processor_time()).map(|(before, after)| after - before);
    Ok(spent.filter(|_| of_processor).unwrap_or(by_clock))
}

/// Seconds that this thread was on a processor, where the system tells.
fn processor_time() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = told.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// Repeats PandoDB's side of `workload` for `time`.
pub(crate) fn repeat(workload: &str, folder: &Path, rows: u64, time: Duration) -> Outcome<()> {
    let data = Rc::new(Data::new(rows, WORDS));
    let pando = Pando::create(&folder.join("transactions"), &data)?;
    let reads = data.random_keys(100_000, 37);
    let start = Instant::now();
    let mut figures = Vec::new();
    while start.elapsed() < time {
        figures.push(match workload {
            "transactions/reader-loss" => {
                let before = round_trip()?;
                let busy = Busy::Commits(&pando);
                let loss = reader_loss(&pando, busy, &data, &reads, true)?;
                let (percent, after) = (loss * 100.0, round_trip()?);
                println!("loss {percent:.1} %, round trips {before:.0} and {after:.0} ns");
                loss
            }
            "transactions/commit-normal" => commits(&pando, &data, 10_000, 1, Durable::Later)?,
            "transactions/commit-full-1" => commits(&pando, &data, 200, 1, Durable::Now)?,
            "transactions/commit-full-8" => commits(&pando, &data, 400, 8, Durable::Now)?,
            "transactions/read" => on_threads(&reads, 1, |part| pando.read_each(part).map(keep))?,
            _ => return Err(format!("no workload {workload} can be repeated").into()),
        });
    }
    crate::report::print_repeated(workload, figures);
    Ok(())
}
