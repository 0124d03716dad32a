//! Rows that the target has under other rowids than the base or the source: one row is one key.
//!
//! Earlier merges gave rows of a source other rowids. Before rows are merged the base and the
//! source are put into the target's numbering: in copies of their trees (which share all other
//! pages) the rows that are called otherwise stand under the target's rowids, and what refers to
//! them by a declared foreign key is followed where a row is read. The work is that of the rows
//! that are called otherwise, but for tables whose key holds such a reference: those are read.
//!
//! Where a row of the target took the rowid that another row has, that one gets a rowid which
//! nobody uses: in the base it is a row that the target does not have (any more), in the source a
//! row that the target has yet to get.
//!
//! ```text
//! base  1: a           ours  1: x, 2: a          known  base {1 -> 2}, theirs {1 -> 2}
//! theirs 1: a', 2: b         merged as   base 2: a    theirs 2: a', 3: b
//! ```
//!
//! Neighbours: `lineage` says what is known, `table` what comes of it, `keyed` what declared keys
//! say; `copies` changes trees, `crossed` is for merges with several bases; `renumber` finds new
//! numbers on top of it.

mod copies;
mod crossed;
mod keyed;
mod label;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

pub use self::crossed::{joined, told_apart};
pub use self::label::given_in_between;
pub(crate) use self::label::is_known_by_rowid;

use self::copies::{Moves, rows_in};
use self::table::{Given, TableSame, has_row};
use super::conflict::{ConflictKey, Scope};
use super::references::{Follower, References};
use super::renumber::Numbers;
use super::schema::SchemaMerge;
use super::sides::Sides;
use super::{MergedTable, Run, Versions};
use crate::diff::source::for_each_row;
use crate::diff::{TableVersion, Version};
use crate::error::Result;
use crate::lineage::numbering::{Numbering, Rowids, TableNumbers};
use crate::lineage::ranges::Ranges;
use crate::shape::row::Row;
use crate::shape::{Affinity, KeyShape, ObjectId, TableShape};

/// What is known of rows that the target has under other rowids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What rows of the base are called on the target.
    pub base: Numbering,
    /// What rows of the source are called there, if the target has or had them.
    pub theirs: Numbering,
    /// What rows of the base are called in the source, where a merge stands between the two.
    pub between: Numbering,
    /// Rowids that both sides inserted rows under which are two, whatever is in them.
    pub apart: BTreeMap<ObjectId, Ranges>,
    /// Where only one table of the source is from elsewhere (it is restored) and all others are
    /// those of the target: which.
    pub restored: Option<ObjectId>,
}

impl Known {
    /// Whether every row is called the same.
    pub fn is_empty(&self) -> bool {
        let sides = [&self.base, &self.theirs, &self.between];
        sides.into_iter().all(Numbering::is_empty) && self.apart.is_empty()
    }
}

/// What rows of one version are called in another, where both have them from a third: `middle`,
/// with what its rows are called in the two. Rows that are called so in both are named as well.
pub fn relate(
    pager: &Arc<Pager>,
    middle: &Version,
    [left, right]: &[Numbering; 2],
) -> Result<Numbering> {
    let mut relation = Numbering::new();
    for id in Numbering::named([left, right]) {
        let Some(table) = middle.table(id).filter(|table| table.shape.has_rowid()) else {
            continue;
        };
        let sides = [left, right].map(|side| side.table(id));
        let mut numbers = TableNumbers { table: right.table_there(id), ..TableNumbers::default() };
        for rowid in rows_of_sides(pager, table.tree, sides)? {
            match (left.rowid(id, rowid), right.rowid(id, rowid)) {
                (Some(here), Some(there)) => drop(numbers.rowids.insert(here, there)),
                // One of them does not have it: the other one calls another row so.
                (Some(gone), None) | (None, Some(gone)) => numbers.others.add(gone, gone),
                (None, None) => {}
            }
        }
        numbers.close();
        relation.put(left.table_there(id), numbers);
    }
    Ok(relation)
}

