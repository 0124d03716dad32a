//! Three-way merge: base, ours (the target) and theirs (the source).
//!
//! ```text
//! schema   pure functions on shapes -> the merged shape, schema conflicts
//! same     base and theirs in ours' numbering, where earlier merges gave rows other rowids
//! rows     base->theirs pulled, with what ours has there -> row changes, conflicts
//! verify   the target looks at what it was given -> broken constraints
//! broken   what was said about these is done, and looked at again -> constraint conflicts
//! ```
//!
//! A merge is one pass that holds nothing but what it looks at (and, where a primary key changed,
//! that one table's keys). It does not write: it tells a [`Target`] what to change and a
//! [`Report`] what it met. The SQL layer's target puts rows through its own machinery (indexes,
//! generated columns, constraints) within one transaction, so a merge is there whole or not at
//! all; it decides by the report's conflicts whether that transaction commits. A dry run is the
//! same merge into a transaction that is rolled back.
//!
//! `docs/merging.md` says what happens for each pair of changes. Neighbours: `schema`, `rows`
//! and `cells` decide, `conflict` and `policy` name, `registry` keeps merges that stay open.

pub mod conflict;
pub mod policy;
pub mod schema;

mod apart;
mod broken;
mod cells;
mod json;
mod pulled;
mod references;
mod renumber;
mod rows;
mod same;
mod sides;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

pub use apart::between;
pub use conflict::{
    BrokenConstraint, Conflict, ConflictKey, ConflictKind, Reference, SchemaPart, Scope, Violation,
};
pub use policy::{Definition, MergeOptions, Pick, Policy, Resolutions, RuleScope};
pub use same::{Known, given_in_between, joined, relate, told_apart};
pub use schema::{Defined, MergedSetting, MergedTable, MergedText, SchemaMerge, TextSource};

use self::same::Same;
use crate::diff::{TableVersion, Version};
use crate::error::Result;
use crate::lineage::numbering::{Numbering, Rowids};
use crate::lineage::ranges::Ranges;
use crate::shape::row::Row;
use crate::shape::{ColumnId, ObjectId, TableShape};

/// What a merge does to a row of the target.
#[derive(Clone, Debug, PartialEq)]
pub enum RowChange {
    /// The row is new.
    Insert {
        /// Where it is stored.
        key: Vec<u8>,
        /// Its cells, in the order of the merged table's columns.
        row: Row,
    },
    /// The row is there and becomes this one.
    Update {
        /// Where it is stored.
        key: Vec<u8>,
        /// Its cells.
        row: Row,
        /// The cells that the target has now, where they are known as they are stored.
        old: Option<Row>,
    },
    /// The row goes.
    Delete {
        /// Where it is stored.
        key: Vec<u8>,
        /// The cells that the target has now, where they are known as they are stored.
        old: Option<Row>,
    },
}

/// Where the merged data goes: implemented by the SQL layer over one transaction on the target.
///
/// Calls come in this order: [`schema`](Target::schema) once; for each table `adopt_table` where
/// the source added it, else `apply` for each row in the order of the keys; `raise_counter`;
/// [`verify`](Target::verify), if there is no conflict so far. Where something was said about what
/// is broken, rows are asked for and applied, and verified again. Uniqueness must not be judged
/// row by row: two rows may swap their values. Triggers do not run and no foreign key cascades.
pub trait Target {
    /// Brings the schema of the target to the merged one: `merge` says for each object whether it
    /// is as the target has it. A table that `is_rebuilt` starts empty: all its rows follow.
    /// Returns what shapes do not show: definitions that cannot be used beside each other.
    ///
    /// Where somebody gave a definition of his own ([`SchemaMerge::defined`]) it is the target
    /// that reads it: it puts what comes of it into the shape of the merged table, or returns the
    /// conflict again, with why the definition does not fit, and blocks the table.
    fn schema(&mut self, merge: &mut SchemaMerge) -> Result<Vec<Conflict>>;

    /// May take a table that only the source has as a whole, by sharing the trees of the source
    /// (its rows and its indexes); false: the rows are to come one by one.
    fn adopt_table(&mut self, table: &TableShape) -> Result<bool> {
        let _ = table;
        Ok(false)
    }

    /// Does one change, keeping the table's indexes; generated columns are computed from the
    /// others, what `row` holds for them means nothing.
    fn apply(&mut self, table: &TableShape, change: RowChange) -> Result<()>;

    /// Is told that a row of the source, which has the key `theirs` there, is `merged` here: its
    /// rowid was taken, or the target has the same row under another one. All rows are there then.
    fn renumbered(&mut self, table: &TableShape, theirs: &[u8], merged: &[u8]) -> Result<()> {
        let _ = (table, theirs, merged);
        Ok(())
    }

    /// Is told that a column refers to rows of which the source has some, or had, under other
    /// rowids, and what these are called in the merge.
    fn refers(&mut self, column: (ObjectId, ColumnId), called: &Arc<Rowids>) {
        let _ = (column, called);
    }

