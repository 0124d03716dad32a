//! Merges that crossed: what rows of a base that is made of several moments are called.
//!
//! The newest of the moments lends the base its numbering. A row that comes from another one is
//! called in the base as the merge of the two says, and elsewhere as its own moment says.
//! Neighbours: `mod` puts versions into one numbering.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;

use crate::diff::Version;
use crate::error::Result;
use crate::lineage::numbering::Numbering;
use crate::shape::ObjectId;

/// Rowids under which two moments have rows that are called differently later: they are two.
pub fn told_apart(
    newest: &[Numbering; 2],
    other: &[Numbering; 2],
) -> BTreeMap<ObjectId, BTreeSet<i64>> {
    let mut apart: BTreeMap<ObjectId, BTreeSet<i64>> = BTreeMap::new();
    for (left, right) in newest.iter().zip(other) {
        for table in Numbering::named([left, right]) {
            let sides = [left, right].map(|side| side.table(table));
            let rowids = sides.into_iter().flatten().flat_map(|side| side.rowids.keys().copied());
            let is_two = |rowid: &i64| left.rowid(table, *rowid) != right.rowid(table, *rowid);
            apart.entry(table).or_default().extend(rowids.filter(is_two));
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
    let has = |table: ObjectId, rowid: i64| -> Result<bool> {
        let tree = newest.table(table).filter(|table| table.shape.has_rowid());
        let tree = tree.and_then(|table| table.tree);
        Ok(tree.map(|tree| tree.contains(pager, &rowid_key(rowid))).transpose()?.unwrap_or(false))
    };
    for (side, joined) in joined.iter_mut().enumerate() {
        for (table, numbers) in called[side].tables() {
            for (&rowid, &there) in &numbers.rowids {
                if has(table, rowid)? {
                    joined.add(table, numbers.table, rowid, there);
                }
            }
        }
        for (label, numbers) in others {
            let numbers = &numbers[side];
            for table in Numbering::named([label, numbers]) {
                let known = [label.table(table), numbers.table(table)];
                let known = known.into_iter().flatten();
                let rowids: BTreeSet<i64> =
                    known.flat_map(|known| known.rowids.keys().copied()).collect();
                let here = label.table_there(table);
                for rowid in rowids {
                    let own = label.rowid(table, rowid);
                    if !has(here, own)? {
                        let there = numbers.rowid(table, rowid);
                        joined.add(here, numbers.table_there(table), own, there);
                    }
                }
            }
        }
    }
    Ok(joined)
}
