//! Merges that crossed: what rows of a base that is made of several moments are called.
//!
//! The newest of the moments lends the base its numbering. A row that comes from another one is
//! called in the base as the merge of the two says, and elsewhere as its own moment says.
//! Neighbours: `mod` puts versions into one numbering.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::copies::rows_in;
use crate::diff::Version;
use crate::error::Result;
use crate::lineage::numbering::Numbering;
use crate::lineage::ranges::Ranges;
use crate::shape::ObjectId;

/// Rowids under which two moments have rows that are called differently later: they are two.
pub fn told_apart(newest: &[Numbering; 2], other: &[Numbering; 2]) -> BTreeMap<ObjectId, Ranges> {
    let mut apart: BTreeMap<ObjectId, Ranges> = BTreeMap::new();
    let none = Ranges::new();
    for (left, right) in newest.iter().zip(other) {
        for table in Numbering::named([left, right]) {
            let sides = [left, right].map(|side| side.table(table));
            let rowids = sides.into_iter().flatten().flat_map(|side| side.rowids.keys().copied());
            let is_two = |rowid: &i64| left.rowid(table, *rowid) != right.rowid(table, *rowid);
            let (two, one): (Vec<i64>, Vec<i64>) = rowids.partition(is_two);
            // One of them is gone there, and the other one is not.
            let [gone, lost] = sides.map(|side| side.map_or(&none, |side| &side.others));
            let mut differ = gone.without(lost);
            differ.add_all(&lost.without(gone));
            let mut differ = differ.without(&one.into_iter().collect());
            differ.add_all(&two.into_iter().collect());
            apart.entry(table).or_default().add_all(&differ);
        }
    }
    apart.retain(|_, rowids| !rowids.is_empty());
    apart
}

/// What rows of a base are called that other moments were merged into: `newest` with what its rows
/// are called, and for each of the others its label in the base, and what its own rows are called.
pub fn joined(
    pager: &Arc<Pager>,
    (newest, called): (&Version, &[Numbering; 2]),
    others: &[(Numbering, &[Numbering; 2])],
) -> Result<[Numbering; 2]> {
    let mut joined = [Numbering::new(), Numbering::new()];
    let newest = Newest { pager, version: newest };
    for (side, joined) in joined.iter_mut().enumerate() {
        for (table, numbers) in called[side].tables() {
            for (&rowid, &there) in &numbers.rowids {
                if newest.has(table, rowid)? {
                    joined.add(table, numbers.table, rowid, there);
                }
            }
            let own = newest.rows_in(table, &numbers.others)?;
            let own = own.into_iter().filter(|rowid| numbers.rowid(*rowid).is_none()).collect();
            joined.add_others(table, numbers.table, &own);
        }
        for (label, numbers) in others {
            newest.join(label, &numbers[side], joined)?;
        }
    }
    Ok(joined)
}

/// The newest of several bases.
struct Newest<'a> {
    pager: &'a Arc<Pager>,
    version: &'a Version,
}

impl Newest<'_> {
    fn tree(&self, table: ObjectId) -> Option<&Tree> {
        let table = self.version.table(table).filter(|table| table.shape.has_rowid());
        table.and_then(|table| table.tree)
    }

    fn has(&self, table: ObjectId, rowid: i64) -> Result<bool> {
        let tree = self.tree(table);
        let found = tree.map(|tree| tree.contains(self.pager, &rowid_key(rowid))).transpose()?;
        Ok(found.unwrap_or(false))
    }

    fn rows_in(&self, table: ObjectId, ranges: &Ranges) -> Result<Vec<i64>> {
        rows_in(self.pager, self.tree(table), ranges)
    }

    /// Adds what rows are called that came from another moment.
    fn join(&self, label: &Numbering, numbers: &Numbering, joined: &mut Numbering) -> Result<()> {
        for table in Numbering::named([label, numbers]) {
            let known = [label.table(table), numbers.table(table)].into_iter().flatten();
            let rowids: BTreeSet<i64> =
                known.flat_map(|known| known.rowids.keys().copied()).collect();
            let (here, there) = (label.table_there(table), numbers.table_there(table));
            let mut gone = Ranges::new();
            if let Some(numbers) = numbers.table(table) {
                // Those of the base that are called as before are rows of the newest moment.
                let own = self.rows_in(here, &numbers.others)?.into_iter().collect();
                gone = numbers.others.without(&own).without(&rowids.iter().copied().collect());
            }
            for rowid in rowids {
                let Some(own) = label.rowid(table, rowid) else { continue };
                if self.has(here, own)? {
                    continue;
                }
                match numbers.rowid(table, rowid) {
                    Some(there_called) => joined.add(here, there, own, there_called),
                    None => gone.add(own, own),
                }
            }
            joined.add_others(here, there, &gone);
        }
        Ok(())
    }
}
