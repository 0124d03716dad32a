//! Single rows of the three versions of a merge, by the keys that they have in the merged table.
//!
//! A row of the source may have another rowid there (`renumber`), and where a primary key changed
//! a side stores its rows under other keys: all keys of such a table are held, as they are while
//! it is merged. Neighbours: `mod` asks, `cells` puts rows into the merged shape.

use std::collections::BTreeMap;

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::{ColumnOrder, push_column, rowid_key};
use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::Origin;
use crate::diff::TableVersion;
use crate::diff::source::{for_each_row, rekey};
use crate::error::{Error, Result};
use crate::merge::cells::Plan;
use crate::merge::conflict::Reference;
use crate::merge::renumber::{Numbers, follow_row};
use crate::merge::same::Other;
use crate::merge::sides::Sides;
use crate::merge::{MergedTable, Run, Versions};
use crate::shape::row::{Row, Stored};
use crate::shape::{ColumnId, KeyShape, ObjectId, TableShape};

/// Keys by other keys.
type Keys = BTreeMap<Vec<u8>, Vec<u8>>;

/// The rows of the three versions.
pub(super) struct RowVersions<'v> {
    pager: Arc<Pager>,
    versions: Versions<'v>,
    numbers: &'v Numbers<'v>,
    /// The source's keys by the merged ones, where they differ, and the other way round.
    theirs: BTreeMap<ObjectId, Keys>,
    moved: BTreeMap<ObjectId, Keys>,
    /// What a version stores rows under, by the merged keys.
    stored: BTreeMap<(ObjectId, Origin), Keys>,
    /// The merged keys of parents by what children look for in some columns.
    parents: BTreeMap<(ObjectId, Origin, Vec<ColumnId>), Keys>,
}

impl<'v> RowVersions<'v> {
    pub(super) fn new(
        run: &mut Run<'_>,
        versions: &Versions<'v>,
        numbers: &'v Numbers<'v>,
    ) -> Self {
        let theirs = std::mem::take(&mut run.moved);
        let moved = theirs.iter().map(|(table, keys)| {
            (*table, keys.iter().map(|(merged, theirs)| (theirs.clone(), merged.clone())).collect())
        });
        Self {
            pager: Arc::clone(run.pager),
            versions: *versions,
            numbers,
            moved: moved.collect(),
            theirs,
            stored: BTreeMap::new(),
            parents: BTreeMap::new(),
        }
    }

    /// A row as a version has it, in the merged shape.
    pub(super) fn row(
        &mut self,
        table: &MergedTable,
        origin: Origin,
        key: &[u8],
    ) -> Result<Option<Row>> {
        let sides = Sides::new(&self.versions, table);
        let Some(version) = of(&sides, origin) else { return Ok(None) };
        let Some(own) = self.own_key(table.shape.id, origin, key) else { return Ok(None) };
        let Some(stored) = self.stored_row(table, version, origin, &own)? else { return Ok(None) };
        let mut row = version.shape.decode(&stored.key, &stored.bytes)?;
        self.follow(origin, version.shape, &mut row);
        if origin == Origin::Theirs {
            let stored = match sides.base {
                Some(base) => self.stored_row(table, base, Origin::Base, &own)?.zip(Some(base)),
                None => None,
            };
            let base = stored.map(|(stored, base)| {
                let mut row = base.shape.decode(&stored.key, &stored.bytes)?;
                self.follow(Origin::Base, base.shape, &mut row);
                Ok::<_, Error>(row)
            });
            row = follow_row(self.numbers, &sides, base.transpose()?.as_ref(), row);
        }
        let [base, ours, theirs] = [&table.base, &table.ours, &table.theirs].map(Option::as_ref);
        let plan = Plan::new(&table.shape, base, ours, theirs, false);
        Ok(Some(match origin {
            Origin::Base => plan.base_row(&row),
            Origin::Ours => plan.ours_row(&row),
            Origin::Theirs => plan.theirs_row(&row),
        }))
    }

    /// Puts the target's rowids into cells that refer to rows.
    fn follow(&self, origin: Origin, shape: &TableShape, row: &mut Row) {
        let same = self.numbers.same;
        match origin {
            Origin::Base => same.follow(Other::Base, shape, row),
            Origin::Theirs => same.follow(Other::Theirs, shape, row),
            Origin::Ours => {}
        }
    }

    /// The key that a version has for a merged row; none where that key is another row there.
    fn own_key(&self, table: ObjectId, origin: Origin, key: &[u8]) -> Option<Vec<u8>> {
        if origin != Origin::Theirs {
            return Some(key.to_vec());
        }
        if let Some(theirs) = self.theirs.get(&table).and_then(|keys| keys.get(key)) {
            return Some(theirs.clone());
        }
        let is_another = self.moved.get(&table).is_some_and(|keys| keys.contains_key(key));
        (!is_another).then(|| key.to_vec())
    }