    /// The AUTOINCREMENT counter of a table is at least this.
    fn raise_counter(&mut self, table: &TableShape, value: i64) -> Result<()>;

    /// The row that the target has now under a key of the merged table; what it has for virtual
    /// columns means nothing.
    fn row(&mut self, table: &TableShape, key: &[u8]) -> Result<Option<Row>>;

    /// Looks for NOT NULL, UNIQUE, CHECK and FOREIGN KEY violations among what was touched, and
    /// reports each. Called again, it looks at what it found before and at what was touched since.
    fn verify(&mut self, report: &mut dyn FnMut(BrokenConstraint) -> Result<()>) -> Result<()>;

    /// Is told now and then how many rows were looked at; an error ends the merge.
    fn progress(&mut self, rows: u64) -> Result<()> {
        let _ = rows;
        Ok(())
    }
}

/// How many rows a merge changed in one table, and what it met there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableCounts {
    /// The table's name after the merge.
    pub name: String,
    /// Rows that the target got.
    pub inserted: u64,
    /// Rows that changed.
    pub updated: u64,
    /// Rows that went.
    pub deleted: u64,
    /// Rows of the source that got another rowid.
    pub renumbered: u64,
    /// Conflicts that were resolved by a policy, a rule or a pick.
    pub resolved: u64,
    /// Conflicts that were not, by kind.
    pub conflicts: BTreeMap<ConflictKind, u64>,
}

/// What a merge did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By table; tables without any change or conflict are left out.
    pub tables: BTreeMap<ObjectId, TableCounts>,
    /// Objects of the schema that were added, changed or dropped.
    pub schema_changes: u64,
    /// Schema conflicts that were resolved by a policy, a rule or a pick.
    pub schema_resolved: u64,
    /// Conflicts that were not resolved, by kind, those of the schema included.
    pub conflicts: BTreeMap<ConflictKind, u64>,
    /// Rows that were looked at.
    pub rows: u64,
    /// What rows of the source are called on the target, where that is another rowid: all that are,
    /// not only those of this merge.
    pub numbering: Numbering,
    /// Which rowids of the target are other rows since.
    pub replaced: Numbering,
    /// Of a merge that makes a base: what it does not settle, each row of a broken constraint by
    /// itself. It is the [`MergeOptions::unsettled`] of the merge that has the base.
    pub unsettled: BTreeSet<ConflictKey>,
}

impl Report {
    /// Conflicts that are left.
    pub fn conflict_count(&self) -> u64 {
        self.conflicts.values().sum()
    }

    /// Rows that were inserted, updated or deleted.
    pub fn changed_rows(&self) -> u64 {
        let tables = self.tables.values();
        tables.map(|table| table.inserted + table.updated + table.deleted).sum()
    }

    fn table(&mut self, table: &TableShape) -> &mut TableCounts {
        let counts = self.tables.entry(table.id).or_default();
        if counts.name.is_empty() {
            counts.name.clone_from(&table.name);
        }
        counts
    }

    fn count_conflict(&mut self, conflict: &Conflict) {
        *self.conflicts.entry(conflict.kind).or_default() += 1;
        if conflict.kind != ConflictKind::Schema {
            let counts = self.tables.entry(conflict.key.object).or_default();
            if counts.name.is_empty() {
                counts.name.clone_from(&conflict.object_name);
            }
            *counts.conflicts.entry(conflict.kind).or_default() += 1;
        }
    }
}

/// The three versions of a merge.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a> {
    /// Where the two parted.
    pub base: &'a Version,
    /// The target as it is.
    pub ours: &'a Version,
    /// The source as it is.
    pub theirs: &'a Version,
    /// Which rows of the three are one, where they have different rowids.
    pub known: &'a Known,
}

/// What a merge writes to while it runs.
pub(crate) struct Run<'a> {
    pub(crate) pager: &'a Arc<Pager>,
    pub(crate) options: &'a MergeOptions,
    pub(crate) target: &'a mut dyn Target,
    pub(crate) sink: &'a mut dyn FnMut(Conflict) -> Result<()>,
    pub(crate) report: Report,
    /// The source's keys of rows that have another one in the merge, by that one.
    pub(crate) moved: BTreeMap<ObjectId, BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The rowids under which the target got rows of the source that were not in the base.
    pub(crate) placed: BTreeMap<ObjectId, Ranges>,
    /// What the base does not settle, by the target's keys.
    pub(crate) unsettled: BTreeSet<ConflictKey>,
}

impl Run<'_> {
    pub(crate) fn conflict(&mut self, conflict: Conflict) -> Result<()> {
        self.report.count_conflict(&conflict);
        if self.options.makes_base {
            self.report.unsettled.insert(conflict.key.clone());
        }
        (self.sink)(conflict)
    }

    fn step(&mut self) -> Result<()> {
        const OFTEN: u64 = 1024;
        self.report.rows += 1;
        if self.report.rows.is_multiple_of(OFTEN) {
            self.target.progress(self.report.rows)
        } else {
            Ok(())
        }
    }
}

