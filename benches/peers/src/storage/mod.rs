//! The suite `storage`: trees and files, against redb and LMDB.
//!
//! Every contender gets the same rows, makes a workload's result durable at its end with the
//! same number of syncs asked for, and is read warm. Peers that cannot fork or count are not
//! compared there: those figures have bounds of their own. Neighbours: one file a contender.

mod lmdb;
mod pando;
mod redb;

use std::cell::RefCell;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use self::redb::Redb;
use crate::data::{Data, WORDS, WORDS_RICH};
use crate::turns::{Outcome, PANDO, Rounds, Turn, Unit, time_each};
use lmdb::Lmdb;
use pando::Pando;

/// The cache of each contender that has one.
const CACHE_BYTES: usize = 256 * 1024 * 1024;

/// Rows of one batch of random inserts.
const BATCH: usize = 1000;

/// What a database must be able to do to be measured here.
trait Contender: Sized {
    const NAME: &'static str;

    /// An empty database in a new folder.
    fn create(folder: &Path) -> Outcome<Self>;

    /// Loads all rows in the order of their keys, durable when it returns.
    fn load(&mut self, data: &Data) -> Outcome<()>;

    /// Inserts keys in batches, each visible to readers, all durable when it returns.
    fn insert(&mut self, data: &Data, batches: &[&[u64]]) -> Outcome<()>;

    /// Looks keys up in one snapshot; returns a sum over the values.
    fn read(&mut self, keys: &[u64]) -> Outcome<u64>;

    /// Visits every row in order; returns a sum over keys and values.
    fn scan(&mut self) -> Outcome<u64>;

    /// The length of the database file.
    fn file_bytes(&mut self) -> Outcome<u64>;
}

/// Names new folders below one.
struct Folders {
    root: PathBuf,
    made: u32,
}

impl Folders {
    fn next(&mut self) -> PathBuf {
        self.made += 1;
        self.root.join(self.made.to_string())
    }
}

/// One contender with its loaded database.
struct Loaded<C> {
    database: C,
    data: Rc<Data>,
    folders: Rc<RefCell<Folders>>,
}

impl<C: Contender> Loaded<C> {
    fn new(data: &Rc<Data>, folders: &Rc<RefCell<Folders>>) -> Outcome<Self> {
        let mut database = C::create(&folders.borrow_mut().next())?;
        database.load(data)?;
        Ok(Self { database, data: Rc::clone(data), folders: Rc::clone(folders) })
    }

    /// Does `work` with an empty database that is removed afterwards.
    fn with_new(&self, work: impl FnOnce(&mut C, &Data) -> Outcome<f64>) -> Outcome<f64> {
        let folder = self.folders.borrow_mut().next();
        let mut database = C::create(&folder)?;
        let figure = work(&mut database, &self.data)?;
        drop(database);
        std::fs::remove_dir_all(&folder)?;
        Ok(figure)
    }

    fn bulk_load(&mut self) -> Outcome<f64> {
        self.with_new(|database, data| time_each(data.rows, || database.load(data)))
    }

    fn random_insert(&mut self) -> Outcome<f64> {
        let keys = self.data.shuffled_keys(3);
        let batches: Vec<&[u64]> = keys.chunks(BATCH).collect();
        self.with_new(|database, data| time_each(data.rows, || database.insert(data, &batches)))
    }

    fn point_read(&mut self) -> Outcome<f64> {
        let keys = self.data.random_keys(1_000_000, 5);
        time_each(keys.len() as u64, || self.database.read(&keys).map(keep))
    }

    fn scan(&mut self) -> Outcome<f64> {
        let rows = self.data.rows;
        time_each(rows, || self.database.scan().map(keep))
    }

    fn file_size(&mut self) -> Outcome<f64> {
        Ok(self.database.file_bytes()? as f64)
    }
}

/// The three contenders.
struct Contest {
    pando: Loaded<Pando>,
    redb: Loaded<Redb>,
    lmdb: Loaded<Lmdb>,
}

