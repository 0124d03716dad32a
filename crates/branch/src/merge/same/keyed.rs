//! Rows of tables that declare a primary key beside the rowid: the key says which row one is.
//!
//! Rowids of such tables mean nothing to anybody: SQL hands out that of a deleted last row again,
//! REPLACE gives a row another one, and two branches insert one key under two. So what each side
//! changed is read, and where a key came, went or stands elsewhere, the rows of the base and of the
//! source get the rowids that the same keys have on the target.
//!
//! A row whose key has a NULL, which SQL lets be there many times, is known by its number, as where
//! no key is declared: first all versions are put into the target's numbering by what earlier
//! merges did, then the keys say what they say. A row that gets a key, or loses it, at its place
//! stays the same row, unless another row had that key, or has it.
//!
//! Held in memory are the keys that came and went on the target, those that went on the source, and
//! the rowids that become others. Neighbours: `table` does the same by what earlier merges did.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::{push_column, rowid_from_key, rowid_key};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::Other;
use super::copies;
use super::table::{Given, TableSame};
use crate::diff::TableVersion;
use crate::diff::source::{Changes, LentRow};
use crate::error::Result;
use crate::lineage::numbering::Rowids;
use crate::merge::MergedTable;
use crate::merge::renumber::FreeRowids;
use crate::merge::sides::Sides;
use crate::shape::TableShape;
use crate::shape::row::Cells;

/// Keys with the rowids of their rows.
type Places = BTreeMap<Vec<u8>, i64>;

/// The key of a row; none where a part of it is NULL.
type Key = Option<Vec<u8>>;

/// What rows of the base and the source are called by their keys, once they are in the target's
/// numbering.
#[derive(Default)]
pub(super) struct ByKey {
    pub(super) base: Rowids,
    pub(super) theirs: Rowids,
    /// Numbers of rows of the base that the target does not have.
    pub(super) displaced: BTreeSet<i64>,
    /// The rowids that rows of the source got now.
    pub(super) fresh: Vec<i64>,
    /// No row of any version has a greater rowid.
    pub(super) floor: i64,
}

/// What the rows of such a table are called on the target; none where all are called the same, or
/// where the versions do not declare one key.
pub(super) fn find(
    pager: &Arc<Pager>,
    table: &MergedTable,
    (given, floor): (&Given<'_>, i64),
    sides: &Sides<'_>,
) -> Result<Option<TableSame>> {
    let Some(known) = TableSame::find(pager, given, sides)? else {
        let found = by_key(pager, &table.shape, sides, &TableSame::default(), floor)?;
        return Ok(found.map(|found| TableSame::default().then(found)));
    };
    let copy = |side: Option<TableVersion<'_>>, other| -> Result<Option<Tree>> {
        let moves = copies::of_rowids(known.of(other));
        let tree = side.and_then(|side| side.tree).filter(|_| !moves.is_empty());
        tree.map(|tree| copies::moved(pager, tree, &moves)).transpose()
    };
    let (base, theirs) = (copy(sides.base, Other::Base)?, copy(sides.theirs, Other::Theirs)?);
    let moved = sides.with_rows(base.as_ref(), theirs.as_ref());
    let found = by_key(pager, &table.shape, &moved, &known, floor.max(known.floor))?;
    Ok(Some(match found {
        Some(found) => known.then(found),
        None => known,
    }))
}

