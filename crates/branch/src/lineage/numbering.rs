//! Rows that have another rowid on another branch: which one, along a path of the graph.
//!
//! A merge that stores rows of its source under other rowids leaves a *label* on its edge: what
//! each of them is called since. A row keeps its rowid along a line and where a line leaves
//! another, so what a row of one moment is called at a later one comes of the labels on the way.
//! A label is complete: it has every row of the source that is called otherwise on the target,
//! whichever merge brought it there, so that all ways between two moments say the same.
//! A fast-forward is the other way round: the target's rows are called as the source calls them.
//!
//! A rowid may be that of another row further on: a merge puts a row under one whose row the
//! target deleted before, or a source deleted a row and the target has its own under that rowid.
//! So labels also have the rowids that are *others* there; a row that had one of these is gone.
//!
//! ```text
//! line 1   1: a ────────── 1: a, 2: b ──        label of the edge: {1 -> 2}
//!                         /
//! line 2          1: b ──┴── 1: b' ──           b' is row 2 of line 1
//! ```
//!
//! Neighbours: `mod` has the graph, `path` finds the way, `merge::same` uses what comes out.

use std::collections::{BTreeMap, BTreeSet};

use super::ranges::Ranges;
use crate::shape::ObjectId;

/// Rowids by other rowids; what is not named is called the same.
pub type Rowids = BTreeMap<i64, i64>;

/// What the rows of one table are called elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableNumbers {
    /// The number that the table has there.
    pub table: ObjectId,
    /// The rowids that differ.
    pub rowids: Rowids,
    /// The rowids that are not those of the same rows there: rows that have them and are not among
    /// `rowids` are gone.
    pub others: Ranges,
}

/// What the rows of one version are called in another, by the tables of the former.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbering {
    tables: BTreeMap<ObjectId, TableNumbers>,
}

impl Numbering {
    /// Every row is called the same.
    pub const fn new() -> Self {
        Self { tables: BTreeMap::new() }
    }

    /// Whether every row is called the same.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// What rows of a table are called.
    pub fn table(&self, id: ObjectId) -> Option<&TableNumbers> {
        self.tables.get(&id)
    }

    /// The tables with rows that are called otherwise.
    pub fn tables(&self) -> impl Iterator<Item = (ObjectId, &TableNumbers)> {
        self.tables.iter().map(|(id, table)| (*id, table))
    }

    /// The number that a table has in the other version.
    pub fn table_there(&self, id: ObjectId) -> ObjectId {
        self.tables.get(&id).map_or(id, |table| table.table)
    }

    /// What a row is called; none if it is gone.
    pub fn rowid(&self, table: ObjectId, rowid: i64) -> Option<i64> {
        self.tables.get(&table).map_or(Some(rowid), |table| table.rowid(rowid))
    }

    /// Notes what a row of a table is called; what was noted first counts.
    pub fn add(&mut self, table: ObjectId, there: ObjectId, rowid: i64, called: i64) {
        let known = self.tables.entry(table);
        let known = known.or_insert_with(|| TableNumbers { table: there, ..Default::default() });
        known.rowids.entry(rowid).or_insert(called);
    }

    /// Notes rowids of a table that are other rows there.
    pub fn add_others(&mut self, table: ObjectId, there: ObjectId, others: &Ranges) {
        if others.is_empty() {
            return;
        }
        let known = self.tables.entry(table);
        let known = known.or_insert_with(|| TableNumbers { table: there, ..Default::default() });
        known.others.add_all(others);
    }

    /// Notes what all rows of a table are called.
    pub fn put(&mut self, table: ObjectId, numbers: TableNumbers) {
        self.tables.insert(table, numbers);
    }

    /// The tables whose numbers the two versions do not share, or whose rows they call otherwise.
    pub fn named<'a>(numberings: impl IntoIterator<Item = &'a Self>) -> BTreeSet<ObjectId> {
        numberings.into_iter().flat_map(|numbering| numbering.tables.keys().copied()).collect()
    }

    /// Goes a step further: what the rows of the version are called after a merge with this label.
    pub fn then(&mut self, label: &Self) {
        for (from, step) in &label.tables {
            let known = self.tables.values_mut().find(|table| table.table == *from);
            match known {
                Some(known) => known.then(step),
                None => drop(self.tables.entry(*from).or_insert_with(|| step.clone())),
            }
        }
    }
}

impl TableNumbers {
    /// What a row is called; none if it is gone.
    pub fn rowid(&self, rowid: i64) -> Option<i64> {
        let called = self.rowids.get(&rowid).copied();
        called.or_else(|| (!self.others.contains(rowid)).then_some(rowid))
    }

    /// Notes that a rowid which a row got is not that of the row that had it before.
    pub fn close(&mut self) {
        self.others.add_all(&self.rowids.values().copied().collect());
    }

