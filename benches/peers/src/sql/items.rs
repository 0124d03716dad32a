//! The rows of the suite: a key, an indexed number, a name, a real and a text.
//!
//! They are drawn one after another from a fixed seed, so that a load can stream them and every
//! contender gets the same. Neighbours: every workload.

use fastrand::Rng;

use super::client::{Connection, Database, Durable, Statement};
use crate::data::{Text, WORDS};
use crate::turns::Outcome;

/// The table, with its index there before the first row.
pub(crate) const SCHEMA: &str = "
CREATE TABLE items(id INTEGER PRIMARY KEY, k INTEGER, name TEXT, val REAL, payload TEXT);
CREATE INDEX items_k ON items(k);
";

/// The statement that `Statement::insert` is for.
pub(crate) const INSERT: &str = "INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5)";

const NAME_BYTES: usize = 20;
const PAYLOAD_BYTES: usize = 80;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) k: i64,
    pub(crate) name: String,
    pub(crate) val: f64,
    pub(crate) payload: String,
}

/// All rows, in the order of their keys from 1 on.
pub(crate) struct Items {
    rows: u64,
    next: u64,
    random: Rng,
    text: Text,
}

impl Items {
    pub(crate) fn new(rows: u64) -> Self {
        Self { rows, next: 1, random: Rng::with_seed(0x6974_656d), text: Text::new(7, WORDS) }
    }
}

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.next > self.rows {
            return None;
        }
        let id = self.next as i64;
        self.next += 1;
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES + 16);
        self.text.append(&mut payload, PAYLOAD_BYTES);
        let random = &mut self.random;
        let name = (0..NAME_BYTES)
            .map(|_| char::from_digit(random.u32(0..36), 36).unwrap_or('0'))
            .collect();
        Some(Item {
            id,
            k: random.i64(0..self.rows as i64),
            name,
            val: random.f64() * 1000.0,
            payload: String::from_utf8_lossy(&payload).into_owned(),
        })
    }
}

/// Makes the table and fills it in one transaction.
pub(crate) fn load<C: Connection>(
    connection: &C,
    items: impl Iterator<Item = Item>,
) -> Outcome<()> {
    connection.run_all(SCHEMA)?;
    connection.run_all("BEGIN")?;
    {
        let mut insert = connection.prepare(INSERT)?;
        for item in items {
            insert.insert(&item)?;
        }
    }
    connection.run_all("COMMIT")
}

/// A database with all rows in a folder that is made.
pub(crate) fn create<D: Database>(folder: &std::path::Path, rows: u64) -> Outcome<D> {
    std::fs::create_dir_all(folder)?;
    let database = D::open(folder)?;
    let connection = database.connect(Durable::Later)?;
    load(&connection, Items::new(rows))?;
    drop(connection);
    Ok(database)
}

/// About so many rows fit into the cache that every contender has.
const ROWS_CACHED: u64 = 2_000_000;

/// How many rows are looked up one by one in a round where most of them are not in the cache.
const COLD_LOOK_UPS: u64 = 20_000;

/// Whether most of so many rows are not in the cache.
pub(crate) fn is_cold(rows: u64) -> bool {
    rows > ROWS_CACHED
}

/// How many of `rows` are looked up one by one in a round, the same for each contender: one in
/// `part`, or less where each look-up reads from the file, of which thousands tell enough.
pub(crate) fn look_ups(rows: u64, part: u64) -> u64 {
    let count = (rows / part).max(1000);
    if is_cold(rows) { count.min(COLD_LOOK_UPS) } else { count }
}

/// What is to be said with figures of so many rows.
pub(crate) fn note(rows: u64) -> Option<String> {
    is_cold(rows).then(|| {
        format!(
            "With {rows} rows the data exceed the cache, so that single rows are read from the \
             file: at most {COLD_LOOK_UPS} of them in a round, the same for every contender."
        )
    })
}

/// Keys that exist, by chance.
pub(crate) fn random_keys(rows: u64, count: u64, seed: u64) -> Vec<i64> {
    let mut random = Rng::with_seed(seed);
    (0..count).map(|_| random.i64(1..=rows as i64)).collect()
}

/// Reads the whole table and its index, so that caches are as warm as they can be.
pub(crate) fn warm<C: Connection>(connection: &C) -> Outcome<()> {
    connection.prepare("SELECT count(*) FROM items WHERE payload > ''")?.touch(&[])?;
    connection.prepare("SELECT sum(k) FROM items WHERE k >= 0")?.touch(&[])?;
    Ok(())
}
