//! What the suite needs of a database: connections, prepared statements, rows.
//!
//! Everything is generic over these traits, so that each database runs the same code, compiled
//! for its own types: no call is dispatched while the clock runs. Neighbours: `pando` and
//! `sqlite` implement them.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::items::Item;
use crate::turns::Outcome;

/// The cache of each contender.
pub(crate) const CACHE_BYTES: u64 = 256 << 20;

/// When a commit that was acknowledged is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durable {
    /// `synchronous = NORMAL`: a killed process loses nothing, a crashed machine may.
    Later,
    /// `synchronous = FULL`: before it is acknowledged.
    Now,
}

impl Durable {
    /// The word of the PRAGMA.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Later => "NORMAL",
            Self::Now => "FULL",
        }
    }
}

/// A value that is compared, or bound.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// What a query returned.
pub(crate) type Table = Vec<Vec<Cell>>;

/// A database file that threads share.
pub(crate) trait Database: Sized + Sync {
    const NAME: &'static str;
    type Connection: Connection;

    /// Opens the database in `folder`, which exists; makes it when there is none.
    fn open(folder: &Path) -> Outcome<Self>;

    fn connect(&self, durable: Durable) -> Outcome<Self::Connection>;
}

/// One connection.
pub(crate) trait Connection {
    type Statement<'c>: Statement
    where
        Self: 'c;

    /// Runs statements without parameters.
    fn run_all(&self, sql: &str) -> Outcome<()>;

    fn prepare<'c>(&'c self, sql: &str) -> Outcome<Self::Statement<'c>>;

    /// What stops the statement that is running, from another thread.
    fn stopper(&self) -> Box<dyn FnOnce() + Send>;
}

/// How long a query may take before it counts as one that has no answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs a query once and stops it when it takes too long.
pub(crate) fn rows_in_time<C: Connection>(
    connection: &C,
    sql: &str,
    keys: &[i64],
) -> Outcome<Table> {
    let stop = connection.stopper();
    let (is_done, waits) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        // The other end is dropped when the query has ended.
        let is_late = waits.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if is_late {
            stop();
        }
        is_late
    });
    let rows = connection.prepare(sql).and_then(|mut statement| statement.rows(keys));
    drop(is_done);
    match watch.join() {
        Ok(true) => Err(format!("takes longer than {} s", LIMIT.as_secs()).into()),
        _ => rows,
    }
}

/// A prepared statement.
pub(crate) trait Statement {
    /// Runs a change; returns the number of changed rows.
    fn change(&mut self, values: &[Cell]) -> Outcome<usize>;

    /// Runs an INSERT of an item.
    fn insert(&mut self, item: &Item) -> Outcome<()>;

    /// Runs a query and looks at each value of each row; returns the number of rows.
    fn touch(&mut self, keys: &[i64]) -> Outcome<u64>;

    /// Runs a query and keeps the rows.
    fn rows(&mut self, keys: &[i64]) -> Outcome<Table>;
}

/// What differs first between two results, where something does.
///
/// Without an ORDER BY rows may come in any order; sums may be taken in any order, so that reals
/// agree when nine digits do.
pub(crate) fn difference(theirs: Table, ours: Table, is_ordered: bool) -> Option<String> {
    if theirs.len() != ours.len() {
        return Some(format!("{} rows, PandoDB has {}", theirs.len(), ours.len()));
    }
    let (theirs, ours) = if is_ordered { (theirs, ours) } else { (sorted(theirs), sorted(ours)) };
    let differing = theirs.iter().zip(&ours).find(|(left, right)| {
        left.len() != right.len() || !left.iter().zip(right.iter()).all(|(l, r)| is_same(l, r))
    });
    differing.map(|(theirs, ours)| format!("{theirs:?}, PandoDB has {ours:?}"))
}

/// Rows by their texts, with reals cut to the digits that must agree.
fn sorted(mut table: Table) -> Table {
    table.sort_by_cached_key(|row| {
        let cells = row.iter().map(|cell| match cell {
            Cell::Real(value) => format!("{value:.6e}"),
            other => format!("{other:?}"),
        });
        cells.collect::<Vec<_>>()
    });
    table
}

fn is_same(left: &Cell, right: &Cell) -> bool {
    match (left, right) {
        (Cell::Null, Cell::Null) => true,
        (Cell::Integer(left), Cell::Integer(right)) => left == right,
        (Cell::Real(left), Cell::Real(right)) => {
            (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
        }
        (Cell::Text(left), Cell::Text(right)) => left == right,
        (Cell::Blob(left), Cell::Blob(right)) => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_counts_only_where_it_is_asked_for() {
        let rows = |numbers: [i64; 2]| numbers.map(|n| vec![Cell::Integer(n)]).to_vec();
        assert!(difference(rows([1, 2]), rows([2, 1]), false).is_none());
        assert!(difference(rows([1, 2]), rows([2, 1]), true).is_some());
        assert!(difference(rows([1, 2]), rows([1, 3]), false).is_some());
    }

    #[test]
    fn types_and_digits_count() {
        let one = |cell: Cell| vec![vec![cell]];
        assert!(difference(one(Cell::Real(1.0)), one(Cell::Real(1.0 + 1e-12)), true).is_none());
        assert!(difference(one(Cell::Real(1.0)), one(Cell::Real(1.001)), true).is_some());
        assert!(difference(one(Cell::Real(1.0)), one(Cell::Integer(1)), true).is_some());
        assert!(difference(one(Cell::Null), one(Cell::Integer(0)), true).is_some());
        assert!(difference(one(Cell::Null), Vec::new(), true).is_some());
    }
}
