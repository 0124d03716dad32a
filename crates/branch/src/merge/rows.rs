//! The rows of one table: what each side changed, side by side in the order of the keys.
//!
//! As a rule the changes of the source are pulled, each with what the target has in its place.
//! Where a key changed or columns went, two streams of changes (base to ours, base to theirs) are
//! pulled together. Either way the work follows what changed, and little is held beside the rows
//! that are looked at. Only a table that has to be written anew (its primary key changed on the
//! source, or a column's type) is read whole. Neighbours: `pulled` and `sides` find the changes,
//! `cells` merges one row, `renumber` knows new rowids.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::cells::{CellConflict, MergedRow, Plan, Side, is_same_row};
use super::conflict::{Conflict, ConflictKey, ConflictKind, Scope};
use super::pulled::{self, Pulled, Puller};
use super::renumber::{Follower, FreeRowids, Numbers};
use super::sides::{Sides, Stream};
use super::{MergedTable, Pick, RowChange, Run, Versions};
use crate::diff::TableVersion;
use crate::diff::schema::ObjectKind;
use crate::diff::source::{Changes, RawChange, for_each_row, rekey};
use crate::error::Result;
use crate::shape::row::{Row, Stored};
use crate::shape::{ColumnId, KeyShape, ObjectId};

/// Merges the rows of a table.
pub(crate) fn merge_table(
    run: &mut Run<'_>,
    versions: &Versions<'_>,
    table: &MergedTable,
    numbers: &Numbers,
    followers: &[Follower],
) -> Result<()> {
    if table.theirs.is_none() {
        // The source never had it (or dropped it, and the target keeps it): nothing to take.
        return Ok(());
    }
    if table.base.is_none() && table.ours.is_none() && run.target.adopt_table(&table.shape)? {
        return Ok(());
    }
    let sides = Sides::new(versions, table);
    let plan = Plan::new(
        &table.shape,
        table.base.as_ref(),
        table.ours.as_ref(),
        table.theirs.as_ref(),
        run.options.merges_json,
    );
    let needs_conversion = table.ours.as_ref().is_some_and(|ours| {
        let columns = table.shape.columns.iter();
        columns.filter(|column| column.generated.is_none()).any(|column| {
            ours.column(column.id).is_some_and(|other| other.affinity != column.affinity)
        })
    });
    let inserted = ours_inserted_keys(run.pager, &sides, table)?;
    let merger = TableMerger {
        table,
        plan,
        sides,
        numbers,
        followers,
        free: None,
        needs_conversion,
        inserted,
        unsettled: Unsettled::of(&run.options.unsettled, table.shape.id),
        run,
    };
    merger.merge()
}

/// Rows that the target inserted, by the declared primary key that their rowid is not.
fn ours_inserted_keys(
    pager: &Arc<Pager>,
    sides: &Sides<'_>,
    table: &MergedTable,
) -> Result<BTreeMap<Vec<u8>, Stored>> {
    let mut inserted = BTreeMap::new();
    let (Some(ours), true) = (&table.ours, table.has_hidden_key()) else { return Ok(inserted) };
    let is_new_in_theirs = sides.theirs.is_some_and(|theirs| theirs.tree.is_some());
    if !is_new_in_theirs {
        return Ok(inserted);
    }
    let mut stream = Stream::new(sides.changes(pager, &table.shape, sides.ours)?)?;
    while let Some(change) = stream.take()? {
        if let (None, Some(stored)) = (change.old, change.new) {
            let row = ours.decode(&stored.key, &stored.bytes)?;
            let key = ours.key_of_columns(&table.shape.primary_key, &row)?;
            inserted.insert(key, stored);
        }
    }
    Ok(inserted)
}

/// The rows of a table that the base does not settle, with the columns it is about.
#[derive(Default)]
struct Unsettled {
    rows: BTreeMap<Vec<u8>, BTreeSet<ColumnId>>,
}