impl Contest {
    fn new(data: &Rc<Data>, folders: &Rc<RefCell<Folders>>) -> Outcome<Self> {
        Ok(Self {
            pando: Loaded::new(data, folders)?,
            redb: Loaded::new(data, folders)?,
            lmdb: Loaded::new(data, folders)?,
        })
    }
}

/// The same workload for every contender.
macro_rules! turns {
    ($contest:expr, $workload:ident) => {{
        let Contest { pando, redb, lmdb } = &mut *$contest;
        let turns: Vec<Turn<'_>> = vec![
            (Pando::NAME, Box::new(|| pando.$workload())),
            (Redb::NAME, Box::new(|| redb.$workload())),
            (Lmdb::NAME, Box::new(|| lmdb.$workload())),
        ];
        turns
    }};
}

/// Measures the whole suite with `rows` rows below `folder`.
pub(crate) fn measure(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    let data = Rc::new(Data::new(rows, WORDS));
    let root = folder.join("storage");
    let folders = Rc::new(RefCell::new(Folders { root, made: 0 }));
    if rounds.wants("storage/file-size-rich") {
        let data = Rc::new(Data::new(rows, WORDS_RICH));
        let mut contest = Contest::new(&data, &folders)?;
        let turns = turns!(&mut contest, file_size);
        rounds.run("storage/file-size-rich", Unit::Bytes, turns)?;
    }
    let mut contest = Contest::new(&data, &folders)?;
    agree(&mut contest)?;
    rounds.run("storage/point-read", Unit::Nanoseconds, turns!(&mut contest, point_read))?;
    rounds.run("storage/scan", Unit::Nanoseconds, turns!(&mut contest, scan))?;
    rounds.run("storage/file-size", Unit::Bytes, turns!(&mut contest, file_size))?;
    rounds.run("storage/bulk-load", Unit::Nanoseconds, turns!(&mut contest, bulk_load))?;
    rounds.run("storage/random-insert", Unit::Nanoseconds, turns!(&mut contest, random_insert))?;
    let Contest { pando, .. } = contest;
    measure_forks(rounds, pando)
}

/// Refuses to measure databases that do not give the same rows.
fn agree(contest: &mut Contest) -> Outcome<()> {
    let keys = contest.pando.data.random_keys(1000, 11);
    let Contest { pando, redb, lmdb } = contest;
    let (pando, redb, lmdb) = (&mut pando.database, &mut redb.database, &mut lmdb.database);
    let reads = [pando.read(&keys)?, redb.read(&keys)?, lmdb.read(&keys)?];
    let scans = [pando.scan()?, redb.scan()?, lmdb.scan()?];
    if reads.iter().all(|sum| *sum == reads[0]) && scans.iter().all(|sum| *sum == scans[0]) {
        return Ok(());
    }
    Err(format!("the databases disagree: {reads:?}, {scans:?}").into())
}

/// Takes a result, so that computing it is not left out.
fn keep(sum: u64) {
    let _ = black_box(sum);
}

/// A workload that nobody else can do.
fn alone<'a>(turn: impl FnMut() -> Outcome<f64> + 'a) -> Vec<Turn<'a>> {
    vec![(PANDO, Box::new(turn))]
}