    fn stored_row(
        &mut self,
        table: &MergedTable,
        version: TableVersion<'_>,
        origin: Origin,
        key: &[u8],
    ) -> Result<Option<Stored>> {
        let Some(tree) = version.tree else { return Ok(None) };
        let key = if version.shape.has_key_of(&table.shape) {
            key.to_vec()
        } else {
            let place = (table.shape.id, origin);
            if !self.stored.contains_key(&place) {
                let mut keys = Keys::new();
                for_each_row(&self.pager, version, |stored| {
                    keys.insert(rekey(&table.shape, version.shape, &stored)?, stored.key);
                    Ok(())
                })?;
                self.stored.insert(place, keys);
            }
            let found = self.stored.get(&place).and_then(|keys| keys.get(key));
            let Some(found) = found else { return Ok(None) };
            found.clone()
        };
        let bytes = tree.get(&self.pager, &key)?;
        Ok(bytes.map(|bytes| Stored { key, bytes }))
    }

    /// The merged key of the parent that a version may have for what a child looks for.
    pub(super) fn find(
        &mut self,
        parent: &MergedTable,
        origin: Origin,
        reference: &Reference,
        wanted: &[Value],
    ) -> Result<Option<Vec<u8>>> {
        let columns = &reference.parent_columns;
        match &parent.shape.key {
            KeyShape::Rowid { alias: Some(alias), .. } if *columns == [*alias] => {
                return Ok(match wanted {
                    [Value::Integer(rowid)] => Some(rowid_key(*rowid).to_vec()),
                    _ => None,
                });
            }
            KeyShape::Columns(keys) if keys.iter().map(|key| &key.column).eq(columns) => {
                let mut key = Vec::new();
                for (column, value) in keys.iter().zip(wanted) {
                    push_column(value.as_ref(), column.order, &mut key)?;
                }
                return Ok(Some(key));
            }
            _ => {}
        }
        let place = (parent.shape.id, origin, columns.clone());
        if !self.parents.contains_key(&place) {
            let keys = self.keys_of(parent, origin, reference)?;
            self.parents.insert(place.clone(), keys);
        }
        let wanted = encoded(&parent.shape, reference, wanted)?;
        Ok(self.parents.get(&place).and_then(|keys| keys.get(&wanted)).cloned())
    }

    /// The merged keys of all rows of a version, by what children look for in some columns.
    fn keys_of(&self, parent: &MergedTable, origin: Origin, reference: &Reference) -> Result<Keys> {
        let mut keys = Keys::new();
        let sides = Sides::new(&self.versions, parent);
        let Some(version) = of(&sides, origin) else { return Ok(keys) };
        let moved = self.moved.get(&parent.shape.id).filter(|_| origin == Origin::Theirs);
        for_each_row(&self.pager, version, |stored| {
            let mut row = version.shape.decode(&stored.key, &stored.bytes)?;
            self.follow(origin, version.shape, &mut row);
            let cells = reference.parent_columns.iter();
            let cells = cells.map(|id| row.get(version.shape.index_of(*id)?));
            if let Some(values) = reference_values(&parent.shape, reference, cells) {
                let key = rekey(&parent.shape, version.shape, &stored)?;
                let merged = moved.and_then(|moved| moved.get(&key)).cloned();
                keys.insert(encoded(&parent.shape, reference, &values)?, merged.unwrap_or(key));
            }
            Ok(())
        })?;
        Ok(keys)
    }
}

fn of<'v>(sides: &Sides<'v>, origin: Origin) -> Option<TableVersion<'v>> {
    match origin {
        Origin::Base => sides.base,
        Origin::Ours => sides.ours,
        Origin::Theirs => sides.theirs,
    }
}

/// The values that a foreign key looks for, as the columns of the parent would store them; none
/// where one is NULL, which refers to nothing.
pub(super) fn reference_values<'c>(
    parent: &TableShape,
    reference: &Reference,
    cells: impl Iterator<Item = Option<&'c Value>>,
) -> Option<Vec<Value>> {
    let columns = reference.parent_columns.iter().zip(cells);
    let values = columns.map(|(column, cell)| {
        let value = parent.column(*column)?.affinity.convert(cell?.clone());
        (value != Value::Null).then_some(value)
    });
    values.collect()
}

/// Such values as a key: what the parent's collations find equal has the same one. An order of the
/// application's own is taken for that of bytes.
pub(super) fn encoded(
    parent: &TableShape,
    reference: &Reference,
    values: &[Value],
) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    for (column, value) in reference.parent_columns.iter().zip(values) {
        let collation = match parent.column(*column).map(|column| column.collation) {
            Some(Collation::Custom(_)) | None => Collation::Binary,
            Some(known) => known,
        };
        push_column(value.as_ref(), ColumnOrder { collation, descending: false }, &mut key)?;
    }
    Ok(key)
}