fn by_key(
    pager: &Arc<Pager>,
    shape: &TableShape,
    sides: &Sides<'_>,
    known: &TableSame,
    floor: i64,
) -> Result<Option<ByKey>> {
    let is_one_key = |side: &TableVersion<'_>| side.shape.primary_key == shape.primary_key;
    let (Some(ours), Some(theirs)) = (sides.ours, sides.theirs) else { return Ok(None) };
    if !sides.all().iter().flatten().all(is_one_key) {
        return Ok(None);
    }
    let of_theirs = Moved::of(pager, shape, sides, theirs, false)?;
    let of_ours = Moved::of(pager, shape, sides, ours, true)?;
    if !of_theirs.has_changed && of_ours.gone.is_empty() {
        return Ok(None);
    }
    let free = FreeRowids::new(pager, &sides.all(), floor)?;
    let mut free = free.without(known.label.values().copied());
    let mut found = ByKey::default();
    // The target does not have them any more, and another row in their place.
    let mut displaced = of_ours.lost.clone();
    for (key, rowid) in &of_ours.gone {
        if let Some(called) = of_ours.came.get(key) {
            found.base.insert(*rowid, *called);
        } else if of_ours.places.contains(rowid) {
            displaced.insert(*rowid);
        }
    }
    for rowid in displaced {
        let called = free.next(&shape.name)?;
        found.base.insert(rowid, called);
        found.displaced.insert(called);
    }
    // What the source did not give another key is called as in the base, if it is there.
    found.theirs = found.base.clone();
    for_each_move(pager, shape, sides, theirs, |_, new, rowid| {
        if of_theirs.kept.contains(&rowid) {
            return Ok(());
        }
        found.theirs.remove(&rowid);
        let Some(key) = new else { return Ok(()) };
        let place = match &key {
            Some(key) => of_theirs
                .gone
                .get(key)
                .map(|before| found.base.get(before).copied().unwrap_or(*before))
                .or_else(|| of_ours.came.get(key).copied()),
            // Both inserted one: whether they are one row is what their cells say.
            None => of_ours.unkeyed.contains(&rowid).then_some(rowid),
        };
        let place = match place {
            Some(place) => place,
            None if is_taken(pager, ours, rowid)?
                || sides.base.map_or(Ok(false), |side| is_taken(pager, side, rowid))?
                    && !found.base.contains_key(&rowid) =>
            {
                found.fresh.push(free.next(&shape.name)?);
                free.last()
            }
            None => rowid,
        };
        found.theirs.insert(rowid, place);
        Ok(())
    })?;
    let is_other = |own: &i64, called: &mut i64| own != called;
    found.base.retain(is_other);
    found.theirs.retain(is_other);
    found.floor = free.greatest();
    let is_same = found.base.is_empty() && found.theirs.is_empty();
    Ok((!is_same).then_some(found))
}

/// What one side did to keys: rows that only changed otherwise are left out.
#[derive(Default)]
struct Moved {
    /// Whether any row came, went, or stands where another one stood.
    has_changed: bool,
    /// Keys that are not where the base has them.
    gone: Places,
    /// Rowids of the base whose rows had no key and are gone, and that have another row.
    lost: BTreeSet<i64>,
    /// Keys that are where the base does not have them.
    came: Places,
    /// The rowids that have another row than in the base.
    places: BTreeSet<i64>,
    /// The rowids of rows without a key under which the base has none.
    unkeyed: BTreeSet<i64>,
    /// The rowids whose rows got a key or lost it, and are the same rows.
    kept: BTreeSet<i64>,
}

impl Moved {
    /// Finds out; what came is left out where nobody asks for it.
    fn of(
        pager: &Arc<Pager>,
        shape: &TableShape,
        sides: &Sides<'_>,
        side: TableVersion<'_>,
        tells_what_came: bool,
    ) -> Result<Self> {
        let mut moved = Self::default();
        let mut turned = Turned::default();
        for_each_move(pager, shape, sides, side, |old, new, rowid| {
            match (old, new) {
                (Some(None), Some(Some(key))) => drop(turned.got.insert(key, rowid)),
                (Some(Some(key)), Some(None)) => drop(turned.lost.insert(key, rowid)),
                (old, new) => moved.note(old, new, rowid, tells_what_came),
            }
            Ok(())
        })?;
        let kept = turned.kept(pager, shape, sides, side)?;
        for (key, rowid) in turned.got {
            if !kept.contains(&rowid) {
                moved.note(Some(None), Some(Some(key)), rowid, tells_what_came);
            }
        }
        for (key, rowid) in turned.lost {
            if !kept.contains(&rowid) {
                moved.note(Some(Some(key)), Some(None), rowid, tells_what_came);
            }
        }
        moved.kept = kept;
        Ok(moved)
    }