/// What only PandoDB has: forks, differences, counts.
fn measure_forks(rounds: &mut Rounds, mut pando: Loaded<Pando>) -> Outcome<()> {
    let rows = pando.data.rows;
    let time = Unit::Nanoseconds;
    {
        let ranges = random_ranges(rows, 100_000);
        let pando = &pando.database;
        rounds.run(
            "storage/range-count",
            time,
            alone(|| time_each(ranges.len() as u64, || pando.count_ranges(&ranges).map(keep))),
        )?;
        rounds.run("storage/fork-large", time, alone(|| time_forks(pando)))?;
    }
    let small = Rc::new(Data::new(10_000, WORDS));
    let small = Loaded::<Pando>::new(&small, &pando.folders)?;
    rounds.run("storage/fork-small", time, alone(|| time_forks(&small.database)))?;
    {
        let changed = (rows / 100).max(1);
        let data = Rc::clone(&pando.data);
        let mut keys = data.shuffled_keys(17);
        keys.truncate(changed as usize);
        let head = pando.database.head.clone();
        let fork = pando.database.change(&head, changes(&data, &keys))?;
        let saved = pando.database.checkpoint(&[(2, fork)])?;
        let fork = saved.into_iter().next().ok_or("no fork")?;
        let trees = (pando.database.tree()?, fork.existing(pando::TREE)?.clone());
        let pando = &pando.database;
        pando.count_differences(&trees.0, &trees.1)?;
        rounds.run(
            "storage/diff",
            time,
            alone(|| {
                let start = Instant::now();
                let found = pando.count_differences(&trees.0, &trees.1)?;
                if found != changed {
                    return Err(format!("{found} differences instead of {changed}").into());
                }
                Ok(start.elapsed().as_secs_f64() * 1e9)
            }),
        )?;
    }
    rounds.run("storage/fork-growth", Unit::Fraction, alone(|| pando.fork_growth()))
}

impl Loaded<Pando> {
    /// How much a fork with 1% changed rows adds to the file, as a part of it.
    fn fork_growth(&mut self) -> Outcome<f64> {
        let seed = u64::from(self.folders.borrow().made);
        self.with_new(|database, data| {
            database.load(data)?;
            let before = database.file_bytes()?;
            let mut keys = data.shuffled_keys(seed);
            keys.truncate((data.rows / 100).max(1) as usize);
            let head = database.head.clone();
            let fork = database.change(&head, changes(data, &keys))?;
            database.checkpoint(&[(2, fork)])?;
            Ok((database.file_bytes()? - before) as f64 / before as f64)
        })
    }
}

/// New values for keys: the values of other keys.
fn changes<'a>(data: &'a Data, keys: &'a [u64]) -> impl Iterator<Item = (u64, Vec<u8>)> + 'a {
    keys.iter().map(|key| (*key, data.value((key + data.rows / 2 + 1) % data.rows).to_vec()))
}

fn random_ranges(rows: u64, count: u64) -> Vec<(u64, u64)> {
    let mut random = fastrand::Rng::with_seed(23);
    let mut range = || {
        let (one, other) = (random.u64(0..rows), random.u64(0..rows));
        (one.min(other), one.max(other))
    };
    (0..count).map(|_| range()).collect()
}

/// The time of one fork: the forest of a head, as a branch or a transaction takes it.
fn time_forks(pando: &Pando) -> Outcome<f64> {
    const FORKS: u64 = 100_000;
    time_each(FORKS, || {
        for _ in 0..FORKS {
            drop(black_box(pando.head.clone()));
        }
        Ok(())
    })
}

/// Repeats PandoDB's side of `workload` for `time`.
pub(crate) fn repeat(workload: &str, folder: &Path, rows: u64, time: Duration) -> Outcome<()> {
    let data = Rc::new(Data::new(rows, WORDS));
    let root = folder.join("storage");
    let folders = Rc::new(RefCell::new(Folders { root, made: 0 }));
    let mut pando = Loaded::<Pando>::new(&data, &folders)?;
    let start = Instant::now();
    let mut figures = Vec::new();
    while start.elapsed() < time {
        figures.push(match workload {
            "storage/point-read" => pando.point_read()?,
            "storage/scan" => pando.scan()?,
            "storage/bulk-load" => pando.bulk_load()?,
            "storage/random-insert" => pando.random_insert()?,
            "storage/fork-growth" => pando.fork_growth()?,
            _ => return Err(format!("no workload {workload} can be repeated").into()),
        });
    }
    crate::report::print_repeated(workload, figures);
    Ok(())
}