impl Unsettled {
    fn of(keys: &BTreeSet<ConflictKey>, table: ObjectId) -> Self {
        let mut rows: BTreeMap<Vec<u8>, BTreeSet<ColumnId>> = BTreeMap::new();
        for key in keys.iter().filter(|key| key.object == table) {
            match &key.scope {
                Scope::Row(row) => drop(rows.entry(row.clone()).or_default()),
                Scope::Cell(row, column) => {
                    rows.entry(row.clone()).or_default().insert(*column);
                }
                Scope::Schema(_) | Scope::Broken(..) => {}
            }
        }
        Self { rows }
    }
}

/// The rows of a side by the keys of the merged table.
enum Kept<'v> {
    None,
    /// They are stored by these keys.
    Stored(TableVersion<'v>),
    Sorted(BTreeMap<Vec<u8>, Row>),
}

impl Kept<'_> {
    fn find(&self, pager: &Arc<Pager>, key: &[u8]) -> Result<Option<Row>> {
        match self {
            Self::None => Ok(None),
            Self::Stored(version) => {
                let Some(tree) = version.tree else { return Ok(None) };
                let bytes = tree.get(pager, key)?;
                bytes.map(|bytes| version.shape.decode(key, &bytes)).transpose()
            }
            Self::Sorted(rows) => Ok(rows.get(key).cloned()),
        }
    }
}

struct TableMerger<'a, 'r, 'v> {
    table: &'a MergedTable,
    plan: Plan,
    sides: Sides<'v>,
    numbers: &'a Numbers,
    followers: &'a [Follower],
    free: Option<FreeRowids>,
    needs_conversion: bool,
    inserted: BTreeMap<Vec<u8>, Stored>,
    unsettled: Unsettled,
    run: &'a mut Run<'r>,
}

impl<'v> TableMerger<'_, '_, 'v> {
    fn merge(mut self) -> Result<()> {
        match self.puller()? {
            Some(puller) => {
                let may_help = self.run.options.helps;
                pulled::for_each(puller, may_help, |Pulled { theirs, ours }| {
                    self.merge_changes(ours.as_ref(), Some(&theirs))
                })?;
            }
            None => self.merge_streams()?,
        }
        let settled = self.merge_unsettled()?;
        if self.table.is_rebuilt || self.needs_conversion || self.plan.brings_back() {
            self.rewrite_others(&settled)?;
        }
        Ok(())
    }

    /// What finds the changes where only those of the source count, and the target can be asked
    /// for their keys.
    fn puller(&self) -> Result<Option<Puller>> {
        if self.plan.theirs_dropped_columns() {
            return Ok(None);
        }
        let (pager, key) = (self.run.pager, &self.table.shape);
        let is_keyed = self.sides.ours.is_none_or(|ours| ours.shape.has_key_of(key));
        let theirs = self.sides.changes(pager, key, self.sides.theirs)?;
        Ok(theirs.filter(|theirs| is_keyed && theirs.are_of_trees()).map(|theirs| {
            // A target that has the table has a tree for it, if only an empty one.
            let none = Tree::new(theirs.tree_kind());
            let ours = self.sides.ours.map(|ours| ours.tree.unwrap_or(&none));
            Puller::new(pager, theirs, ours)
        }))
    }

