//! Changes: the load, single rows with many threads, many rows in one statement.
//!
//! Every change gives a row a value that it did not have: SQLite notices when nothing changes
//! and writes nothing. Statements that would run out of rows get a fresh copy of the database in
//! each round. Neighbours: `reads`, `files`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::client::{Cell, Connection, Database, Durable, Statement};
use super::items::{Item, Items, create, load, look_ups, random_keys, warm};
use super::pando::Pando;
use super::sqlite::Sqlite;
use super::{Base, Fresh, together};
use crate::turns::{Outcome, Rounds, Turn, Unit, time_each, turn};

const UPDATE: &str = "UPDATE items SET val = ?2 WHERE id = ?1";

/// Statements over a tenth of the rows: the workload, the statement, what it leaves.
const TENTHS: [(&str, &str); 2] = [
    ("sql/update-10-percent", "UPDATE items SET val = val + 1.5 WHERE id % 10 = 3"),
    ("sql/delete-10-percent", "DELETE FROM items WHERE id % 10 = 3"),
];

const STATE: &str = "SELECT count(*), sum(id), sum(val), sum(k), (SELECT count(*) FROM items
 WHERE k BETWEEN 0 AND 1000) FROM items";

/// Bulk load, into an empty database with its index there.
pub(super) fn measure_load(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    const NAME: &str = "sql/bulk-load";
    if !rounds.wants(NAME) {
        return Ok(());
    }
    let items: Vec<Item> = Items::new(rows).collect();
    let mut fresh = Fresh::new(folder.join("load"));
    let mut fresh_too = Fresh::new(folder.join("load-too"));
    rounds.run(
        NAME,
        Unit::Nanoseconds,
        vec![
            turn(Pando::NAME, || load_once::<Pando>(&mut fresh, &items)),
            turn(Sqlite::NAME, || load_once::<Sqlite>(&mut fresh_too, &items)),
        ],
    )
}

/// The time of one row.
fn load_once<D: Database>(fresh: &mut Fresh, items: &[Item]) -> Outcome<f64> {
    let folder = fresh.folder()?;
    let database = D::open(&folder)?;
    let connection = database.connect(Durable::Now)?;
    let copies = items.to_vec();
    let figure = time_each(items.len() as u64, || load(&connection, copies.into_iter()))?;
    drop(connection);
    drop(database);
    std::fs::remove_dir_all(folder)?;
    Ok(figure)
}

/// Updates of single rows, each a transaction of its own.
pub(super) fn measure_single(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let many = look_ups(base.rows, 50);
    for (workload, durable, threads, count) in [
        ("sql/update-one-normal", Durable::Later, 1, many),
        ("sql/update-one-full", Durable::Now, 1, 400),
        ("sql/update-one-full-8", Durable::Now, 8, 800),
    ] {
        let keys = random_keys(base.rows, count, 61);
        let mut turns: Vec<Turn<'_>> =
            vec![turn(Pando::NAME, || updates_on(&base.pando, &keys, threads, durable))];
        if let Some(sqlite) = &base.sqlite {
            turns.push(turn(Sqlite::NAME, || updates_on(sqlite, &keys, threads, durable)));
        }
        rounds.run(workload, Unit::Nanoseconds, turns)?;
    }
    Ok(())
}

/// A value that no row has had.
fn new_value() -> Cell {
    static NEXT: AtomicU64 = AtomicU64::new(2000);
    Cell::Real(NEXT.fetch_add(1, Ordering::Relaxed) as f64)
}

fn update_each<C: Connection>(connection: &C, keys: &[i64]) -> Outcome<()> {
    let mut update = connection.prepare(UPDATE)?;
    for key in keys {
        update.change(&[Cell::Integer(*key), new_value()])?;
    }
    Ok(())
}

/// The time of one of all updates that `threads` threads do together.
fn updates_on<D: Database>(
    database: &D,
    keys: &[i64],
    threads: usize,
    durable: Durable,
) -> Outcome<f64> {
    let share = keys.len().div_ceil(threads);
    together(keys.chunks(share).collect(), keys.len() as u64, |part: &[i64], ready| {
        let connection = database.connect(durable)?;
        if threads == 1 {
            warm(&connection)?;
        }
        ready();
        update_each(&connection, part)
    })
}

/// Eight writers on eight branches; SQLite has one database for all, or a file for each.
pub(super) fn measure_branches(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    const NAME: &str = "sql/branches-full-8";
    if !rounds.wants(NAME) {
        return Ok(());
    }
    let setup = base.pando.connect(Durable::Now)?;
    for number in 0..8 {
        setup.run_all(&format!("CREATE BRANCH writer_{number}"))?;
    }
    let keys = random_keys(base.rows, 800, 67);
    let parts: Vec<(usize, &[i64])> = keys.chunks(100).enumerate().collect();
    let count = keys.len() as u64;
    let on_branches = || {
        together(parts.clone(), count, |(number, part), ready| {
            let connection = base.pando.connect(Durable::Now)?;
            connection.run_all(&format!("USE BRANCH writer_{number}"))?;
            ready();
            update_each(&connection, part)
        })
    };
    let copies = eight_copies(base)?;
    let mut turns: Vec<Turn<'_>> = vec![turn(Pando::NAME, on_branches)];
    if let Some(sqlite) = &base.sqlite {
        turns.push(turn(Sqlite::NAME, || updates_on(sqlite, &keys, 8, Durable::Now)));
        turns.push(turn("SQLite, 8 files", || {
            together(parts.clone(), count, |(number, part), ready| {
                let connection = copies[number].connect(Durable::Now)?;
                ready();
                update_each(&connection, part)
            })
        }));
    }
    rounds.run(NAME, Unit::Nanoseconds, turns)?;
    for number in 0..8 {
        setup.run_all(&format!("DROP BRANCH writer_{number}"))?;
    }
    Ok(())
}