/// Merges `theirs` into `target`, which is `ours`; every conflict that nothing resolves goes to
/// `sink`. If the report has any, what the target was told is not the merge but only what can be
/// done of it, and must be given up.
///
/// A schema conflict leaves the rows of its table alone: their conflicts are found once it is
/// resolved. So are broken constraints once no other conflict is left.
pub fn merge(
    pager: &Arc<Pager>,
    versions: Versions<'_>,
    options: &MergeOptions,
    target: &mut dyn Target,
    sink: &mut dyn FnMut(Conflict) -> Result<()>,
) -> Result<Report> {
    let mut has_new_rows = |side: cells::Side, old: &TableShape, new: &TableShape| {
        let version = match side {
            cells::Side::Ours => versions.ours,
            cells::Side::Theirs => versions.theirs,
        };
        let (old, new) = (versions.base.table_of(old), version.table_of(new));
        let mut diff = crate::diff::RowDiff::new(pager, old, new)?;
        Ok(diff.next_difference()?.is_some())
    };
    let mut merged = schema::merge_shapes(
        &versions.base.shape,
        &versions.ours.shape,
        &versions.theirs.shape,
        options,
        &mut has_new_rows,
    )?;
    let adapted = options_in_our_ids(options, &merged);
    let options = adapted.as_ref().unwrap_or(options);
    let report = Report::default();
    let (moved, placed, unsettled) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut run = Run { pager, options, target, sink, report, moved, placed, unsettled };
    for conflict in &merged.conflicts {
        run.conflict(conflict.clone())?;
    }
    for conflict in run.target.schema(&mut merged)? {
        run.conflict(conflict)?;
    }
    run.report.schema_changes = merged.changes();
    run.report.schema_resolved = merged.resolved;
    merge_rows(&mut run, &versions, &merged)?;
    Ok(run.report)
}

/// Merges the rows of all tables, and sees what they break.
fn merge_rows(run: &mut Run<'_>, versions: &Versions<'_>, merged: &SchemaMerge) -> Result<()> {
    let same = Same::new(run, versions, merged)?;
    let own = versions;
    let versions = same.versions(own);
    run.unsettled = same.renamed(&run.options.unsettled);
    let numbers = renumber::plan(run, &versions, merged, &same)?;
    for table in &merged.tables {
        if table.is_blocked {
            continue;
        }
        if table.shape.holds_counters {
            merge_counters(run, &versions, merged, table)?;
        } else {
            rows::merge_table(run, &versions, table, &numbers)?;
        }
    }
    same.label(run, own, merged)?;
    same.tell_references(run, &numbers);
    // Where a conflict is left the rows are the target's: what they break beside those of the
    // source would depend on which side is called so. Only of a base all has to be known.
    if run.report.conflict_count() == 0 || run.options.makes_base {
        broken::verify(run, &versions, merged, &numbers)?;
    }
    Ok(())
}

/// The options, where what the base does not settle is said in other ids than the target's.
fn options_in_our_ids(options: &MergeOptions, merged: &SchemaMerge) -> Option<MergeOptions> {
    if merged.adapted_base.is_empty() || options.unsettled.is_empty() {
        return None;
    }
    let unsettled = options.unsettled.iter();
    let unsettled = unsettled.map(|key| merged.adapted_base.conflict_key(key)).collect();
    Some(MergeOptions { unsettled, ..options.clone() })
}

/// A version of a table by a shape that may have been adapted to the target's ids.
pub(crate) fn version_of<'a>(version: &'a Version, shape: &'a TableShape) -> TableVersion<'a> {
    version.table_of(shape)
}

/// The counters of AUTOINCREMENT: the merged value is the larger.
fn merge_counters(
    run: &mut Run<'_>,
    versions: &Versions<'_>,
    merged: &SchemaMerge,
    table: &MergedTable,
) -> Result<()> {
    let Some(theirs) = &table.theirs else { return Ok(()) };
    let pager = run.pager;
    let mut counters: Vec<(Vec<u8>, i64)> = Vec::new();
    crate::diff::source::for_each_row(pager, version_of(versions.theirs, theirs), |stored| {
        let row = theirs.decode(&stored.key, &stored.bytes)?;
        if let [Value::Text(name), Value::Integer(value), ..] = row.as_slice() {
            counters.push((name.to_vec(), *value));
        }
        Ok(())
    })?;
    for (name, value) in counters {
        // By number, not by name: either side may have renamed the table since.
        let name = String::from_utf8_lossy(&name).into_owned();
        let Some(of) = versions.theirs.shape.table_named(&name) else { continue };
        let is_it = |theirs: &TableShape| theirs.tree == of.tree;
        let found = merged.tables.iter().find(|table| table.theirs.as_ref().is_some_and(is_it));
        if let Some(table) = found {
            run.target.raise_counter(&table.shape, value)?;
        }
    }
    Ok(())
}
