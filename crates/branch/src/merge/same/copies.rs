//! Copies of trees in which some rows stand under other keys.
//!
//! A copy shares the pages that it does not change, and large values, with the tree that it is a
//! copy of; it is in memory and gone with the merge. All rows are taken out before any is put in,
//! so that two may change places. Neighbours: `mod` says which rows.

use std::collections::BTreeMap;

use pandodb_ds::page::{Cell, CellKind};
use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Cursor, Found, PutMode, Tree, Writer};

use crate::error::{Error, Result};
use crate::lineage::numbering::Rowids;
use crate::lineage::ranges::Ranges;

/// Keys that become others.
pub(super) type Moves = BTreeMap<Vec<u8>, Vec<u8>>;

/// A stored value as its leaf has it.
struct Kept {
    kind: CellKind,
    payload: Vec<u8>,
}

/// The keys of rowids.
pub(super) fn of_rowids(rowids: &Rowids) -> Moves {
    let keys = rowids.iter();
    keys.map(|(from, to)| (rowid_key(*from).to_vec(), rowid_key(*to).to_vec())).collect()
}

/// The rows of a table whose rowids are in ranges.
pub(super) fn rows_in(
    pager: &Arc<Pager>,
    tree: Option<&Tree>,
    ranges: &Ranges,
) -> Result<Vec<i64>> {
    let mut rowids = Vec::new();
    let Some(tree) = tree.filter(|tree| !tree.is_empty()) else { return Ok(rowids) };
    let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
    for (first, last) in ranges.iter() {
        cursor.seek(&rowid_key(first))?;
        while cursor.is_valid() {
            let rowid = rowid_from_key(&cursor.key())?;
            if rowid > last {
                break;
            }
            rowids.push(rowid);
            cursor.next()?;
        }
    }
    Ok(rowids)
}

/// The rowids beyond `last` that no row of a table has.
pub(super) fn free_beyond(
    pager: &Arc<Pager>,
    tree: Option<&Tree>,
    last: Option<i64>,
) -> Result<Ranges> {
    let mut free = Ranges::new();
    let Some(first) = last.map_or(Some(i64::MIN), |last| last.checked_add(1)) else {
        return Ok(free);
    };
    free.add(first, i64::MAX);
    let all = free.clone();
    let taken = rows_in(pager, tree, &all)?;
    Ok(free.without(&taken.into_iter().collect()))
}

/// A tree in which rows stand under other keys.
pub(super) fn moved(pager: &Arc<Pager>, tree: &Tree, moves: &Moves) -> Result<Tree> {
    let mut copy = tree.clone();
    let (mut ledger, mut dirty) = (pager.ledger(), 0);
    let mut writer = Writer::new(pager, &mut ledger, &mut dirty);
    let mut kept = Vec::with_capacity(moves.len());
    for (from, to) in moves {
        let found = tree.get_with(pager, from, |found| found.map(keep))?;
        let Some(found) = found.transpose()? else { continue };
        copy.remove(&mut writer, from)?;
        kept.push((to, found));
    }
    kept.sort_by(|left, right| left.0.cmp(right.0));
    for (to, Kept { kind, payload }) in &kept {
        let cell = Cell { kind: *kind, payload };
        if copy.put_cell(&mut writer, to, cell, PutMode::Replace)? {
            return Err(Error::corrupt("two rows of a branch are one on another"));
        }
    }
    Ok(copy)
}

fn keep(found: Found<'_>) -> Result<Kept> {
    Ok(match found {
        Found::Inline(bytes) => Kept { kind: CellKind::Inline, payload: bytes.to_vec() },
        Found::Large(page) => {
            let mut payload = Vec::new();
            page.encode(&mut payload);
            Kept { kind: CellKind::Overflow, payload }
        }
        Found::Subtree(..) => return Err(Error::corrupt("a tree stands where a row should")),
    })
}
