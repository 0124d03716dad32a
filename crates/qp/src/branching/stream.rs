//! The rows that tell what differs between two versions, made as they are asked for.
//!
//! A few are found at once, by several threads; of more than [`HELD_MOST`] no more than a handful
//! is in memory at a time, however many rows differ. Neighbours: `difference` (SHOW DIFF) and
//! `view::table_diff` say what the rows look like.

use pandodb_branch::diff::{
    LentDifference, RowChangeKind, RowDiff, TablePair, TableVersion, Version, tables,
};
use pandodb_branch::registry::View;
use pandodb_branch::shape::ObjectId;
use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use pandodb_ds::tree::Tree;

use super::show::text;
use super::{Rows, Work};
use crate::error::Result;
use crate::execute::RowStream;
use crate::execute::batch::Helpers;

/// More rows than these are not gathered before the first is given out.
const HELD_MOST: usize = 1 << 16;

/// How many rows are made at a time where they are not gathered.
const AT_ONCE: usize = 64;

/// Makes rows of what differs in a table; threads share it.
pub(super) trait Teller: Send + Sync {
    /// Adds the rows of a difference.
    fn tell(
        &self,
        difference: &LentDifference<'_>,
        rows: &mut Rows,
    ) -> Result<(), pandodb_branch::Error>;
}

/// The words for what may happen to a row, made once for all rows.
pub(super) struct ChangeWords {
    added: Value,
    removed: Value,
    changed: Value,
}

impl ChangeWords {
    pub(super) fn new() -> Self {
        Self { added: text("insert"), removed: text("delete"), changed: text("update") }
    }

    /// The word for what happened.
    pub(super) fn of(&self, kind: RowChangeKind) -> Value {
        match kind {
            RowChangeKind::Added => self.added.clone(),
            RowChangeKind::Removed => self.removed.clone(),
            RowChangeKind::Changed => self.changed.clone(),
        }
    }
}

/// What tells the differences of a table.
pub(super) type MakeTeller = Box<dyn Fn(&TablePair<'_>, &RowDiff) -> Box<dyn Teller> + Send>;

/// What differs between two versions.
pub(super) struct Differences {
    old: Version,
    new: Version,
    /// The versions are read from these.
    _views: [View; 2],
    /// The tables that are asked about, if not all are.
    only: Option<Vec<ObjectId>>,
    make: MakeTeller,
    ready: std::vec::IntoIter<Vec<Value>>,
    /// The table that is told.
    current: Option<(RowDiff, Box<dyn Teller>)>,
    /// The place of the table behind it.
    next: usize,
    pager: Arc<Pager>,
    threads: usize,
    parallel_rows_min: u64,
    interrupt: Arc<AtomicBool>,
}

/// A table whose rows differ.
struct Found {
    diff: RowDiff,
    teller: Box<dyn Teller>,
    /// Its rows, if they are few.
    rows: Option<Rows>,
}

impl Differences {
    /// What differs between two versions: `first`, then the rows of the tables, or of one.
    pub(super) fn new(
        work: &Work<'_>,
        views: [View; 2],
        (old, new): (Version, Version),
        only: Option<Vec<ObjectId>>,
        (first, make): (Rows, MakeTeller),
    ) -> Self {
        let settings = work.session.settings();
        Self {
            old,
            new,
            _views: views,
            only,
            make,
            ready: first.into_iter(),
            current: None,
            next: 0,
            pager: Arc::clone(work.branches.manager().pager()),
            threads: settings.threads as usize,
            parallel_rows_min: settings.parallel_rows_min,
            interrupt: work.session.interrupt_flag(),
        }
    }

    /// The next table whose rows may differ.
    fn find(&mut self) -> Result<Option<Found>> {
        for pair in tables(&self.old, &self.new).into_iter().skip(self.next) {
            self.next += 1;
            let id = pair.new.or(pair.old).map(|version| version.shape.id);
            let is_asked = |only: &Vec<ObjectId>| id.is_some_and(|id| only.contains(&id));
            if !self.only.as_ref().is_none_or(is_asked) {
                continue;
            }
            let Some(diff) = pair.rows(&self.pager)? else { continue };
            let teller = (self.make)(&pair, &diff);
            let Some(helpers) = self.helpers(&pair) else {
                return Ok(Some(Found { diff, teller, rows: None }));
            };
            let rows = gather(diff, &helpers, &*teller, &self.interrupt)?;
            let Some(diff) = pair.rows(&self.pager)? else { continue };
            return Ok(Some(Found { diff, teller, rows }));
        }
        Ok(None)
    }

    /// Threads that help to compare the versions of a table, if it is large.
    fn helpers(&self, pair: &TablePair<'_>) -> Option<Helpers> {
        let rows = |version: Option<TableVersion<'_>>| {
            version.and_then(|version| version.tree).map_or(0, Tree::len)
        };
        let is_large = rows(pair.old).max(rows(pair.new)) >= self.parallel_rows_min;
        if !is_large || self.threads < 2 {
            return None;
        }
        Helpers::take(self.threads - 1)
    }
}

impl RowStream for Differences {
    fn next_row(&mut self) -> Result<Option<Vec<Value>>> {
        loop {
            if let Some(row) = self.ready.next() {
                return Ok(Some(row));
            }
            let Some((diff, teller)) = &mut self.current else {
                let Some(found) = self.find()? else { return Ok(None) };
                match found.rows {
                    Some(rows) => self.ready = rows.into_iter(),
                    None => self.current = Some((found.diff, found.teller)),
                }
                continue;
            };
            let mut rows = Vec::new();
            while rows.len() < AT_ONCE {
                check(&self.interrupt)?;
                if diff.next_with(|difference| teller.tell(difference, &mut rows))?.is_none() {
                    self.current = None;
                    break;
                }
            }
            self.ready = rows.into_iter();
        }
    }
}

/// All rows of a difference, found by several threads; none where there are too many to hold.
fn gather(
    diff: RowDiff,
    helpers: &Helpers,
    teller: &dyn Teller,
    interrupt: &AtomicBool,
) -> Result<Option<Rows>> {
    // Relaxed: a count, and a word that is read when the threads are done.
    let (count, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let gathered = diff.gather(helpers.count(), |difference, rows| {
        check(interrupt)?;
        let before = rows.len();
        teller.tell(difference, rows)?;
        let made = rows.len() - before;
        if count.fetch_add(made, Ordering::Relaxed) + made > HELD_MOST {
            is_over.store(true, Ordering::Relaxed);
            return Err(interrupted());
        }
        Ok(())
    });
    if is_over.load(Ordering::Relaxed) && !interrupt.load(Ordering::Relaxed) {
        return Ok(None);
    }
    Ok(Some(gathered?))
}

/// Stops where the caller asked for it.
fn check(interrupt: &AtomicBool) -> Result<(), pandodb_branch::Error> {
    if interrupt.load(Ordering::Relaxed) { Err(interrupted()) } else { Ok(()) }
}

fn interrupted() -> pandodb_branch::Error {
    pandodb_branch::Error::new(pandodb_branch::ErrorKind::Interrupted, "interrupted")
}