/// The rows of a table that one of two versions calls otherwise, or does not have.
fn rows_of_sides(
    pager: &Arc<Pager>,
    tree: Option<&Tree>,
    sides: [Option<&TableNumbers>; 2],
) -> Result<BTreeSet<i64>> {
    let mut rowids = BTreeSet::new();
    for numbers in sides.into_iter().flatten() {
        for rowid in numbers.rowids.keys() {
            if has_row(pager, tree, *rowid)? {
                rowids.insert(*rowid);
            }
        }
        rowids.extend(rows_in(pager, tree, &numbers.others)?);
    }
    Ok(rowids)
}

/// One of the two versions that are put into the target's numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Base,
    Theirs,
}

/// The base and the source in the target's numbering.
#[derive(Debug, Default)]
pub(crate) struct Same {
    /// The copies; none where every row is called the same.
    versions: Option<Box<[Version; 2]>>,
    tables: BTreeMap<ObjectId, TableSame>,
    /// The keys of the two versions that are others, tables WITHOUT ROWID included.
    keys: [BTreeMap<ObjectId, Moves>; 2],
    references: References,
    /// The greatest numbers that AUTOINCREMENT gave on either side.
    counters: BTreeMap<ObjectId, i64>,
}

impl Same {
    /// Puts the versions into the target's numbering.
    pub(crate) fn new(
        run: &mut Run<'_>,
        versions: &Versions<'_>,
        merged: &SchemaMerge,
    ) -> Result<Self> {
        let counters = counters(run.pager, versions, merged)?;
        let is_keyed = |table: &MergedTable| is_followed(table) && table.has_hidden_key();
        if versions.known.is_empty() && !merged.tables.iter().any(is_keyed) {
            return Ok(Self { counters, ..Self::default() });
        }
        let mut references = References::of(merged);
        if let Some(restored) = versions.known.restored {
            // Only its rows are from elsewhere.
            let is_it = |table: &&MergedTable| {
                table.theirs.as_ref().is_some_and(|it| versions.theirs.id_of(it) == restored)
            };
            let restored = merged.tables.iter().find(is_it).map(|table| table.shape.id);
            references.keep_of(restored);
        }
        let mut same = Self { references, counters, ..Self::default() };
        for table in merged.tables.iter().filter(|table| is_followed(table)) {
            if same.references.is_key(&table.shape) {
                continue;
            }
            let sides = Sides::new(versions, table);
            let floor = same.floor(table.shape.id);
            let given = Given::of(versions, table, &sides, floor);
            let found = if table.has_hidden_key() {
                keyed::find(run.pager, table, (&given, floor), &sides)?
            } else {
                TableSame::find(run.pager, &given, &sides)?
            };
            if let Some(found) = found {
                let counts = run.report.table(&table.shape);
                counts.renumbered += found.fresh.len() as u64;
                if let (KeyShape::Rowid { autoincrement: true, .. }, Some(last)) =
                    (&table.shape.key, found.fresh.last())
                {
                    run.target.raise_counter(&table.shape, *last)?;
                }
                same.tables.insert(table.shape.id, found);
            }
        }
        let moves = |table: ObjectId| same.tables.get(&table).is_some_and(TableSame::moves);
        same.references.keep(&moves);
        if same.tables.values().any(TableSame::moves) {
            same.copy(run.pager, versions, merged)?;
        }
        Ok(same)
    }

