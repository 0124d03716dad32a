//! The labels of a merge: what it calls rows of the source, and which rowids are other rows since.
//!
//! Where rows are known by rowids alone a branch may have deleted one whose number another row
//! gets, by the merge or on the other branch. What a merge itself puts under a rowid is noted. What
//! the source gave away in between is not known, so that all its numbers beyond the base are taken
//! for given, but for those of its rows. Neighbours: `mod` knows what rows are called, `lineage`
//! keeps labels.

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::copies::free_beyond;
use super::{Other, Same, is_followed};
use crate::diff::Version;
use crate::error::Result;
use crate::lineage::numbering::{Numbering, Rowids, TableNumbers};
use crate::lineage::ranges::Ranges;
use crate::merge::references::References;
use crate::merge::schema::SchemaMerge;
use crate::merge::sides::Sides;
use crate::merge::{MergeOptions, MergedTable, Run, Versions};
use crate::shape::{KeyShape, TableShape};

impl Same {
    /// Tells the target which rows of the source have other rowids now, and notes the labels of
    /// the merge, together with what it moved itself.
    pub(crate) fn label(
        &self,
        run: &mut Run<'_>,
        versions: &Versions<'_>,
        merged: &SchemaMerge,
    ) -> Result<()> {
        let references = References::of(merged);
        let tables = merged.tables.iter().filter(|table| table.shape.has_rowid());
        for table in tables.filter(|table| is_followed(table)) {
            let Some(theirs) = &table.theirs else { continue };
            let (id, shape) = (versions.theirs.id_of(theirs), &table.shape);
            let called = self.called(shape, run)?;
            for (own, called) in &called {
                let keys = (rowid_key(*own), rowid_key(*called));
                run.target.renumbered(shape, &keys.0, &keys.1)?;
            }
            // What is stored by a reference is followed by that, and a declared key says more
            // than a rowid, if every row has one.
            if references.is_key(shape) || table.has_hidden_key() && !shape.may_lack_key() {
                continue;
            }
            let others = self.others_of_target(shape, run);
            run.report.replaced.add_others(shape.id, shape.id, &others);
            let numbers = self.numbers_of_source(run, versions, table, called)?;
            if !(numbers.rowids.is_empty() && numbers.others.is_empty()) {
                run.report.numbering.put(id, numbers);
            }
        }
        Ok(())
    }

    /// The rowids of the target under which the merge put rows of the source: what had one of
    /// them before, and went, is another row.
    fn others_of_target(&self, shape: &TableShape, run: &Run<'_>) -> Ranges {
        let mut others = run.placed.get(&shape.id).cloned().unwrap_or_default();
        let fresh = self.tables.get(&shape.id).map(|same| same.fresh.iter().copied());
        others.add_all(&fresh.into_iter().flatten().collect());
        others
    }

    /// What rows of the source are called, and which of its rowids are other rows on the target.
    fn numbers_of_source(
        &self,
        run: &mut Run<'_>,
        versions: &Versions<'_>,
        table: &MergedTable,
        called: Rowids,
    ) -> Result<TableNumbers> {
        let shape = &table.shape;
        let mut numbers = TableNumbers { table: shape.id, ..TableNumbers::default() };
        let same = self.tables.get(&shape.id);
        for (own, called) in called.into_iter().filter(|(own, called)| own != called) {
            let is_displaced = same.is_some_and(|same| same.displaced.contains(&called));
            if is_displaced && run.target.row(shape, &rowid_key(called))?.is_none() {
                // The number was of use for this merge only.
                numbers.others.add(own, own);
            } else {
                numbers.rowids.insert(own, called);
            }
        }
        if is_known_by_rowid(shape, run.options) {
            numbers.others.add_all(&gone_of_source(run.pager, versions, table)?);
        }
        numbers.close();
        Ok(numbers)
    }

    /// What the source's rows of a table are called after the merge.
    fn called(&self, shape: &TableShape, run: &Run<'_>) -> Result<Rowids> {
        let keys = self.keys[Other::Theirs as usize].get(&shape.id);
        let mut back = Rowids::new();
        let mut called = self.tables.get(&shape.id).map(|same| same.label.clone());
        let called = called.get_or_insert_default();
        for (own, moved) in keys.into_iter().flatten() {
            let (own, moved) = (rowid_from_key(own)?, rowid_from_key(moved)?);
            back.insert(moved, own);
            called.insert(own, moved);
        }
        for (merged, theirs) in run.moved.get(&shape.id).into_iter().flatten() {
            let theirs = rowid_from_key(theirs)?;
            let own = back.get(&theirs).copied().unwrap_or(theirs);
            called.insert(own, rowid_from_key(merged)?);
        }
        Ok(std::mem::take(called))
    }
}

/// Whether a rowid is only the number of a row that some branch inserted, so that the rows of two
/// branches that have one number are two.
pub(crate) fn is_known_by_rowid(shape: &TableShape, options: &MergeOptions) -> bool {
    match shape.key {
        KeyShape::Rowid { alias: Some(_), .. } => options.renumber,
        KeyShape::Rowid { alias: None, .. } => shape.primary_key.is_empty() || shape.may_lack_key(),
        KeyShape::Columns(_) => false,
    }
}

/// Rowids that the source may have given since the two parted to rows that it does not have any
/// more: those beyond the rows of the base. What the target has there, or gets, is another row.
fn gone_of_source(
    pager: &Arc<Pager>,
    versions: &Versions<'_>,
    table: &MergedTable,
) -> Result<Ranges> {
    let sides = Sides::new(versions, table);
    let Some(theirs) = sides.theirs.and_then(|side| side.tree) else { return Ok(Ranges::new()) };
    let base = sides.base.and_then(|side| side.tree);
    if base.is_some_and(|base| is_untouched(base, theirs)) {
        return Ok(Ranges::new());
    }
    // What the target never had has no rows of its own below the last one of the source.
    let last = last_rowid(pager, if table.ours.is_some() { base } else { Some(theirs) })?;
    let id = sides.base.map(|base| versions.base.id_of(base.shape));
    let called = id.and_then(|id| versions.known.between.table(id));
    let called = called.and_then(|numbers| numbers.rowids.values().max().copied());
    free_beyond(pager, Some(theirs), last.max(called))
}

/// Rowids that a branch which stands as the base does may have given in between to rows that it
/// does not have any more, where it moves to `theirs`: what it has there then is another row.
pub fn given_in_between(
    pager: &Arc<Pager>,
    base: &Version,
    theirs: &Version,
    options: &MergeOptions,
) -> Result<Numbering> {
    let mut given = Numbering::new();
    for shape in &theirs.shape.tables {
        let Some(before) = base.table(shape.id) else { continue };
        let after = theirs.table_of(shape);
        let (Some(before), Some(after)) = (before.tree, after.tree) else { continue };
        if !is_known_by_rowid(shape, options) || is_untouched(before, after) {
            continue;
        }
        let last = last_rowid(pager, Some(before))?;
        given.add_others(shape.id, shape.id, &free_beyond(pager, None, last)?);
    }
    Ok(given)
}

/// Whether nothing was done to the rows of a table: an empty one may have had some in between.
fn is_untouched(before: &Tree, after: &Tree) -> bool {
    !before.is_empty() && before.is_same_version(after)
}

fn last_rowid(pager: &Arc<Pager>, tree: Option<&Tree>) -> Result<Option<i64>> {
    let key = tree.map(|tree| tree.greatest_key(pager)).transpose()?.flatten();
    Ok(key.map(|key| rowid_from_key(&key)).transpose()?)
}
