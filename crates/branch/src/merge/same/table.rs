//! What the rows of one table are called on the target.
//!
//! Neighbours: `mod` asks, `lineage` knows what earlier merges did.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::Other;
use super::copies::rows_in;
use super::keyed::ByKey;
use crate::diff::TableVersion;
use crate::error::Result;
use crate::lineage::numbering::{Rowids, TableNumbers};
use crate::lineage::ranges::Ranges;
use crate::merge::renumber::FreeRowids;
use crate::merge::sides::Sides;
use crate::merge::{MergedTable, Versions};

/// What is known of a table.
pub(super) struct Given<'g> {
    base: Option<&'g TableNumbers>,
    theirs: Option<&'g TableNumbers>,
    /// What rows of the base are called in the source.
    between: Option<&'g TableNumbers>,
    apart: Option<&'g Ranges>,
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
        let base = sides.base.map(|base| versions.base.id_of(base.shape));
        let id = sides.theirs.map(|theirs| versions.theirs.id_of(theirs.shape));
        Self {
            base: base.and_then(|id| known.base.table(id)),
            theirs: id.and_then(|id| known.theirs.table(id)),
            between: base.and_then(|id| known.between.table(id)),
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
    /// What rows are called that cells of the base and of the source refer to, those that went
    /// included: a reference to a row that is no more means none of the rows that there are.
    referred: [Rowids; 2],
    /// Numbers of rows of the base that the target does not have: nobody used them before.
    pub(super) displaced: BTreeSet<i64>,
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
    /// The same, and then what declared keys say of rows that are in this numbering.
    pub(super) fn then(mut self, further: ByKey) -> Self {
        self.label.extend(composed(&self.theirs, &further.theirs));
        self.base = composed(&self.base, &further.base);
        self.theirs = composed(&self.theirs, &further.theirs);
        for rowids in [&mut self.base, &mut self.theirs] {
            rowids.retain(|own, called| own != called);
        }
        self.displaced.retain(|rowid| !further.base.contains_key(rowid));
        self.displaced.extend(further.displaced);
        self.fresh.retain(|rowid| !further.theirs.contains_key(rowid));
        self.fresh.extend(further.fresh);
        self.floor = self.floor.max(further.floor);
        self
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
        let [base, theirs] = &self.referred;
        match other {
            Other::Base => base,
            Other::Theirs => theirs,
        }
    }

    /// Whether any row is called otherwise.
    pub(super) fn moves(&self) -> bool {
        !(self.base.is_empty() && self.theirs.is_empty())
            || self.referred.iter().any(|referred| !referred.is_empty())
    }

    /// Finds out; none where nothing is known of the table.
    pub(super) fn find(
        pager: &Arc<Pager>,
        given: &Given<'_>,
        sides: &Sides<'_>,
    ) -> Result<Option<Self>> {
        let known = [given.base, given.theirs, given.between];
        if known.iter().all(Option::is_none) && given.apart.is_none() {
            return Ok(None);
        }
        if given.is_own {
            let elsewhere = given.theirs.map(|numbers| numbers.rowids.clone()).unwrap_or_default();
            let differs = !elsewhere.is_empty();
            let referred = [Rowids::new(), elsewhere];
            return Ok(Some(Self { referred, differs, ..Self::default() }));
        }
        let known = known.into_iter().flatten().flat_map(|numbers| numbers.rowids.values());
        let free = FreeRowids::new(pager, &sides.all(), given.counter)?;
        let mut free = free.without(known.copied());
        let has = |side: Option<TableVersion<'_>>, rowid| has_row(pager, tree_of(side), rowid);
        let (base, displaced) = find_base(pager, given, sides, &mut free)?;
        let found = find_theirs(pager, given, sides, (&base, &displaced), &mut free)?;
        let Theirs { theirs, fresh } = found;
        let mut label = given.theirs.map(|numbers| numbers.rowids.clone()).unwrap_or_default();
        label.extend(&theirs);
        let mut differs = base.iter().any(|(rowid, called)| label.get(rowid) != Some(called));
        for rowid in label.keys().filter(|rowid| !base.contains_key(rowid)) {
            differs = differs || has(sides.base, *rowid)?;
        }
        let of_base = referred_of_base(given.base, &base);
        let known = (&of_base, &base);
        let gone = |rowid| Ok(!has(sides.theirs, rowid)?);
        let of_theirs = referred_of_theirs(known, given.between, &label, gone)?;
        let others = |rowids: Rowids| rowids.into_iter().filter(|(own, called)| own != called);
        let referred = [of_base, of_theirs].map(|rowids| others(rowids).collect());
        Ok(Some(Self {
            base: others(base).collect(),
            theirs: others(theirs).collect(),
            referred,
            displaced: displaced.into_values().collect(),
            label,
            fresh,
            floor: free.greatest(),
            differs,
        }))
    }
}

/// What rows are called by two numberings, one after the other.
fn composed(first: &Rowids, then: &Rowids) -> Rowids {
    let called: BTreeSet<i64> = first.values().copied().collect();
    let moved = |rowid: &i64| then.get(rowid).copied().unwrap_or(*rowid);
    // What the first one moved away from its place is not there for the second.
    let others = then.iter().filter(|(rowid, _)| !called.contains(rowid));
    let mut all: Rowids = others.map(|(own, called)| (*own, *called)).collect();
    all.extend(first.iter().map(|(own, called)| (*own, moved(called))));
    all
}

