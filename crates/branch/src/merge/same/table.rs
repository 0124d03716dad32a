//! What the rows of one table are called on the target.
//!
//! Neighbours: `mod` asks, `lineage` knows what earlier merges did.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;

use super::Other;
use crate::diff::TableVersion;
use crate::error::Result;
use crate::lineage::numbering::{Numbering, Rowids};
use crate::merge::renumber::FreeRowids;
use crate::merge::sides::Sides;
use crate::merge::{MergedTable, Versions};
use crate::shape::TableShape;

/// What is known of a table.
pub(super) struct Given<'g> {
    base: Option<&'g Rowids>,
    theirs: Option<&'g Rowids>,
    apart: Option<&'g BTreeSet<i64>>,
    /// Whether the rows of the source are the target's own, and only rows of another table that
    /// refer to them are from elsewhere.
    is_own: bool,
    /// The greatest number that AUTOINCREMENT gave.
    counter: i64,
    name: &'g str,
}

impl<'g> Given<'g> {
    pub(super) fn of(
        versions: &Versions<'g>,
        table: &'g MergedTable,
        sides: &Sides<'g>,
        counter: i64,
    ) -> Self {
        let known = versions.known;
        let of = |numbering: &'g Numbering, id| numbering.table(id).map(|known| &known.rowids);
        let base = sides.base.and_then(|base| of(&known.base, versions.base.id_of(base.shape)));
        let id = sides.theirs.map(|theirs| versions.theirs.id_of(theirs.shape));
        Self {
            base,
            theirs: id.and_then(|id| of(&known.theirs, id)),
            apart: id.and_then(|id| known.apart.get(&id)),
            is_own: known.restored.is_some_and(|restored| id != Some(restored)),
            counter,
            name: &table.shape.name,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TableSame {
    base: Rowids,
    theirs: Rowids,
    /// What rows are called that rows of a restored table refer to.
    elsewhere: Rowids,
    /// All that the source's rows are called, and those that it had; the same ones included.
    pub(super) label: Rowids,
    /// The rowids that rows of the source got now.
    pub(super) fresh: Vec<i64>,
    /// No row of any version has a greater rowid.
    pub(super) floor: i64,
    /// Whether one rowid of the base and the source is two rows.
    pub(super) differs: bool,
}

impl TableSame {
    /// What declared keys say.
    pub(super) fn by_key(base: Rowids, theirs: Rowids, fresh: Vec<i64>, floor: i64) -> Self {
        Self { base, theirs, fresh, floor, ..Self::default() }
    }

    /// What rows are called, where that is another rowid.
    pub(super) fn of(&self, other: Other) -> &Rowids {
        match other {
            Other::Base => &self.base,
            Other::Theirs => &self.theirs,
        }
    }

    /// What rows are called that cells refer to.
    pub(super) fn referred(&self, other: Other) -> &Rowids {
        match other {
            Other::Theirs if !self.elsewhere.is_empty() => &self.elsewhere,
            other => self.of(other),
        }
    }

    /// Finds out; none where nothing is known of the table.
    pub(super) fn find(
        pager: &Arc<Pager>,
        given: &Given<'_>,
        sides: &Sides<'_>,
    ) -> Result<Option<Self>> {
        if given.base.is_none() && given.theirs.is_none() && given.apart.is_none() {
            return Ok(None);
        }
        if given.is_own {
            let elsewhere = given.theirs.cloned().unwrap_or_default();
            let differs = !elsewhere.is_empty();
            return Ok(Some(Self { elsewhere, differs, ..Self::default() }));
        }
        let nothing = Rowids::new();
        let (given_base, given_theirs) =
            (given.base.unwrap_or(&nothing), given.theirs.unwrap_or(&nothing));
        let known = given_base.values().chain(given_theirs.values());
        let floor = known.max().copied().unwrap_or(0).max(given.counter);
        let mut free = FreeRowids::new(pager, &sides.all(), floor)?;
        let has = |side: Option<TableVersion<'_>>, rowid: i64| has_row(pager, side, rowid);
        let mut base = named(given_base, |rowid| has(sides.base, rowid), given.name, &mut free)?;
        // Rows of the base whose place another one took: the target does not have them.
        let mut displaced = Rowids::new();
        for rowid in base.values().copied().collect::<Vec<_>>() {
            if !base.contains_key(&rowid) && has(sides.base, rowid)? {
                displaced.insert(rowid, free.next(given.name)?);
            }
        }
        base.extend(&displaced);
        let mut theirs =
            named(given_theirs, |rowid| has(sides.theirs, rowid), given.name, &mut free)?;
        let mut fresh = Vec::new();
        let reserved: BTreeSet<i64> = base.values().chain(given_theirs.values()).copied().collect();
        for rowid in reserved.into_iter().chain(displaced.keys().copied()) {
            if theirs.contains_key(&rowid) || !has(sides.theirs, rowid)? {
                continue;
            }
            let called = if let Some(called) = displaced.get(&rowid) {
                *called
            } else {
                // The target has another row there, or had one.
                fresh.push(free.next(given.name)?);
                free.last()
            };
            theirs.insert(rowid, called);
        }
        for rowid in given.apart.into_iter().flatten().copied() {
            let is_new = !theirs.contains_key(&rowid) && has(sides.theirs, rowid)?;
            if is_new && !has(sides.base, rowid)? && has(sides.ours, rowid)? {
                fresh.push(free.next(given.name)?);
                theirs.insert(rowid, free.last());
            }
        }
        let mut label = given_theirs.clone();
        label.extend(&theirs);
        let mut differs = base.iter().any(|(rowid, called)| label.get(rowid) != Some(called));
        for rowid in theirs.keys().filter(|rowid| !base.contains_key(rowid)) {
            differs = differs || has(sides.base, *rowid)?;
        }
        let others = |rowids: Rowids| rowids.into_iter().filter(|(own, called)| own != called);
        Ok(Some(Self {
            base: others(base).collect(),
            theirs: others(theirs).collect(),
            elsewhere: Rowids::new(),
            label,
            fresh,
            floor: free.last(),
            differs,
        }))
    }
}

/// The rows that are there with what they are called, each by a rowid of its own.
fn named(
    given: &Rowids,
    has: impl Fn(i64) -> Result<bool>,
    table: &str,
    free: &mut FreeRowids,
) -> Result<Rowids> {
    let mut named = BTreeMap::new();
    let mut used = BTreeSet::new();
    for (&rowid, &called) in given {
        if has(rowid)? {
            // Two rows that became one: the other is a row that the target does not have.
            let called = if used.insert(called) { called } else { free.next(table)? };
            named.insert(rowid, called);
        }
    }
    Ok(named)
}

fn has_row(pager: &Arc<Pager>, side: Option<TableVersion<'_>>, rowid: i64) -> Result<bool> {
    let tree = side.filter(|side| TableShape::has_rowid(side.shape)).and_then(|side| side.tree);
    Ok(tree.map(|tree| tree.contains(pager, &rowid_key(rowid))).transpose()?.unwrap_or(false))
}
