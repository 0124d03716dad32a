//! Rowids that both sides gave to rows of their own.
//!
//! On request, a row that the source inserted under a rowid which the target gave to another row
//! gets a new one, and the source's rows that refer to it by a declared foreign key follow. All
//! new numbers are known before the first row is merged, so the order of tables (and circles of
//! foreign keys) do not matter. Only rows that the source inserted or changed can mean such a
//! row: it did not exist before. Neighbours: `rows` asks for the numbers.

use std::collections::BTreeMap;

use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::record::key::rowid_from_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Cursor;

use super::cells::Plan;
use super::references::{Follower, References};
use super::same::{Other, Same};
use super::schema::SchemaMerge;
use super::sides::Sides;
use super::{Run, Versions};
use crate::diff::TableVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::shape::ObjectId;
use crate::shape::row::Row;

/// The new rowids of one table, by the source's.
pub(crate) type NewRowids = BTreeMap<i64, i64>;

/// All new rowids, and those that rows had before.
#[derive(Debug)]
pub(crate) struct Numbers<'s> {
    pub(crate) same: &'s Same,
    tables: BTreeMap<ObjectId, NewRowids>,
    references: References,
}

impl Numbers<'_> {
    /// The new rowid of the source's row `rowid`.
    pub(crate) fn get(&self, table: ObjectId, rowid: i64) -> Option<i64> {
        self.tables.get(&table)?.get(&rowid).copied()
    }

    /// The columns of `table` whose values refer to renumbered rows, with those rows' table.
    pub(crate) fn followers(&self, table: ObjectId) -> &[Follower] {
        self.references.of_table(table)
    }

    /// The new value of a cell that refers to a row of the source.
    pub(crate) fn follow(&self, parent: ObjectId, cell: &Value) -> Option<Value> {
        match cell {
            Value::Integer(rowid) => self.get(parent, *rowid).map(Value::Integer),
            _ => None,
        }
    }
}

/// The source's row with the new rowids of the rows that it refers to; `base` is the row as it was.
pub(crate) fn follow_row(
    numbers: &Numbers<'_>,
    sides: &Sides<'_>,
    base: Option<&Row>,
    mut theirs: Row,
) -> Row {
    let Some(version) = sides.theirs else { return theirs };
    for follower in numbers.followers(version.shape.id) {
        let Some(index) = version.shape.index_of(follower.column) else { continue };
        let before = sides.base.and_then(|base| base.shape.index_of(follower.column));
        let before = base.and_then(|row| row.get(before?));
        if before == theirs.get(index) {
            // As before the branches parted: it cannot mean a row that came later.
            continue;
        }
        if let Some(value) = numbers.follow(follower.parent, &theirs[index]) {
            theirs[index] = value;
        }
    }
    theirs
}

/// Hands out rowids that neither side has used.
#[derive(Debug)]
pub(crate) struct FreeRowids {
    last: i64,
}

impl FreeRowids {
    /// Those beyond `floor` and all that the versions have.
    pub(crate) fn new(
        pager: &Arc<Pager>,
        sides: &[Option<TableVersion<'_>>],
        floor: i64,
    ) -> Result<Self> {
        let mut last = floor.max(0);
        for tree in sides.iter().flatten().filter_map(|version| version.tree) {
            let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
            if cursor.last()? {
                last = last.max(rowid_from_key(&cursor.key())?);
            }
        }
        Ok(Self { last })
    }

    /// The one that was handed out last.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    pub(crate) fn next(&mut self, table: &str) -> Result<i64> {
        self.last = self.last.checked_add(1).ok_or_else(|| {
            let message = format!("all rowids of {table} are used up");
            let hint = "delete the row with the greatest rowid on both branches";
            Error::new(ErrorKind::Limit, message).with_hint(hint)
        })?;
        Ok(self.last)
    }
}

/// Finds the rows that have to be renumbered.
pub(crate) fn plan<'s>(
    run: &mut Run<'_>,
    versions: &Versions<'_>,
    merged: &SchemaMerge,
    same: &'s Same,
) -> Result<Numbers<'s>> {
    let references = References::default();
    let mut numbers = Numbers { same, tables: BTreeMap::new(), references };
    if !run.options.renumber {
        return Ok(numbers);
    }
    numbers.references = References::of(merged);
    for table in &merged.tables {
        if table.is_blocked || table.is_rebuilt || table.shape.alias().is_none() {
            continue;
        }
        if numbers.references.is_key(&table.shape) {
            // Its rows have the numbers of those that they refer to.
            continue;
        }
        let (Some(ours), Some(theirs)) = (&table.ours, &table.theirs) else { continue };
        let plan = Plan::new(&table.shape, table.base.as_ref(), Some(ours), Some(theirs), true);
        let sides = Sides::new(versions, table).told_apart(same);
        let mut free: Option<FreeRowids> = None;
        let mut found = NewRowids::new();
        sides.for_each_pair(run.pager, &table.shape, |left, right| {
            let (None, Some(left), None, Some(right)) =
                (&left.old, &left.new, &right.old, &right.new)
            else {
                return Ok(());
            };
            let row = ours.decode(&left.key, &left.bytes)?;
            let mut other = theirs.decode(&right.key, &right.bytes)?;
            same.follow(Other::Theirs, theirs, &mut other);
            if plan.merge_inserted(&row, &other).conflicts.is_empty() {
                return Ok(());
            }
            let free = match &mut free {
                Some(free) => free,
                none => {
                    let floor = same.floor(table.shape.id);
                    none.insert(FreeRowids::new(run.pager, &sides.all(), floor)?)
                }
            };
            found.insert(rowid_from_key(&right.key)?, free.next(&table.shape.name)?);
            Ok(())
        })?;
        if !found.is_empty() {
            numbers.tables.insert(table.shape.id, found);
        }
    }
    let Numbers { tables, references, .. } = &mut numbers;
    references.keep(&|parent| tables.contains_key(&parent));
    Ok(numbers)
}