/// What rows of the base are called, and those of them whose place on the target another row took:
/// the target does not have them.
fn find_base(
    pager: &Arc<Pager>,
    given: &Given<'_>,
    sides: &Sides<'_>,
    free: &mut FreeRowids,
) -> Result<(Rowids, Rowids)> {
    let (mut base, mut displaced) = (Rowids::new(), Rowids::new());
    let Some(numbers) = given.base else { return Ok((base, displaced)) };
    let tree = tree_of(sides.base);
    base.extend(named(&numbers.rowids, |rowid| has_row(pager, tree, rowid), given.name, free)?);
    for rowid in rows_in(pager, tree, &numbers.others)? {
        if !base.contains_key(&rowid) {
            displaced.insert(rowid, free.next(given.name)?);
        }
    }
    base.extend(&displaced);
    Ok((base, displaced))
}

/// What rows of the source are called, and the rowids that some of them got now.
struct Theirs {
    theirs: Rowids,
    fresh: Vec<i64>,
}

fn find_theirs(
    pager: &Arc<Pager>,
    given: &Given<'_>,
    sides: &Sides<'_>,
    (base, displaced): (&Rowids, &Rowids),
    free: &mut FreeRowids,
) -> Result<Theirs> {
    let (none, tree) = (TableNumbers::default(), tree_of(sides.theirs));
    let numbers = given.theirs.unwrap_or(&none);
    let has = |rowid: i64| has_row(pager, tree, rowid);
    let mut theirs = named(&numbers.rowids, has, given.name, free)?;
    for (rowid, called) in displaced {
        let own = given.between.map_or(Some(*rowid), |numbers| numbers.rowid(*rowid));
        if let Some(own) = own
            && !theirs.contains_key(&own)
            && has(own)?
        {
            theirs.insert(own, *called);
        }
    }
    // There the target has another row, or had one.
    let mut reserved: BTreeSet<i64> = rows_in(pager, tree, &numbers.others)?.into_iter().collect();
    let known = base.values().chain(numbers.rowids.values()).chain(displaced.keys());
    reserved.extend(known.copied());
    let mut fresh = Vec::new();
    for rowid in reserved {
        if !theirs.contains_key(&rowid) && has(rowid)? {
            fresh.push(free.next(given.name)?);
            theirs.insert(rowid, free.last());
        }
    }
    for rowid in given.apart.map(|it| rows_in(pager, tree, it)).transpose()?.unwrap_or_default() {
        if !theirs.contains_key(&rowid)
            && !has_row(pager, tree_of(sides.base), rowid)?
            && has_row(pager, tree_of(sides.ours), rowid)?
        {
            fresh.push(free.next(given.name)?);
            theirs.insert(rowid, free.last());
        }
    }
    Ok(Theirs { theirs, fresh })
}

/// What cells of the base mean, rows that went included.
fn referred_of_base(given: Option<&TableNumbers>, base: &Rowids) -> Rowids {
    let mut referred = given.map(|numbers| numbers.rowids.clone()).unwrap_or_default();
    referred.extend(base);
    referred
}

/// What cells of the source mean: where neither it nor the base has a row, what they meant before.
fn referred_of_theirs(
    (of_base, base): (&Rowids, &Rowids),
    between: Option<&TableNumbers>,
    label: &Rowids,
    is_gone: impl Fn(i64) -> Result<bool>,
) -> Result<Rowids> {
    let mut referred = label.clone();
    for (rowid, called) in of_base.iter().filter(|(rowid, _)| !base.contains_key(rowid)) {
        let own = between.map_or(Some(*rowid), |numbers| numbers.rowid(*rowid));
        if let Some(own) = own
            && !label.contains_key(&own)
            && is_gone(own)?
        {
            referred.insert(own, *called);
        }
    }
    Ok(referred)
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

fn tree_of(side: Option<TableVersion<'_>>) -> Option<&Tree> {
    side.filter(|side| side.shape.has_rowid()).and_then(|side| side.tree)
}

/// Whether a table has a row.
pub(super) fn has_row(pager: &Arc<Pager>, tree: Option<&Tree>, rowid: i64) -> Result<bool> {
    let found = tree.map(|tree| tree.contains(pager, &rowid_key(rowid))).transpose()?;
    Ok(found.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::ObjectId;

    /// Cells that refer to rows of the base which are gone everywhere: what they are called on the
    /// target is known by the base's rowid, and the source may call them otherwise.
    #[test]
    fn references_to_rows_that_went_are_read_by_what_the_source_calls_them() {
        // Row 1 is there, 2 to 6 went; on the target they are all called otherwise.
        let base: Rowids = [(1, 11)].into();
        let of_base: Rowids = [(1, 11), (2, 12), (3, 13), (4, 14), (5, 15), (6, 16)].into();
        let label: Rowids = [(40, 90)].into();
        let read = |between: Option<&TableNumbers>| {
            let gone = |rowid: i64| Ok(rowid != 5);
            referred_of_theirs((&of_base, &base), between, &label, gone).unwrap()
        };
        // A row 5 of the source is another one.
        let alone: Rowids = [(2, 12), (3, 13), (4, 14), (6, 16), (40, 90)].into();
        assert_eq!(read(None), alone);
        let mut others = Ranges::new();
        others.add(4, 4);
        let between = TableNumbers {
            table: ObjectId(1),
            // A label of the source's own row comes first.
            rowids: [(2, 30), (3, 40), (6, 5)].into(),
            others,
        };
        // 4 is none of the source's, 5 and (under that rowid) 6 are not gone there.
        let renamed: Rowids = [(30, 12), (40, 90)].into();
        assert_eq!(read(Some(&between)), renamed);
    }
}