    fn copy(
        &mut self,
        pager: &Arc<Pager>,
        versions: &Versions<'_>,
        merged: &SchemaMerge,
    ) -> Result<()> {
        let mut copies = Box::new([versions.base.clone(), versions.theirs.clone()]);
        for table in merged.tables.iter().filter(|table| is_followed(table)) {
            let sides = Sides::new(versions, table);
            for (other, side) in [(Other::Base, sides.base), (Other::Theirs, sides.theirs)] {
                let Some(side) = side else { continue };
                let Some(tree) = side.tree else { continue };
                let moves = match self.tables.get(&table.shape.id) {
                    Some(same) => copies::of_rowids(same.of(other)),
                    None if self.references.is_key(&table.shape) => {
                        self.moved_keys(pager, table, other, side)?
                    }
                    None => continue,
                };
                if moves.is_empty() {
                    continue;
                }
                let copy = copies::moved(pager, tree, &moves)?;
                copies[other as usize].forest.set_tree(side.shape.tree, copy);
                self.keys[other as usize].insert(table.shape.id, moves);
            }
        }
        self.versions = Some(copies);
        Ok(())
    }

    /// The rows of a table whose key refers to rows that are called otherwise.
    fn moved_keys(
        &self,
        pager: &Arc<Pager>,
        table: &MergedTable,
        other: Other,
        side: TableVersion<'_>,
    ) -> Result<Moves> {
        let mut moves = Moves::new();
        let Some(tree) = side.tree else { return Ok(moves) };
        if let Some(alias) = side.shape.alias() {
            let parents = self.references.of_table(table.shape.id).iter();
            for parent in parents.filter(|follower| follower.column == alias) {
                let Some(parent) = self.tables.get(&parent.parent) else { continue };
                for (from, to) in parent.referred(other) {
                    if tree.contains(pager, &rowid_key(*from))? {
                        moves.insert(rowid_key(*from).to_vec(), rowid_key(*to).to_vec());
                    }
                }
            }
            return Ok(moves);
        }
        for_each_row(pager, side, |stored| {
            let mut row = side.shape.decode(&stored.key, &stored.bytes)?;
            self.follow(other, side.shape, &mut row);
            let key = side.shape.key_of(&row)?;
            if key != stored.key {
                moves.insert(stored.key, key);
            }
            Ok(())
        })?;
        Ok(moves)
    }

    /// The versions to merge.
    pub(crate) fn versions<'v>(&'v self, versions: &Versions<'v>) -> Versions<'v> {
        match &self.versions {
            Some(copies) => {
                let [base, theirs] = &**copies;
                Versions { base, theirs, ..*versions }
            }
            None => *versions,
        }
    }

    /// Puts the target's rowids into the cells of a row that refer to rows.
    pub(crate) fn follow(&self, other: Other, shape: &TableShape, row: &mut Row) {
        for follower in self.references.of_table(shape.id) {
            // What is the key itself was followed with it.
            let index = shape.index_of(follower.column);
            let index = index.filter(|_| shape.alias() != Some(follower.column));
            let Some(index) = index else { continue };
            let Some(same) = self.tables.get(&follower.parent) else { continue };
            let called = match Affinity::Integer.convert(row[index].clone()) {
                Value::Integer(rowid) => same.referred(other).get(&rowid).copied(),
                _ => None,
            };
            if let Some(called) = called {
                row[index] = shape.columns[index].affinity.convert(Value::Integer(called));
            }
        }
    }

    /// Whether rows of a table refer to rows that are called otherwise: then those of the base
    /// and of the target that have the same bytes are not the same.
    pub(crate) fn follows(&self, table: ObjectId) -> bool {
        !self.references.of_table(table).is_empty()
    }

    /// Whether the same is so of the base and the source.
    pub(crate) fn is_told_apart(&self, table: ObjectId) -> bool {
        let parents = self.references.of_table(table).iter();
        parents.filter_map(|it| self.tables.get(&it.parent)).any(|parent| parent.differs)
    }

    /// The greatest rowid that a version has or had for a row of a table, as far as its tree does
    /// not tell.
    pub(crate) fn floor(&self, table: ObjectId) -> i64 {
        let counter = self.counters.get(&table).copied().unwrap_or(0);
        self.tables.get(&table).map_or(0, |table| table.floor).max(counter)
    }

    /// What rows of a table are or were called, as far as earlier merges tell.
    pub(crate) fn had(&self, table: ObjectId) -> impl Iterator<Item = i64> {
        let labels = self.tables.get(&table).into_iter();
        labels.flat_map(|table| table.label.values().copied())
    }

