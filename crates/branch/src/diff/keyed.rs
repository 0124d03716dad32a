//! Rows that are one because of their declared primary key, whatever their rowids are.
//!
//! Where a table declares a key beside the rowid, two versions may have a row under two rowids:
//! each branch inserted it, or REPLACE gave it another one. What the trees differ in is found by
//! rowids all the same; a row that came or went, or stands where one of another key stood, is then
//! looked for by its key in the index of the other version. So nothing is held, and what it costs
//! follows the rows that differ.
//!
//! Every row has one partner at most: first the one of its key. What has none is paired by the
//! rowid if a part of one of the two keys is NULL, which SQL lets be there many times. Neighbours:
//! `source` finds what differs, `rows` compares cells; `merge::same` pairs rows alike.

use std::borrow::Cow;

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::push_column;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Cursor, Tree};

use super::rows::candidates;
use super::source::{Changes, LentChange, LentRow, TableVersion};
use crate::error::{Error, Result};
use crate::shape::row::{Cells, Stored};
use crate::shape::{KeyColumn, TableShape};

/// The changes of a table with a declared key.
pub(super) struct Keyed {
    changes: Changes,
    partners: Partners,
    /// The newer row of a change whose older row was told by itself.
    waiting: Option<Waiting>,
}

/// A newer row with its partner.
#[derive(Clone)]
struct Waiting {
    old: Option<Stored>,
    new: Stored,
}

/// Both versions, to look rows up by their keys.
#[derive(Clone)]
struct Partners {
    pager: Arc<Pager>,
    old: Side,
    new: Side,
}

/// One version.
#[derive(Clone)]
struct Side {
    rows: Tree,
    keys: Tree,
    /// The key's columns as its index has them: their places in the shape, and their orders.
    columns: Vec<(usize, KeyColumn)>,
    shape: TableShape,
}

/// What is to be told of a change.
enum Told {
    /// Both rows are one.
    One,
    /// The older row is gone, if that is said; then the newer row with its partner.
    Apart { is_gone: bool, partner: Option<Stored> },
}

impl Keyed {
    /// The changes by the key that both versions declare. None where they declare no key, or not
    /// the same one, or where a version is empty: then nothing has two rowids.
    pub(super) fn new(
        pager: &Arc<Pager>,
        old: TableVersion<'_>,
        new: TableVersion<'_>,
    ) -> Result<Option<Self>> {
        let (Some(old_side), Some(new_side)) = (Side::of(old), Side::of(new)) else {
            return Ok(None);
        };
        if !old_side.has_key_of(&new_side) {
            return Ok(None);
        }
        let changes = candidates(pager, old, new)?;
        let partners = Partners { pager: Arc::clone(pager), old: old_side, new: new_side };
        Ok(Some(Self { changes, partners, waiting: None }))
    }

    /// Calls `look` with the next change. Its rows may stand under two rowids.
    pub(super) fn next_with<R>(
        &mut self,
        look: impl FnOnce(&LentChange<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        if let Some(Waiting { old, new }) = self.waiting.take() {
            let (old, key) = (old.as_ref().map(LentRow::of), &*new.key);
            return look(&LentChange { key, old, new: Some(LentRow::of(&new)) }).map(Some);
        }
        let mut look = Some(look);
        loop {
            let (partners, waiting) = (&self.partners, &mut self.waiting);
            let looked = self.changes.next_with(|change| {
                let mut tell = |old, new| {
                    let change = LentChange { key: change.key, old, new };
                    look.take().map(|look| look(&change)).transpose()
                };
                let (older, newer) = (change.old.as_ref(), change.new.as_ref());
                match (partners.told(change)?, newer) {
                    (Told::One, _) => tell(older.map(borrowed), newer.map(borrowed)),
                    (Told::Apart { is_gone: true, partner }, _) => {
                        *waiting = newer.map(|new| Waiting { old: partner, new: new.to_stored() });
                        tell(older.map(borrowed), None)
                    }
                    (Told::Apart { partner, .. }, Some(new)) => {
                        tell(partner.as_ref().map(LentRow::of), Some(borrowed(new)))
                    }
                    // It is told where its partner stands.
                    (Told::Apart { .. }, None) => Ok(None),
                }
            })?;
            match looked {
                None => return Ok(None),
                Some(Some(done)) => return Ok(Some(done)),
                Some(None) => {}
            }
        }
    }

    /// See [`Changes::divide`].
    pub(super) fn divide(&self, behind: &[u8], parts: u64) -> Result<Vec<Self>> {
        let mut waiting = self.waiting.clone();
        let parts = self.changes.divide(behind, parts)?.into_iter();
        let part = |changes| {
            let partners = self.partners.clone();
            Self { changes, partners, waiting: waiting.take() }
        };
        Ok(parts.map(part).collect())
    }
}

fn borrowed<'a>(row: &'a LentRow<'_>) -> LentRow<'a> {
    LentRow { key: row.key, bytes: Cow::Borrowed(&row.bytes) }
}

impl Partners {
    fn told(&self, change: &LentChange<'_>) -> Result<Told> {
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && self.have_equal_cells(old, new)?
        {
            return Ok(Told::One);
        }
        let key_of = |side: &Side, row: &Option<LentRow<'_>>| match row {
            Some(row) => side.key_of(row),
            None => Ok(None),
        };
        let (old_key, new_key) = (key_of(&self.old, &change.old)?, key_of(&self.new, &change.new)?);
        if old_key.is_some() && old_key == new_key {
            return Ok(Told::One);
        }
        let find = |side: &Side, key: &Option<Vec<u8>>| match key {
            Some(key) => side.find(&self.pager, key),
            None => Ok(None),
        };
        let has_partner = find(&self.new, &old_key)?.is_some();
        let partner = match find(&self.old, &new_key)? {
            Some(key) => Some(self.old.read(&self.pager, key)?),
            None => None,
        };
        let are_there = change.old.is_some() && change.new.is_some();
        let has_no_key = old_key.is_none() || new_key.is_none();
        if are_there && has_no_key && !has_partner && partner.is_none() {
            return Ok(Told::One);
        }
        Ok(Told::Apart { is_gone: change.old.is_some() && !has_partner, partner })
    }