/// What users of SQLite have instead of branches.
fn eight_copies(base: &Base) -> Outcome<Vec<Sqlite>> {
    let Some(file) = base.sqlite_file() else { return Ok(Vec::new()) };
    (0..8)
        .map(|number| {
            let folder = base.folder.join(format!("copy-{number}"));
            std::fs::create_dir_all(&folder)?;
            std::fs::copy(&file, folder.join("data.sqlite"))?;
            Sqlite::open(&folder)
        })
        .collect()
}

/// Statements that change a tenth of the rows.
pub(super) fn measure_tenths(rounds: &mut Rounds, folder: &Path, rows: u64) -> Outcome<()> {
    if !TENTHS.iter().any(|(workload, _)| rounds.wants(workload)) {
        return Ok(());
    }
    let own = Template::<Pando>::new(&folder.join("template-pando"), rows)?;
    let peer = Template::<Sqlite>::new(&folder.join("template-sqlite"), rows)?;
    for (workload, sql) in TENTHS {
        if !rounds.wants(workload) {
            continue;
        }
        let (_, ours) = own.run(sql)?;
        let (_, theirs) = peer.run(sql)?;
        if let Some(found) = super::client::difference(theirs, ours, true) {
            rounds.fail(workload, found);
            continue;
        }
        rounds.run(
            workload,
            Unit::Nanoseconds,
            vec![
                turn(Pando::NAME, || Ok(own.run(sql)?.0)),
                turn(Sqlite::NAME, || Ok(peer.run(sql)?.0)),
            ],
        )?;
    }
    Ok(())
}

/// A closed database that is copied for each use.
struct Template<D> {
    folder: std::path::PathBuf,
    database: std::marker::PhantomData<D>,
}

impl<D: Database> Template<D> {
    fn new(folder: &Path, rows: u64) -> Outcome<Self> {
        drop(create::<D>(folder, rows)?);
        Ok(Self { folder: folder.to_owned(), database: std::marker::PhantomData })
    }

    /// The time of a statement on a warm copy, and the state that it leaves.
    fn run(&self, sql: &str) -> Outcome<(f64, super::client::Table)> {
        let folder = self.folder.with_extension("copy");
        super::files::copy_folder(&self.folder, &folder)?;
        let database = D::open(&folder)?;
        let connection = database.connect(Durable::Later)?;
        warm(&connection)?;
        let figure = time_each(1, || {
            connection.prepare(sql)?.change(&[])?;
            Ok(())
        })?;
        let state = connection.prepare(STATE)?.rows(&[])?;
        drop(connection);
        drop(database);
        std::fs::remove_dir_all(folder)?;
        Ok((figure, state))
    }
}

/// The part of its rate that a reader loses beside a writer that commits without pause.
pub(super) fn measure_beside(rounds: &mut Rounds, base: &Base) -> Outcome<()> {
    let keys = random_keys(base.rows, look_ups(base.rows, 5), 71);
    let mut turns: Vec<Turn<'_>> = vec![turn(Pando::NAME, || loss(&base.pando, base.rows, &keys))];
    if let Some(sqlite) = &base.sqlite {
        turns.push(turn(Sqlite::NAME, || loss(sqlite, base.rows, &keys)));
    }
    rounds.run("sql/reader-beside-writer", Unit::Fraction, turns)
}

fn loss<D: Database>(database: &D, rows: u64, keys: &[i64]) -> Outcome<f64> {
    let reader = database.connect(Durable::Later)?;
    warm(&reader)?;
    let mut statement = reader.prepare("SELECT * FROM items WHERE id = ?1")?;
    let mut read = || {
        time_each(keys.len() as u64, || {
            for key in keys {
                statement.touch(&[*key])?;
            }
            Ok(())
        })
    };
    let alone = read()?;
    let is_over = AtomicBool::new(false);
    let changed = random_keys(rows, 256, 73);
    let beside = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let work = || -> Outcome<()> {
                let connection = database.connect(Durable::Later)?;
                while !is_over.load(Ordering::Relaxed) {
                    update_each(&connection, &changed)?;
                }
                Ok(())
            };
            work().map_err(|error| error.to_string())
        });
        let beside = read();
        is_over.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| "the writer panicked")??;
        beside
    })?;
    Ok((1.0 - alone / beside).max(0.0))
}