    /// Both sides' changes side by side.
    fn merge_streams(&mut self) -> Result<()> {
        let (pager, key) = (self.run.pager, &self.table.shape);
        let mut theirs = Stream::new(self.sides.changes(pager, key, self.sides.theirs)?)?;
        let follows_ours = theirs.next.is_some() || self.plan.theirs_dropped_columns();
        let changes =
            if follows_ours { self.sides.changes(pager, key, self.sides.ours)? } else { None };
        let mut ours = Stream::new(changes)?;
        loop {
            let order = match (&ours.next, &theirs.next) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.key.cmp(&right.key),
            };
            if order == Ordering::Less
                && theirs.next.is_none()
                && !self.plan.theirs_dropped_columns()
            {
                break;
            }
            let left = if order == Ordering::Greater { None } else { ours.take()? };
            let right = if order == Ordering::Less { None } else { theirs.take()? };
            self.merge_changes(left.as_ref(), right.as_ref())?;
        }
        Ok(())
    }

    /// What both sides did to one row.
    fn merge_changes(
        &mut self,
        ours: Option<&RawChange>,
        theirs: Option<&RawChange>,
    ) -> Result<()> {
        self.run.step()?;
        let key = ours.or(theirs).map(|change| change.key.as_slice());
        if key.is_some_and(|key| self.unsettled.rows.contains_key(key)) {
            return Ok(());
        }
        match (ours, theirs) {
            (Some(ours), None) => self.only_ours(ours),
            (None, Some(theirs)) => self.only_theirs(theirs),
            (Some(ours), Some(theirs)) => self.both(ours, theirs),
            (None, None) => Ok(()),
        }
    }

    /// Rows that the base does not settle: the two sides are compared, whatever they changed.
    /// Returns their keys.
    fn merge_unsettled(&mut self) -> Result<BTreeSet<Vec<u8>>> {
        let rows = std::mem::take(&mut self.unsettled.rows);
        let find = |merger: &Self, side: Option<TableVersion<'_>>, key: &[u8]| {
            let Some(tree) = side.and_then(|side| side.tree) else { return Ok(None) };
            let bytes = tree.get(merger.run.pager, key)?;
            read(side, bytes.map(|bytes| Stored { key: key.to_vec(), bytes }).as_ref())
        };
        for (key, columns) in &rows {
            self.run.step()?;
            let ours = find(self, self.sides.ours, key)?;
            let theirs = find(self, self.sides.theirs, key)?;
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => {
                    let base = find(self, self.sides.base, key)?;
                    let merged = match &base {
                        Some(base) => {
                            let unsettled = |column| columns.contains(&column);
                            self.plan.merge_with(base, &ours, &theirs, &unsettled)
                        }
                        None => self.plan.merge_inserted(&ours, &theirs),
                    };
                    self.finish_row(key, &ours, merged)?;
                }
                (None, None) => {}
                (ours, theirs) => {
                    self.deleted_and_changed(key, None, ours.as_ref(), theirs.as_ref())?;
                }
            }
        }
        Ok(rows.into_keys().collect())
    }

    /// The target's rows that the source did not touch, in a table that is written anew; those
    /// that are `settled` have been merged.
    fn rewrite_others(&mut self, settled: &BTreeSet<Vec<u8>>) -> Result<()> {
        let pager = self.run.pager;
        let Some(version) = self.sides.ours else { return Ok(()) };
        let key = &self.table.shape;
        let mut theirs = self.sides.changes(pager, key, self.sides.theirs)?;
        // In the order of their stored keys the rows may stand in another order than that of the
        // merged keys, so what the source touched is a set here, not a stream.
        let mut touched = BTreeSet::new();
        while let Some(change) = theirs.as_mut().map(Changes::next_change).transpose()?.flatten() {
            touched.insert(change.key);
        }
        let kept = self.rows_to_bring_back()?;
        for_each_row(pager, version, |stored| {
            let merged_key = rekey(key, version.shape, &stored)?;
            if touched.contains(&merged_key) || settled.contains(&merged_key) {
                return Ok(());
            }
            self.run.step()?;
            let ours = version.shape.decode(&stored.key, &stored.bytes)?;
            let mut row = self.plan.ours_row(&ours);
            if let Some(theirs) = kept.find(pager, &merged_key)? {
                self.plan.bring_back(&theirs, &mut row);
            }
            self.put(&merged_key, Some(&ours), row)
        })
    }

    /// The source's rows, where cells of them come back to rows that it did not touch.
    fn rows_to_bring_back(&self) -> Result<Kept<'v>> {
        let Some(theirs) = self.sides.theirs.filter(|_| self.plan.brings_back()) else {
            return Ok(Kept::None);
        };
        let key = &self.table.shape;
        if theirs.shape.has_key_of(key) {
            return Ok(Kept::Stored(theirs));
        }
        let mut rows = BTreeMap::new();
        for_each_row(self.run.pager, theirs, |stored| {
            let merged_key = rekey(key, theirs.shape, &stored)?;
            rows.insert(merged_key, theirs.shape.decode(&stored.key, &stored.bytes)?);
            Ok(())
        })?;
        Ok(Kept::Sorted(rows))
    }

    /// A row that only the target changed stays, unless it edits a cell that the source dropped.
    fn only_ours(&mut self, change: &RawChange) -> Result<()> {
        if !self.plan.theirs_dropped_columns() {
            return Ok(());
        }
        let base = read(self.sides.base, change.old.as_ref())?;
        let ours = read(self.sides.ours, change.new.as_ref())?;
        let (Some(base), Some(ours), Some(theirs)) = (base, ours, self.sides.theirs) else {
            return Ok(());
        };
        // The source's row is the base's, by the source's shape.
        let Some(stored) = &change.old else { return Ok(()) };
        let theirs = theirs.shape.decode(&stored.key, &stored.bytes)?;
        let merged = self.plan.merge(&base, &ours, &theirs);
        let dropped = merged.conflicts.into_iter().filter(|conflict| conflict.index.is_none());
        for conflict in dropped {
            self.cell_conflict(&change.key, &ours, conflict)?;
        }
        Ok(())
    }

    fn only_theirs(&mut self, change: &RawChange) -> Result<()> {
        let base = read(self.sides.base, change.old.as_ref())?;
        let theirs = read(self.sides.theirs, change.new.as_ref())?;
        match (base, theirs) {
            (None, Some(theirs)) => self.insert_theirs(change, &theirs),
            (Some(base), None) => {
                let ours = if self.plan.is_plain() {
                    Some(base)
                } else {
                    read(self.sides.ours, change.old.as_ref())?
                };
                self.delete(&change.key, ours.as_ref())
            }
            (Some(base), Some(mut theirs))
                if self.plan.is_plain()
                    && self.followers.is_empty()
                    && !(self.table.is_rebuilt || self.needs_conversion) =>
            {
                if !self.plan.take_theirs(&base, &mut theirs) {
                    return Ok(());
                }
                self.run.report.table(&self.table.shape).updated += 1;
                let (key, row, old) = (change.key.clone(), theirs, Some(base));
                self.run.target.apply(&self.table.shape, RowChange::Update { key, row, old })
            }
            (Some(base), Some(theirs)) => {
                // The target's row is the base's, by the target's shape.
                let ours = read(self.sides.ours, change.old.as_ref())?;
                let Some(ours) = ours else { return Ok(()) };
                let theirs = self.follow(Some(&base), theirs);
                self.merge_all(&change.key, &base, &ours, &theirs)
            }
            (None, None) => Ok(()),
        }
    }

    fn insert_theirs(&mut self, change: &RawChange, theirs: &Row) -> Result<()> {
        let theirs = self.follow(None, theirs.clone());
        if let Some(stored) = self.same_row_of_ours(&theirs)? {
            // The same row under another rowid: the target's rowid stays.
            self.run.target.renumbered(&self.table.shape, &change.key, &stored.key)?;
            let ours = read(self.sides.ours, Some(&stored))?;
            if let Some(ours) = ours {
                return self.merge_inserted(&stored.key, &ours, &theirs);
            }
        }
        let row = self.plan.theirs_row(&theirs);
        let key = self.key_after_follow(&change.key, &row)?;
        self.put(&key, None, row)
    }

    /// The row that the target inserted with the same declared primary key.
    fn same_row_of_ours(&self, theirs: &Row) -> Result<Option<Stored>> {
        let Some(version) = self.sides.theirs.filter(|_| self.table.has_hidden_key()) else {
            return Ok(None);
        };
        let key = version.shape.key_of_columns(&self.table.shape.primary_key, theirs)?;
        Ok(self.inserted.get(&key).cloned())
    }

    fn both(&mut self, left: &RawChange, right: &RawChange) -> Result<()> {
        let base = read(self.sides.base, left.old.as_ref().or(right.old.as_ref()))?;
        let ours = read(self.sides.ours, left.new.as_ref())?;
        let theirs = read(self.sides.theirs, right.new.as_ref())?;
        let theirs = theirs.map(|theirs| self.follow(base.as_ref(), theirs));
        match (base, ours, theirs) {
            (Some(base), Some(ours), Some(theirs)) => {
                self.merge_all(&left.key, &base, &ours, &theirs)
            }
            (None, Some(ours), Some(theirs)) => {
                self.both_inserted(right, &left.key, &ours, &theirs)
            }
            (Some(base), None, Some(theirs)) => {
                if self.has_changed(Side::Theirs, &base, &theirs) {
                    return self.deleted_and_changed(&left.key, Some(&base), None, Some(&theirs));
                }
                Ok(())
            }
            (Some(base), Some(ours), None) => {
                if self.has_changed(Side::Ours, &base, &ours) {
                    return self.deleted_and_changed(&left.key, Some(&base), Some(&ours), None);
                }
                self.delete(&left.key, Some(&ours))
            }
            // Both deleted it, or it came and went.
            _ => Ok(()),
        }
    }

    fn has_changed(&self, side: Side, base: &Row, row: &Row) -> bool {
        let version = match side {
            Side::Ours => self.sides.ours,
            Side::Theirs => self.sides.theirs,
        };
        version.is_some_and(|version| self.plan.has_changed(side, base, row, version.shape))
    }

    fn both_inserted(
        &mut self,
        change: &RawChange,
        key: &[u8],
        ours: &Row,
        theirs: &Row,
    ) -> Result<()> {
        let merged = self.plan.merge_inserted(ours, theirs);
        if merged.conflicts.is_empty() || !self.are_two_rows(&merged) {
            return self.finish_row(key, ours, merged);
        }
        // Two rows under one rowid: the source's gets another one.
        if let Some(stored) = self.same_row_of_ours(theirs)? {
            self.run.target.renumbered(&self.table.shape, &change.key, &stored.key)?;
            let same = read(self.sides.ours, Some(&stored))?;
            if let Some(same) = same {
                return self.merge_inserted(&stored.key, &same, theirs);
            }
        }
        let old = rowid_from_key(&change.key)?;
        let rowid = match self.numbers.get(self.table.shape.id, old) {
            Some(rowid) => rowid,
            None => self.next_rowid()?,
        };
        let mut row = self.plan.theirs_row(theirs);
        let alias = self.table.shape.alias().and_then(|alias| self.table.shape.index_of(alias));
        if let Some(cell) = alias.and_then(|index| row.get_mut(index)) {
            *cell = Value::Integer(rowid);
        }
        self.run.report.table(&self.table.shape).renumbered += 1;
        self.run.target.renumbered(&self.table.shape, &change.key, &rowid_key(rowid))?;
        if matches!(self.table.shape.key, KeyShape::Rowid { autoincrement: true, .. }) {
            self.run.target.raise_counter(&self.table.shape, rowid)?;
        }
        if self.table.is_rebuilt {
            let kept = self.plan.ours_row(ours);
            self.put(key, Some(ours), kept)?;
        }
        self.put(&rowid_key(rowid), None, row)
    }

    /// Whether rows that both inserted under one key have nothing to do with each other.
    fn are_two_rows(&self, merged: &MergedRow) -> bool {
        let shape = &self.table.shape;
        match shape.key {
            KeyShape::Columns(_) => false,
            KeyShape::Rowid { alias: Some(_), .. } => self.run.options.renumber,
            // Where a primary key is declared beside the rowid, it tells.
            KeyShape::Rowid { alias: None, .. } => {
                shape.primary_key.is_empty()
                    || merged.conflicts.iter().any(|conflict| {
                        shape.primary_key.iter().any(|key| key.column == conflict.column)
                    })
            }
        }
    }

    fn next_rowid(&mut self) -> Result<i64> {
        let free = match &mut self.free {
            Some(free) => free,
            none => none.insert(FreeRowids::new(self.run.pager, &self.sides.all())?),
        };
        free.next(&self.table.shape.name)
    }

    fn merge_inserted(&mut self, key: &[u8], ours: &Row, theirs: &Row) -> Result<()> {
        let merged = self.plan.merge_inserted(ours, theirs);
        self.finish_row(key, ours, merged)
    }

    fn merge_all(&mut self, key: &[u8], base: &Row, ours: &Row, theirs: &Row) -> Result<()> {
        let merged = self.plan.merge(base, ours, theirs);
        self.finish_row(key, ours, merged)
    }

    /// Resolves what can be resolved and gives the row to the target.
    fn finish_row(&mut self, key: &[u8], ours: &Row, merged: MergedRow) -> Result<()> {
        let MergedRow { mut row, conflicts } = merged;
        for conflict in conflicts {
            let index = conflict.index;
            let resolved = self.cell_conflict(key, ours, conflict)?;
            if let (Some(index), Some(value)) = (index, resolved) {
                row[index] = value;
            }
        }
        self.put(key, Some(ours), row)
    }

    /// Resolves a cell or reports it; returns the value that the cell gets, if another one.
    fn cell_conflict(
        &mut self,
        key: &[u8],
        ours_row: &Row,
        conflict: CellConflict,
    ) -> Result<Option<Value>> {
        let shape = &self.table.shape;
        let address =
            ConflictKey { object: shape.id, scope: Scope::Cell(key.to_vec(), conflict.column) };
        let affinity = shape.column(conflict.column).map(|column| column.affinity);
        let resolved = match self.run.options.pick(&address) {
            Some(Pick::Ours) => Some(conflict.ours.clone()),
            Some(Pick::Theirs) => Some(conflict.theirs.clone()),
            Some(Pick::Base) => Some(conflict.base.clone()),
            Some(Pick::Cell(value)) => {
                Some(Some(affinity.map_or(value.clone(), |affinity| affinity.convert(value))))
            }
            Some(Pick::Row(cells)) => {
                let cell = cells.into_iter().find(|(column, _)| *column == conflict.column);
                cell.map(|(_, value)| Some(value))
            }
            Some(Pick::Delete) | None => None,
        };
        if let Some(value) = resolved {
            self.run.report.table(shape).resolved += 1;
            return Ok(Some(value.unwrap_or_default()));
        }
        let name = self.column_name(conflict.column);
        let (kind, detail) = match conflict.index {
            Some(_) if conflict.base.is_none() => (
                ConflictKind::Data,
                format!("both branches inserted the row, with different values of {name}"),
            ),
            Some(_) => {
                (ConflictKind::Data, format!("both branches changed {name}, to different values"))
            }
            None if conflict.ours.is_none() => (
                ConflictKind::DeleteModify,
                format!("the target dropped the column {name}, the source changed it in this row"),
            ),
            None => (
                ConflictKind::DeleteModify,
                format!("the source dropped the column {name}, the target changed it in this row"),
            ),
        };
        let row = self.plan.ours_row(ours_row);
        let row_key = shape.key_values(key, Some(&row))?;
        let one = |value: Option<Value>| value.map(|value| vec![value]);
        self.run.conflict(Conflict {
            key: address,
            kind,
            object_kind: ObjectKind::Table,
            object_name: shape.name.clone(),
            column_name: Some(name.clone()),
            columns: vec![name],
            row_key,
            base: one(conflict.base),
            ours: one(conflict.ours),
            theirs: one(conflict.theirs),
            detail,
        })?;
        Ok(None)
    }

    fn column_name(&self, id: ColumnId) -> String {
        let base = self.sides.base.map(|base| base.shape);
        let column = self.table.shape.column(id).or_else(|| base?.column(id));
        column.map_or_else(String::new, |column| column.name.clone())
    }

    /// A row that one side deleted and the other changed.
    fn deleted_and_changed(
        &mut self,
        key: &[u8],
        base: Option<&Row>,
        ours: Option<&Row>,
        theirs: Option<&Row>,
    ) -> Result<()> {
        let shape = &self.table.shape;
        let address = ConflictKey { object: shape.id, scope: Scope::Row(key.to_vec()) };
        let base = base.map(|row| self.plan.base_row(row));
        let (ours_row, ours) = (ours, ours.map(|row| self.plan.ours_row(row)));
        let theirs = theirs.map(|row| self.plan.theirs_row(row));
        let resolved = match self.run.options.pick(&address) {
            Some(Pick::Ours) => Some(ours.clone()),
            Some(Pick::Theirs) => Some(theirs.clone()),
            Some(Pick::Base) => Some(base.clone()),
            Some(Pick::Delete) => Some(None),
            Some(Pick::Row(cells)) => {
                let mut row = ours.clone().or_else(|| theirs.clone()).unwrap_or_default();
                for (column, value) in cells {
                    if let Some(index) = shape.index_of(column) {
                        row[index] = shape.columns[index].affinity.convert(value);
                    }
                }
                Some(Some(row))
            }
            Some(Pick::Cell(_)) | None => None,
        };
        if let Some(resolved) = resolved {
            self.run.report.table(shape).resolved += 1;
            return match resolved {
                Some(row) => self.put(key, ours_row, row),
                None if ours.is_some() => self.delete(key, ours_row),
                None => Ok(()),
            };
        }
        let detail = if ours.is_none() {
            "the target deleted the row, the source changed it"
        } else {
            "the source deleted the row, the target changed it"
        };
        let row_key = shape.key_values(key, ours.as_deref().or(theirs.as_deref()))?;
        self.run.conflict(Conflict {
            key: address,
            kind: ConflictKind::DeleteModify,
            object_kind: ObjectKind::Table,
            object_name: shape.name.clone(),
            column_name: None,
            columns: shape.columns.iter().map(|column| column.name.clone()).collect(),
            row_key,
            base,
            ours,
            theirs,
            detail: detail.into(),
        })
    }

    /// The source's row with the new rowids of the rows that it refers to.
    fn follow(&self, base: Option<&Row>, mut theirs: Row) -> Row {
        let Some(version) = self.sides.theirs else { return theirs };
        for follower in self.followers {
            let Some(index) = version.shape.index_of(follower.column) else { continue };
            let before = self.sides.base.and_then(|base| base.shape.index_of(follower.column));
            let before = base.and_then(|row| row.get(before?));
            if before == theirs.get(index) {
                // As before the branches parted: it cannot mean a row that came later.
                continue;
            }
            if let Some(value) = self.numbers.follow(follower.parent, &theirs[index]) {
                theirs[index] = value;
            }
        }
        theirs
    }

    /// The key of a row that was inserted: a new one if a column of it followed a renumbered row.
    fn key_after_follow(&self, key: &[u8], row: &Row) -> Result<Vec<u8>> {
        let shape = &self.table.shape;
        let is_followed = self.followers.iter().any(|follower| match &shape.key {
            KeyShape::Columns(columns) => {
                columns.iter().any(|column| column.column == follower.column)
            }
            KeyShape::Rowid { alias, .. } => *alias == Some(follower.column),
        });
        if is_followed { shape.key_of(row) } else { Ok(key.to_vec()) }
    }

    fn delete(&mut self, key: &[u8], ours: Option<&Row>) -> Result<()> {
        self.run.report.table(&self.table.shape).deleted += 1;
        if self.table.is_rebuilt {
            return Ok(());
        }
        // Converted cells are not those that the target's indexes have.
        let ours = ours.filter(|_| !self.needs_conversion);
        let (key, old) = (key.to_vec(), ours.map(|row| self.plan.ours_row(row)));
        self.run.target.apply(&self.table.shape, RowChange::Delete { key, old })
    }

    /// Gives a row to the target, if it is not what the target has.
    fn put(&mut self, key: &[u8], ours: Option<&Row>, row: Row) -> Result<()> {
        let shape = &self.table.shape;
        let key = key.to_vec();
        let change = match ours {
            None => {
                self.run.report.table(shape).inserted += 1;
                RowChange::Insert { key, row }
            }
            Some(ours) => {
                let before = self.plan.ours_row(ours);
                if !is_same_row(&before, &row) {
                    self.run.report.table(shape).updated += 1;
                } else if !(self.table.is_rebuilt
                    || self.plan.computes_anew()
                    || self.needs_conversion && *ours != row)
                {
                    return Ok(());
                }
                if self.table.is_rebuilt {
                    RowChange::Insert { key, row }
                } else {
                    let old = (!self.needs_conversion).then_some(before);
                    RowChange::Update { key, row, old }
                }
            }
        };
        self.run.target.apply(shape, change)
    }
}

fn read(side: Option<TableVersion<'_>>, stored: Option<&Stored>) -> Result<Option<Row>> {
    match (side, stored) {
        (Some(side), Some(stored)) => side.shape.decode(&stored.key, &stored.bytes).map(Some),
        _ => Ok(None),
    }
}
