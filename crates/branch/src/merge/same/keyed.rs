//! Rows of tables that declare a primary key beside the rowid: the key says which row one is.
//!
//! Rowids of such tables mean nothing to anybody: SQL hands out that of a deleted last row again,
//! REPLACE gives a row another one, and two branches insert one key under two. So what each side
//! changed is read, and where a key came, went or stands elsewhere, the rows of the base and of the
//! source get the rowids that the same keys have on the target. A row whose key has a NULL, which
//! SQL lets be there many times, is known by its rowid.
//!
//! Held in memory are the keys that came and went on the target, those that went on the source, and
//! the rowids that become others. Neighbours: `table` does the same by what earlier merges did.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::sync::Arc;

use super::table::TableSame;
use crate::diff::TableVersion;
use crate::diff::source::{Changes, project};
use crate::error::Result;
use crate::lineage::numbering::Rowids;
use crate::merge::MergedTable;
use crate::merge::renumber::FreeRowids;
use crate::merge::sides::Sides;
use crate::shape::TableShape;
use crate::shape::row::Stored;

/// Keys with the rowids of their rows.
type Places = BTreeMap<Vec<u8>, i64>;

/// What one side did to keys: rows that only changed otherwise are left out.
#[derive(Default)]
struct Moved {
    /// Keys that are not where the base has them.
    gone: Places,
    /// Keys that are where the base does not have them.
    came: Places,
    /// The rowids that have another row than in the base.
    places: BTreeSet<i64>,
}

impl Moved {
    fn of(
        pager: &Arc<Pager>,
        shape: &TableShape,
        sides: &Sides<'_>,
        side: TableVersion<'_>,
    ) -> Result<Self> {
        let mut moved = Self::default();
        for_each_move(pager, shape, sides, side, |old, new, rowid| {
            if new.is_some() {
                moved.places.insert(rowid);
            }
            if let Some(key) = old.flatten() {
                moved.gone.insert(key, rowid);
            }
            if let Some(key) = new.flatten() {
                moved.came.insert(key, rowid);
            }
            Ok(())
        })?;
        Ok(moved)
    }
}

/// What the rows of such a table are called on the target; none where all are called the same, or
/// where the versions do not declare one key.
pub(super) fn find(
    pager: &Arc<Pager>,
    table: &MergedTable,
    sides: &Sides<'_>,
    floor: i64,
) -> Result<Option<TableSame>> {
    let shape = &table.shape;
    let is_one_key = |side: &TableVersion<'_>| side.shape.primary_key == shape.primary_key;
    let (Some(ours), Some(theirs)) = (sides.ours, sides.theirs) else { return Ok(None) };
    if !sides.all().iter().flatten().all(is_one_key) {
        return Ok(None);
    }
    let mut gone_of_theirs = Places::new();
    let mut has_changed = false;
    for_each_move(pager, shape, sides, theirs, |old, new, rowid| {
        has_changed |= old.is_some() || new.is_some();
        if let Some(key) = old.flatten() {
            gone_of_theirs.insert(key, rowid);
        }
        Ok(())
    })?;
    let moved = Moved::of(pager, shape, sides, ours)?;
    if !has_changed && moved.gone.is_empty() {
        return Ok(None);
    }
    let mut free = FreeRowids::new(pager, &sides.all(), floor)?;
    let mut base = Rowids::new();
    for (key, rowid) in &moved.gone {
        if let Some(called) = moved.came.get(key) {
            base.insert(*rowid, *called);
        } else if moved.places.contains(rowid) {
            // The target does not have it any more, and another row in its place.
            base.insert(*rowid, free.next(&shape.name)?);
        }
    }
    // What the source did not give another key is called as in the base, if it is there.
    let mut called = base.clone();
    let mut fresh = Vec::new();
    for_each_move(pager, shape, sides, theirs, |_, new, rowid| {
        called.remove(&rowid);
        let Some(key) = new else { return Ok(()) };
        let place = match &key {
            Some(key) => gone_of_theirs
                .get(key)
                .map(|before| base.get(before).copied().unwrap_or(*before))
                .or_else(|| moved.came.get(key).copied()),
            None => None,
        };
        let place = match place {
            Some(place) => place,
            None if is_taken(pager, ours, rowid)?
                || sides.base.map_or(Ok(false), |side| is_taken(pager, side, rowid))?
                    && !base.contains_key(&rowid) =>
            {
                fresh.push(free.next(&shape.name)?);
                free.last()
            }
            None => rowid,
        };
        called.insert(rowid, place);
        Ok(())
    })?;
    let others = |rowids: Rowids| rowids.into_iter().filter(|(own, called)| own != called);
    let (base, called): (Rowids, Rowids) = (others(base).collect(), others(called).collect());
    if base.is_empty() && called.is_empty() {
        return Ok(None);
    }
    Ok(Some(TableSame::by_key(base, called, fresh, free.greatest())))
}

/// Calls `look` for each rowid that has another row on a side than in the base, with the keys of
/// both rows: none where there is no row, an inner none for a row without a key.
fn for_each_move(
    pager: &Arc<Pager>,
    shape: &TableShape,
    sides: &Sides<'_>,
    side: TableVersion<'_>,
    mut look: impl FnMut(Option<Option<Vec<u8>>>, Option<Option<Vec<u8>>>, i64) -> Result<()>,
) -> Result<()> {
    let base = sides.base.unwrap_or(TableVersion::empty(side.shape));
    let mut changes = Changes::new(pager, shape, base, side)?;
    while let Some(change) = changes.next_change()? {
        let old = change.old.map(|row| key_of(shape, base.shape, &row)).transpose()?;
        let new = change.new.map(|row| key_of(shape, side.shape, &row)).transpose()?;
        let is_same = match (&old, &new) {
            (Some(Some(old)), Some(Some(new))) => old == new,
            (Some(_), Some(_)) => true,
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            look(old, new, rowid_from_key(&change.key)?)?;
        }
    }
    Ok(())
}

/// The declared key of a row, by the merged table; none where a part of it is NULL.
fn key_of(shape: &TableShape, own: &TableShape, stored: &Stored) -> Result<Option<Vec<u8>>> {
    let row = project(&own.decode(&stored.key, &stored.bytes)?, own, shape);
    let mut columns = shape.primary_key.iter().filter_map(|key| shape.index_of(key.column));
    if columns.any(|index| row[index].is_null()) {
        return Ok(None);
    }
    shape.key_of_columns(&shape.primary_key, &row).map(Some)
}

fn is_taken(pager: &Arc<Pager>, side: TableVersion<'_>, rowid: i64) -> Result<bool> {
    let found = side.tree.map(|tree| tree.contains(pager, &rowid_key(rowid))).transpose()?;
    Ok(found.unwrap_or(false))
}