    fn then(&mut self, step: &Self) {
        self.table = step.table;
        let known: BTreeSet<i64> = self.rowids.keys().copied().collect();
        let mut gone = Ranges::new();
        self.rowids.retain(|rowid, called| {
            let goes_on = step.rowid(*called);
            match goes_on {
                Some(further) => *called = further,
                None => gone.add(*rowid, *rowid),
            }
            goes_on.is_some()
        });
        for (rowid, called) in &step.rowids {
            // A row that took this rowid on the way is known under its first one.
            if !known.contains(rowid) && !self.others.contains(*rowid) {
                self.rowids.insert(*rowid, *called);
            }
        }
        self.others.add_all(&step.others);
        self.others.add_all(&gone);
        self.close();
    }
}

/// Rowids in a row that got others in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Run {
    /// The first rowid.
    pub first: i64,
    /// What it is called.
    pub called: i64,
    /// How many there are.
    pub length: u64,
}

/// Rowids as runs: a branch inserts rows one after the other, and they get others in that order.
pub fn to_runs(rowids: &Rowids) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (&rowid, &called) in rowids {
        if let Some(last) = runs.last_mut()
            && i64::try_from(last.length).is_ok_and(|length| {
                last.first.checked_add(length) == Some(rowid)
                    && last.called.checked_add(length) == Some(called)
            })
        {
            last.length += 1;
        } else {
            runs.push(Run { first: rowid, called, length: 1 });
        }
    }
    runs
}

/// How many rows of one table a label names at most: beyond, it is damaged.
const ROWS_MAX: u64 = 1 << 28;

/// Adds the rowids of runs; none if one leaves the range of rowids, or they are too many.
pub fn add_runs(runs: &[Run], rowids: &mut Rowids) -> Option<()> {
    for run in runs {
        let known = rowids.len() as u64;
        known.checked_add(run.length).filter(|rows| *rows <= ROWS_MAX)?;
        let last = i64::try_from(run.length.checked_sub(1)?).ok()?;
        run.first.checked_add(last)?;
        run.called.checked_add(last)?;
        for at in 0..=last {
            rowids.insert(run.first + at, run.called + at);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering(table: u64, rowids: &[(i64, i64)]) -> Numbering {
        let mut numbers = TableNumbers { table: ObjectId(table), ..Default::default() };
        numbers.rowids.extend(rowids.iter().copied());
        numbers.close();
        let mut numbering = Numbering::default();
        numbering.put(ObjectId(table), numbers);
        numbering
    }

    #[test]
    fn steps_follow_each_other() {
        let mut way = numbering(1, &[(1, 2), (5, 9)]);
        way.then(&numbering(1, &[(2, 7), (3, 8)]));
        // Row 2 of the beginning is not what is called 2 after the first step.
        let called = |way: &Numbering, rowids: &[i64]| -> Vec<Option<i64>> {
            rowids.iter().map(|rowid| way.rowid(ObjectId(1), *rowid)).collect()
        };
        let here = [1, 2, 3, 5, 7, 8, 9];
        let there = [Some(7), None, Some(8), Some(9), None, None, None];
        assert_eq!(called(&way, &here), there);
        way.then(&numbering(2, &[(1, 3)]));
        assert_eq!(way.rowid(ObjectId(2), 1), Some(3));
        assert_eq!(way.rowid(ObjectId(1), 1), Some(7));
    }

    #[test]
    fn a_row_whose_place_another_one_took_is_gone_from_then_on() {
        let mut way = numbering(1, &[(1, 2)]);
        let mut taken = Numbering::default();
        taken.add_others(ObjectId(1), ObjectId(1), &[2, 3].into_iter().collect());
        way.then(&taken);
        let called = [1, 2, 3, 4].map(|rowid| way.rowid(ObjectId(1), rowid));
        assert_eq!(called, [None, None, None, Some(4)]);
        // What the others are called further on says nothing of it.
        way.then(&numbering(1, &[(2, 5), (3, 6), (4, 7)]));
        let called = [1, 2, 3, 4].map(|rowid| way.rowid(ObjectId(1), rowid));
        assert_eq!(called, [None, None, None, Some(7)]);
    }

    #[test]
    fn a_table_is_followed_through_its_numbers() {
        let mut way = Numbering::default();
        way.add(ObjectId(1), ObjectId(2), 1, 4);
        way.then(&numbering(2, &[(4, 6)]));
        assert_eq!(
            (way.rowid(ObjectId(1), 1), way.table_there(ObjectId(1))),
            (Some(6), ObjectId(2))
        );
    }

    #[test]
    fn rowids_in_a_row_are_one_run() {
        let mut rowids: Rowids = (1..=10_000).map(|rowid| (rowid, rowid + 20_000)).collect();
        rowids.extend([(-4, -9), (i64::MAX - 1, 3), (i64::MAX, 4)]);
        let runs = to_runs(&rowids);
        assert_eq!(runs.len(), 3);
        let mut back = Rowids::new();
        assert_eq!(add_runs(&runs, &mut back), Some(()));
        assert_eq!(back, rowids);
        let beyond = Run { first: i64::MAX, called: 0, length: 2 };
        assert_eq!(add_runs(&[beyond], &mut back), None);
        let endless = Run { first: 0, called: 1, length: u64::MAX / 2 };
        assert_eq!(add_runs(&[endless], &mut back), None);
        assert_eq!(add_runs(&[Run { length: 0, ..beyond }], &mut back), None);
    }
}
