//! Rowids that both sides gave to rows of their own.
//!
//! On request, a row that the source inserted under a rowid which the target gave to another row
//! gets a new one, and the source's rows that refer to it by a declared foreign key follow. All
//! new numbers are known before the first row is merged, so the order of tables (and circles of
//! foreign keys) do not matter. Only rows that the source inserted or changed can mean such a
//! row: it did not exist before. Neighbours: `rows` asks for the numbers.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Cursor, Tree};

use super::cells::Plan;
use super::references::{Follower, References};
use super::same::{Other, Same};
use super::schema::SchemaMerge;
use super::sides::Sides;
use super::{MergedTable, Run, Versions};
use crate::diff::TableVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::shape::row::Row;
use crate::shape::{Affinity, ColumnShape, KeyShape, ObjectId, TableShape};

/// The new rowids of one table, by the source's.
pub(crate) type NewRowids = BTreeMap<i64, i64>;

/// All new rowids, and those that rows had before.
#[derive(Debug)]
pub(crate) struct Numbers<'s> {
    pub(crate) same: &'s Same,
    tables: BTreeMap<ObjectId, NewRowids>,
    references: References,
    /// The tables whose rows may get other rowids because that was asked for.
    on_request: BTreeSet<ObjectId>,
}

impl Numbers<'_> {
    /// Whether rows of a table get other rowids where both sides gave one. Not where the rowid
    /// refers to another row: under another one the row would be that of another parent.
    pub(crate) fn are_on_request(&self, table: ObjectId) -> bool {
        self.on_request.contains(&table)
    }

    /// The new rowid of the source's row `rowid`.
    pub(crate) fn get(&self, table: ObjectId, rowid: i64) -> Option<i64> {
        self.tables.get(&table)?.get(&rowid).copied()
    }

    /// The new rowids of a table's rows.
    pub(crate) fn of_table(&self, table: ObjectId) -> Option<&NewRowids> {
        self.tables.get(&table)
    }

    /// Rowids for further rows of a table.
    pub(crate) fn free_rowids(
        &self,
        pager: &Arc<Pager>,
        sides: &Sides<'_>,
        table: ObjectId,
    ) -> Result<FreeRowids> {
        let free = FreeRowids::new(pager, &sides.all(), self.same.floor(table))?;
        let planned = self.tables.get(&table).into_iter().flat_map(BTreeMap::values);
        Ok(free.without(self.same.had(table).chain(planned.copied())))
    }

    /// The columns of `table` whose values refer to renumbered rows, with those rows' table.
    pub(crate) fn followers(&self, table: ObjectId) -> &[Follower] {
        self.references.of_table(table)
    }

    /// All columns that refer to renumbered rows.
    pub(crate) fn references(&self) -> impl Iterator<Item = (ObjectId, Follower)> {
        self.references.all()
    }

    /// The new value of a cell that refers to a row of the source.
    pub(crate) fn follow(
        &self,
        parent: ObjectId,
        column: &ColumnShape,
        cell: &Value,
    ) -> Option<Value> {
        // Foreign keys compare as the parent's column does: '1' refers to row 1.
        match Affinity::Integer.convert(cell.clone()) {
            Value::Integer(rowid) => {
                let called = Value::Integer(self.get(parent, rowid)?);
                Some(column.affinity.convert(called))
            }
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
        let column = &version.shape.columns[index];
        if let Some(value) = numbers.follow(follower.parent, column, &theirs[index]) {
            theirs[index] = value;
        }
    }
    theirs
}

/// Hands out rowids that neither side has used: those beyond all that are known, and once the
/// greatest of all is one of them, free ones below it, downwards.
#[derive(Debug)]
pub(crate) struct FreeRowids {
    pager: Arc<Pager>,
    trees: Vec<Tree>,
    /// Rowids of rows that are in none of the trees.
    had: BTreeSet<i64>,
    /// No rowid that is or was used is greater.
    greatest: i64,
    last: i64,
    /// Rowids from here on are used or were handed out.
    below: i64,
    /// Whether AUTOINCREMENT promises that rowids only grow.
    only_grow: bool,
}

