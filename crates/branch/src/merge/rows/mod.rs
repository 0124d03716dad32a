//! The rows of one table: what each side changed, side by side in the order of the keys.
//!
//! As a rule the changes of the source are pulled, each with what the target has in its place.
//! Where a key changed or columns went, two streams of changes (base to ours, base to theirs) are
//! pulled together. Either way the work follows what changed, and little is held beside the rows
//! that are looked at. Only a table that has to be written anew (its primary key changed on the
//! source, or a column's type) is read whole. Here the changes are found; `pairs` knows what two of
//! one row come to, `resolved` what becomes of conflicts, `written` gives rows to the target.
//! Neighbours: `pulled` and `sides` find the changes, `cells` merges one row, `renumber` knows new
//! rowids.

mod pairs;
mod resolved;
mod written;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::cells::Plan;
use super::conflict::{ConflictKey, Scope};
use super::pulled::{self, Pulled, Puller};
use super::references::Follower;
use super::renumber::{FreeRowids, Numbers};
use super::same::Other;
use super::sides::{Sides, Stream};
use super::{MergedTable, Run, Versions};
use crate::diff::TableVersion;
use crate::diff::source::RawChange;
use crate::error::{Error, Result};
use crate::shape::row::{Row, Stored};
use crate::shape::{ColumnId, ObjectId};

/// Merges the rows of a table.
pub(crate) fn merge_table(
    run: &mut Run<'_>,
    versions: &Versions<'_>,
    table: &MergedTable,
    numbers: &Numbers<'_>,
) -> Result<()> {
    if table.theirs.is_none() && table.ours.as_ref() == Some(&table.shape) {
        // The source never had it (or dropped it, and the target keeps it): nothing to take.
        return Ok(());
    }
    let followers = numbers.followers(table.shape.id);
    let follows = numbers.same.follows(table.shape.id);
    let is_new = table.base.is_none() && table.ours.is_none();
    if is_new && followers.is_empty() && !follows && run.target.adopt_table(&table.shape)? {
        return Ok(());
    }
    let sides = Sides::new(versions, table).told_apart(numbers.same);
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
        follows,
        free: None,
        needs_conversion,
        inserted,
        unsettled: Unsettled::of(&run.unsettled, table.shape.id),
        is_unsettled: false,
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
            if !ours.lacks_key(&row) {
                let key = ours.key_of_columns(&table.shape.primary_key, &row)?;
                inserted.insert(key, stored);
            }
        }
    }
    Ok(inserted)
}

/// The rows of a table that the base does not settle.
#[derive(Default)]
struct Unsettled {
    rows: BTreeMap<Vec<u8>, UnsettledRow>,
}

/// What the base does not settle in a row, beside whether it is there.
#[derive(Default)]
struct UnsettledRow {
    /// The columns it is about.
    columns: BTreeSet<ColumnId>,
    /// Whether it is about all: the cells of the base break a constraint together, or one of those
    /// that it is made of lacks the row. Who deleted it may have stored it anew since.
    is_whole: bool,
}

impl Unsettled {
    fn of(keys: &BTreeSet<ConflictKey>, table: ObjectId) -> Self {
        let mut rows: BTreeMap<Vec<u8>, UnsettledRow> = BTreeMap::new();
        for key in keys.iter().filter(|key| key.object == table) {
            match &key.scope {
                Scope::Cell(row, column) => {
                    rows.entry(row.clone()).or_default().columns.insert(*column);
                }
                Scope::Row(row) | Scope::Broken(row, _) => {
                    rows.entry(row.clone()).or_default().is_whole = true;
                }
                Scope::Schema(_) => {}
            }
        }
        Self { rows }
    }
}

struct TableMerger<'a, 'r, 'v> {
    table: &'a MergedTable,
    plan: Plan,
    sides: Sides<'v>,
    numbers: &'a Numbers<'a>,
    followers: &'a [Follower],
    /// Whether rows refer to others that the base or the source call otherwise.
    follows: bool,
    free: Option<FreeRowids>,
    needs_conversion: bool,
    inserted: BTreeMap<Vec<u8>, Stored>,
    unsettled: Unsettled,
    /// Whether the rows at hand are of those.
    is_unsettled: bool,
    run: &'a mut Run<'r>,
}

impl TableMerger<'_, '_, '_> {
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
        let others = self.needs_conversion || self.plan.brings_back() || self.plan.stores_anew();
        if self.table.is_rebuilt || others {
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
        let theirs = self.sides.changes_of_theirs(pager, key)?;
        Ok(theirs.filter(|theirs| is_keyed && theirs.are_of_trees()).map(|theirs| {
            // A target that has the table has a tree for it, if only an empty one.
            let none = Tree::new(theirs.tree_kind());
            let ours = self.sides.ours.map(|ours| ours.tree.unwrap_or(&none));
            let reads_alike = self.sides.ours.zip(self.sides.base);
            let reads_alike =
                reads_alike.is_none_or(|(ours, base)| ours.shape.reads_alike(base.shape));
            Puller::new(pager, theirs, ours, reads_alike)
        }))
    }

    /// Both sides' changes side by side.
    fn merge_streams(&mut self) -> Result<()> {
        let (pager, key) = (self.run.pager, &self.table.shape);
        let mut theirs = Stream::new(self.sides.changes_of_theirs(pager, key)?)?;
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
            (None, Some(theirs)) if self.follows && theirs.old.is_some() => {
                // What has the bytes of the base may refer to another row.
                let (key, old) = (theirs.key.clone(), theirs.old.clone());
                self.both(&RawChange { key, old: old.clone(), new: old }, theirs)
            }
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
            Ok::<_, Error>(bytes.map(|bytes| Stored { key: key.to_vec(), bytes }))
        };
        self.is_unsettled = true;
        for (key, unsettled) in &rows {
            self.run.step()?;
            let ours = read(self.sides.ours, find(self, self.sides.ours, key)?.as_ref())?;
            let theirs = self.read_theirs(find(self, self.sides.theirs, key)?.as_ref())?;
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => {
                    let base = self.read_base(find(self, self.sides.base, key)?.as_ref())?;
                    let merged = match &base {
                        Some(base) => {
                            let is_unsettled =
                                |column| unsettled.is_whole || unsettled.columns.contains(&column);
                            self.plan.merge_with(base, &ours, &theirs, &is_unsettled)
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
        self.is_unsettled = false;
        Ok(rows.into_keys().collect())
    }
}

impl TableMerger<'_, '_, '_> {
    /// A row of the base, with what the target calls the rows that it refers to.
    fn read_base(&self, stored: Option<&Stored>) -> Result<Option<Row>> {
        self.read_other(Other::Base, self.sides.base, stored)
    }

    /// A row of the source likewise.
    fn read_theirs(&self, stored: Option<&Stored>) -> Result<Option<Row>> {
        self.read_other(Other::Theirs, self.sides.theirs, stored)
    }

    fn read_other(
        &self,
        other: Other,
        side: Option<TableVersion<'_>>,
        stored: Option<&Stored>,
    ) -> Result<Option<Row>> {
        let mut row = read(side, stored)?;
        if let (true, Some(side), Some(row)) = (self.follows, side, &mut row) {
            self.numbers.same.follow(other, side.shape, row);
        }
        Ok(row)
    }
}

fn read(side: Option<TableVersion<'_>>, stored: Option<&Stored>) -> Result<Option<Row>> {
    match (side, stored) {
        (Some(side), Some(stored)) => side.shape.decode(&stored.key, &stored.bytes).map(Some),
        _ => Ok(None),
    }
}
