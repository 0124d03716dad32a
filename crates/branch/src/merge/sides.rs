//! The three versions of a table, and what two of them changed as streams side by side.
//!
//! Neighbours: `rows` merges what the streams bring, `renumber` looks for keys that both gave.

use std::cmp::Ordering;

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;

use super::same::Same;
use super::{MergedTable, Versions, version_of};
use crate::diff::TableVersion;
use crate::diff::source::{Changes, RawChange};
use crate::error::Result;
use crate::shape::TableShape;

/// The three versions of one table.
pub(crate) struct Sides<'a> {
    pub(crate) base: Option<TableVersion<'a>>,
    pub(crate) ours: Option<TableVersion<'a>>,
    pub(crate) theirs: Option<TableVersion<'a>>,
    /// Whether rows of the base and the source may differ whose bytes are the same.
    is_told_apart: bool,
}

impl<'a> Sides<'a> {
    pub(crate) fn new(versions: &Versions<'a>, table: &'a MergedTable) -> Self {
        let side = |version, shape: &'a Option<TableShape>| {
            shape.as_ref().map(|shape| version_of(version, shape))
        };
        Self {
            base: side(versions.base, &table.base),
            ours: side(versions.ours, &table.ours),
            theirs: side(versions.theirs, &table.theirs),
            is_told_apart: false,
        }
    }

    /// The same, where equal bytes of the base and the source may refer to different rows.
    pub(crate) fn told_apart(mut self, same: &Same) -> Self {
        self.is_told_apart = self.theirs.is_some_and(|theirs| same.is_told_apart(theirs.shape.id));
        self
    }

    /// The same with other rows of the base and of the source, where there are any.
    pub(crate) fn with_rows<'b>(
        &self,
        base: Option<&'b Tree>,
        theirs: Option<&'b Tree>,
    ) -> Sides<'b>
    where
        'a: 'b,
    {
        let with = |side: Option<TableVersion<'a>>, tree: Option<&'b Tree>| {
            side.map(|side| TableVersion { tree: tree.or(side.tree), ..side })
        };
        Sides {
            base: with(self.base, base),
            ours: self.ours,
            theirs: with(self.theirs, theirs),
            is_told_apart: self.is_told_apart,
        }
    }

    /// What the source changed, matched by the key of the merged table.
    pub(super) fn changes_of_theirs(
        &self,
        pager: &Arc<Pager>,
        key: &TableShape,
    ) -> Result<Option<Changes>> {
        match (self.base, self.theirs) {
            (Some(base), Some(theirs)) if self.is_told_apart => {
                Changes::of_all_rows(pager, key, base, theirs).map(Some)
            }
            _ => self.changes(pager, key, self.theirs),
        }
    }

    pub(crate) fn all(&self) -> [Option<TableVersion<'a>>; 3] {
        [self.base, self.ours, self.theirs]
    }

    /// What a side changed, matched by the key of the merged table.
    pub(super) fn changes(
        &self,
        pager: &Arc<Pager>,
        key: &TableShape,
        side: Option<TableVersion<'a>>,
    ) -> Result<Option<Changes>> {
        let Some(side) = side else { return Ok(None) };
        let base = self.base.unwrap_or(TableVersion::empty(side.shape));
        Changes::new(pager, key, base, side).map(Some)
    }

    /// Calls `look` with the changes of both sides to one key, for all keys that both changed.
    pub(crate) fn for_each_pair(
        &self,
        pager: &Arc<Pager>,
        key: &TableShape,
        mut look: impl FnMut(&RawChange, &RawChange) -> Result<()>,
    ) -> Result<()> {
        let mut ours = Stream::new(self.changes(pager, key, self.ours)?)?;
        let mut theirs = Stream::new(self.changes_of_theirs(pager, key)?)?;
        while let (Some(left), Some(right)) = (&ours.next, &theirs.next) {
            match left.key.cmp(&right.key) {
                Ordering::Less => drop(ours.take()?),
                Ordering::Greater => drop(theirs.take()?),
                Ordering::Equal => {
                    look(left, right)?;
                    ours.take()?;
                    theirs.take()?;
                }
            }
        }
        Ok(())
    }
}

/// Changes with a look at the next one.
pub(super) struct Stream {
    changes: Option<Changes>,
    pub(super) next: Option<RawChange>,
}

impl Stream {
    pub(super) fn new(mut changes: Option<Changes>) -> Result<Self> {
        let next = changes.as_mut().map(Changes::next_change).transpose()?.flatten();
        Ok(Self { changes, next })
    }

    pub(super) fn take(&mut self) -> Result<Option<RawChange>> {
        let taken = self.next.take();
        if let Some(changes) = &mut self.changes {
            self.next = changes.next_change()?;
        }
        Ok(taken)
    }
}