impl FreeRowids {
    /// Those beyond `floor` and all that the versions have.
    pub(crate) fn new(
        pager: &Arc<Pager>,
        sides: &[Option<TableVersion<'_>>],
        floor: i64,
    ) -> Result<Self> {
        let mut greatest = floor.max(0);
        let versions = sides.iter().flatten();
        let trees: Vec<Tree> = versions.clone().filter_map(|side| side.tree.cloned()).collect();
        for tree in &trees {
            let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
            if cursor.last()? {
                greatest = greatest.max(rowid_from_key(&cursor.key())?);
            }
        }
        let counts = |key: &KeyShape| matches!(key, KeyShape::Rowid { autoincrement: true, .. });
        let only_grow = versions.clone().any(|side| counts(&side.shape.key));
        let (pager, had) = (Arc::clone(pager), BTreeSet::new());
        Ok(Self { pager, trees, had, greatest, last: greatest, below: greatest, only_grow })
    }

    /// The same without rowids that rows had, or will have, which are in none of the versions.
    pub(crate) fn without(mut self, rowids: impl IntoIterator<Item = i64>) -> Self {
        self.had.extend(rowids);
        self.greatest = self.greatest.max(self.had.last().copied().unwrap_or(0));
        (self.last, self.below) = (self.greatest, self.greatest);
        self
    }

    /// The one that was handed out last.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// The greatest rowid that is or was used, those that were handed out included.
    pub(crate) fn greatest(&self) -> i64 {
        self.greatest
    }

    pub(crate) fn next(&mut self, table: &str) -> Result<i64> {
        if let Some(next) = self.greatest.checked_add(1) {
            (self.greatest, self.last) = (next, next);
            return Ok(next);
        }
        while !self.only_grow && self.below > 1 {
            self.below -= 1;
            if !self.is_used(self.below)? {
                self.last = self.below;
                return Ok(self.last);
            }
        }
        let message = format!("all rowids of {table} are used up");
        let hint = "delete the row with the greatest rowid on both branches";
        Err(Error::new(ErrorKind::Limit, message).with_hint(hint))
    }

    fn is_used(&self, rowid: i64) -> Result<bool> {
        if self.had.contains(&rowid) {
            return Ok(true);
        }
        for tree in &self.trees {
            if tree.contains(&self.pager, &rowid_key(rowid))? {
                return Ok(true);
            }
        }
        Ok(false)
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
    let (tables, on_request) = (BTreeMap::new(), BTreeSet::new());
    let mut numbers = Numbers { same, tables, references, on_request };
    if !run.options.renumber {
        return Ok(numbers);
    }
    numbers.references = References::of(merged);
    // What refers to a renumbered row is no longer equal to the other side's row, so that it may
    // need a number, too.
    let mut plans: Vec<TablePlan<'_>> =
        merged.tables.iter().filter_map(|table| TablePlan::new(versions, table, same)).collect();
    let shapes = merged.tables.iter().map(|table| &table.shape);
    let own = shapes.filter(|shape| !numbers.references.is_key(shape)).map(|shape| shape.id);
    numbers.on_request = own.collect();
    plans.retain(|plan| numbers.on_request.contains(&plan.table.shape.id));
    let mut news: BTreeSet<ObjectId> = plans.iter().map(|plan| plan.table.shape.id).collect();
    let mut is_first = true;
    while !news.is_empty() {
        let before = std::mem::take(&mut news);
        for plan in &mut plans {
            let id = plan.table.shape.id;
            let mut followers = numbers.followers(id).iter();
            if (is_first || followers.any(|follower| before.contains(&follower.parent)))
                && plan.find(run, &mut numbers)?
            {
                news.insert(id);
            }
        }
        is_first = false;
    }
    let Numbers { tables, references, .. } = &mut numbers;
    references.keep(&|parent| tables.contains_key(&parent));
    Ok(numbers)
}

/// A table that rows may be renumbered in.
struct TablePlan<'p> {
    table: &'p MergedTable,
    ours: &'p TableShape,
    theirs: &'p TableShape,
    sides: Sides<'p>,
    plan: Plan,
    free: Option<FreeRowids>,
}

impl<'p> TablePlan<'p> {
    fn new(versions: &Versions<'p>, table: &'p MergedTable, same: &Same) -> Option<Self> {
        if table.is_blocked || table.is_rebuilt || table.shape.alias().is_none() {
            return None;
        }
        let (ours, theirs) = (table.ours.as_ref()?, table.theirs.as_ref()?);
        let plan = Plan::new(&table.shape, table.base.as_ref(), Some(ours), Some(theirs), true);
        let sides = Sides::new(versions, table).told_apart(same);
        Some(Self { table, ours, theirs, sides, plan, free: None })
    }

    /// Gives numbers to rows that collide and have none yet; false if there are no such rows.
    fn find(&mut self, run: &Run<'_>, numbers: &mut Numbers<'_>) -> Result<bool> {
        let Self { table, ours, theirs, sides, plan, free } = self;
        let shape = &table.shape;
        let mut found = NewRowids::new();
        sides.for_each_pair(run.pager, shape, |left, right| {
            let (None, Some(left), None, Some(right)) =
                (&left.old, &left.new, &right.old, &right.new)
            else {
                return Ok(());
            };
            let rowid = rowid_from_key(&right.key)?;
            if numbers.get(shape.id, rowid).is_some() {
                return Ok(());
            }
            let row = ours.decode(&left.key, &left.bytes)?;
            let mut other = theirs.decode(&right.key, &right.bytes)?;
            numbers.same.follow(Other::Theirs, theirs, &mut other);
            let other = follow_row(numbers, sides, None, other);
            if plan.merge_inserted(&row, &other).conflicts.is_empty() {
                return Ok(());
            }
            let free = match &mut *free {
                Some(free) => free,
                none => none.insert(numbers.free_rowids(run.pager, sides, shape.id)?),
            };
            found.insert(rowid, free.next(&shape.name)?);
            Ok(())
        })?;
        let is_new = !found.is_empty();
        if is_new {
            numbers.tables.entry(shape.id).or_default().extend(found);
        }
        Ok(is_new)
    }
}