    fn note(&mut self, old: Option<Key>, new: Option<Key>, rowid: i64, tells_what_came: bool) {
        self.has_changed = true;
        if tells_what_came && new.is_some() {
            self.places.insert(rowid);
        }
        match (old, &new) {
            (Some(Some(key)), _) => drop(self.gone.insert(key, rowid)),
            (Some(None), Some(_)) => drop(self.lost.insert(rowid)),
            (None, Some(None)) => drop(self.unkeyed.insert(rowid)),
            _ => {}
        }
        if tells_what_came && let Some(Some(key)) = new {
            self.came.insert(key, rowid);
        }
    }
}

/// Rows that got a key at their place, or lost it, by that key.
#[derive(Default)]
struct Turned {
    got: Places,
    lost: Places,
}

impl Turned {
    /// The rowids of those that are the same rows: no other row had the key that a row got, none
    /// has the one that it lost.
    fn kept(
        &self,
        pager: &Arc<Pager>,
        shape: &TableShape,
        sides: &Sides<'_>,
        side: TableVersion<'_>,
    ) -> Result<BTreeSet<i64>> {
        let all = self.got.values().chain(self.lost.values());
        let mut kept: BTreeSet<i64> = all.copied().collect();
        if kept.is_empty() {
            return Ok(kept);
        }
        for_each_move(pager, shape, sides, side, |old, new, _| {
            let before = old.flatten().and_then(|key| self.got.get(&key).copied());
            let after = new.flatten().and_then(|key| self.lost.get(&key).copied());
            for rowid in before.into_iter().chain(after) {
                kept.remove(&rowid);
            }
            Ok(())
        })?;
        Ok(kept)
    }
}

/// Calls `look` for each rowid whose row has another key on a side than in the base, with both:
/// none where there is no row, an inner none for a row without a key.
fn for_each_move(
    pager: &Arc<Pager>,
    shape: &TableShape,
    sides: &Sides<'_>,
    side: TableVersion<'_>,
    mut look: impl FnMut(Option<Key>, Option<Key>, i64) -> Result<()>,
) -> Result<()> {
    let base = sides.base.unwrap_or(TableVersion::empty(side.shape));
    let mut changes = Changes::new(pager, shape, base, side)?;
    loop {
        let looked = changes.next_with(|change| {
            let key = |own: &TableShape, row: &Option<LentRow<'_>>| {
                row.as_ref().map(|row| key_of(shape, own, row)).transpose()
            };
            let (old, new) = (key(base.shape, &change.old)?, key(side.shape, &change.new)?);
            if old == new { Ok(()) } else { look(old, new, rowid_from_key(change.key)?) }
        })?;
        if looked.is_none() {
            return Ok(());
        }
    }
}

/// The declared key of a row, by the merged table.
fn key_of(shape: &TableShape, own: &TableShape, row: &LentRow<'_>) -> Result<Key> {
    let cells = Cells::new(own, row.key, &row.bytes)?;
    let mut bytes = Vec::new();
    for key in &shape.primary_key {
        let Some(column) = shape.column(key.column) else { return Ok(None) };
        let cell = match own.index_of(column.id) {
            Some(index) => column.affinity.convert(cells.cell(index)?.to_owned()),
            None => column.missing.clone(),
        };
        if cell.is_null() {
            return Ok(None);
        }
        push_column(cell.as_ref(), key.order, &mut bytes)?;
    }
    Ok(Some(bytes))
}

fn is_taken(pager: &Arc<Pager>, side: TableVersion<'_>, rowid: i64) -> Result<bool> {
    let found = side.tree.map(|tree| tree.contains(pager, &rowid_key(rowid))).transpose()?;
    Ok(found.unwrap_or(false))
}