    /// The addresses of conflicts of the base in the target's numbering.
    pub(crate) fn renamed(&self, keys: &BTreeSet<ConflictKey>) -> BTreeSet<ConflictKey> {
        let renamed = |key: &ConflictKey| {
            let moves = self.keys[Other::Base as usize].get(&key.object);
            let row = |row: &Vec<u8>| {
                let moved = moves.and_then(|moves| moves.get(row));
                moved.unwrap_or(row).clone()
            };
            let scope = match &key.scope {
                Scope::Row(key) => Scope::Row(row(key)),
                Scope::Cell(key, column) => Scope::Cell(row(key), *column),
                Scope::Broken(key, constraint) => Scope::Broken(row(key), constraint.clone()),
                Scope::Schema(part) => Scope::Schema(part.clone()),
            };
            ConflictKey { object: key.object, scope }
        };
        keys.iter().map(renamed).collect()
    }

    /// Tells the target what cells of the source mean, where that has other rowids now.
    pub(crate) fn tell_references(&self, run: &mut Run<'_>, numbers: &Numbers<'_>) {
        let references: BTreeSet<(ObjectId, Follower)> =
            self.references.all().chain(numbers.references()).collect();
        let parents: BTreeSet<ObjectId> =
            references.iter().map(|(_, follower)| follower.parent).collect();
        for parent in parents {
            let same = self.tables.get(&parent).map(|same| same.referred(Other::Theirs));
            let mut meant = same.cloned().unwrap_or_default();
            if let Some(new) = numbers.of_table(parent) {
                // The planned numbers are those of rows in the target's numbering.
                for called in meant.values_mut() {
                    *called = new.get(called).copied().unwrap_or(*called);
                }
                let own: BTreeSet<i64> =
                    same.into_iter().flat_map(Rowids::values).copied().collect();
                meant.extend(new.iter().filter(|(rowid, _)| !own.contains(rowid)));
            }
            if meant.is_empty() {
                continue;
            }
            let meant = Arc::new(meant);
            for (table, follower) in references.iter().filter(|(_, it)| it.parent == parent) {
                run.target.refers((*table, follower.column), &meant);
            }
        }
    }
}

/// Whether all versions know the rows of a table by keys of one kind.
fn is_followed(table: &MergedTable) -> bool {
    let versions = [&table.base, &table.ours, &table.theirs];
    !table.is_blocked && versions.into_iter().flatten().all(|it| it.has_key_of(&table.shape))
}

/// The greatest numbers that AUTOINCREMENT gave on either side: they never come again.
fn counters(
    pager: &Arc<Pager>,
    versions: &Versions<'_>,
    merged: &SchemaMerge,
) -> Result<BTreeMap<ObjectId, i64>> {
    let mut counters = BTreeMap::new();
    let counts = |table: &&MergedTable| {
        matches!(table.shape.key, KeyShape::Rowid { autoincrement: true, .. })
    };
    if !merged.tables.iter().any(|table| counts(&table)) {
        return Ok(counters);
    }
    for (version, is_ours) in [(versions.ours, true), (versions.theirs, false)] {
        let Some(rows) = version.shape.tables.iter().find(|table| table.holds_counters) else {
            continue;
        };
        for_each_row(pager, version.table_of(rows), |stored| {
            let row = rows.decode(&stored.key, &stored.bytes)?;
            let [Value::Text(name), Value::Integer(value), ..] = row.as_slice() else {
                return Ok(());
            };
            for table in merged.tables.iter().filter(counts) {
                let side = if is_ours { &table.ours } else { &table.theirs };
                if side.as_ref().is_some_and(|side| side.name.as_bytes() == &**name) {
                    let known = counters.entry(table.shape.id).or_insert(*value);
                    *known = (*known).max(*value);
                }
            }
            Ok(())
        })?;
    }
    Ok(counters)
}