    /// Whether both rows have the same cells in the key: as a rule they have, and so one key.
    fn have_equal_cells(&self, old: &LentRow<'_>, new: &LentRow<'_>) -> Result<bool> {
        let (old, new) = (self.old.cells(old)?, self.new.cells(new)?);
        for ((before, _), (after, _)) in self.old.columns.iter().zip(&self.new.columns) {
            let (before, after) = (old.cell(*before)?, new.cell(*after)?);
            if before != after || before.is_null() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Side {
    /// A version that rows can be looked up in by their declared key; none if it is empty.
    fn of(version: TableVersion<'_>) -> Option<Self> {
        let (shape, rows, keys) = (version.shape, version.tree?, version.keys?);
        if shape.primary_key.is_empty() || rows.is_empty() {
            return None;
        }
        let columns = shape.key_index.as_ref()?.columns.iter();
        let columns = columns.map(|key| Some((shape.index_of(key.column)?, *key)));
        let columns = columns.collect::<Option<Vec<_>>>()?;
        Some(Self { rows: rows.clone(), keys: keys.clone(), columns, shape: shape.clone() })
    }

    /// Whether a row has the same key in both versions.
    fn has_key_of(&self, other: &Self) -> bool {
        let facts = |side: &Self| -> Vec<_> {
            let columns = side.columns.iter();
            columns.map(|(place, key)| (*key, side.shape.columns[*place].affinity)).collect()
        };
        self.shape.primary_key == other.shape.primary_key && facts(self) == facts(other)
    }

    fn cells<'a>(&'a self, row: &'a LentRow<'_>) -> Result<Cells<'a>> {
        Cells::new(&self.shape, row.key, &row.bytes)
    }

    /// A row's key as its index has it; none where a part of it is NULL.
    fn key_of(&self, row: &LentRow<'_>) -> Result<Option<Vec<u8>>> {
        let cells = self.cells(row)?;
        let mut key = Vec::new();
        for (place, part) in &self.columns {
            let cell = cells.cell(*place)?;
            if cell.is_null() {
                return Ok(None);
            }
            push_column(cell, part.order, &mut key)?;
        }
        Ok(Some(key))
    }

    /// Where the row of a key stands.
    fn find(&self, pager: &Arc<Pager>, key: &[u8]) -> Result<Option<[u8; 8]>> {
        let mut cursor = Cursor::new(Arc::clone(pager), self.keys.clone());
        if !cursor.seek(key)? {
            return Ok(None);
        }
        let entry = cursor.key();
        let Some(rest) = entry.strip_prefix(key) else { return Ok(None) };
        let rowid = rest.first_chunk::<8>().copied();
        rowid.map(Some).ok_or_else(|| self.damaged())
    }

    fn read(&self, pager: &Pager, key: [u8; 8]) -> Result<Stored> {
        let bytes = self.rows.get(pager, &key)?.ok_or_else(|| self.damaged())?;
        Ok(Stored { key: key.to_vec(), bytes })
    }

    #[cold]
    fn damaged(&self) -> Error {
        let message = format!("the index of the primary key of {} misses rows", self.shape.name);
        Error::corrupt(message).with_hint("REINDEX the table on both branches")
    }
}
