//! Moving a transaction to a newer version of its head: looking for conflicts, then doing its
//! operations again there.
//!
//! Two versions are compared where the transaction wrote or depends on something, by value: a row
//! that was changed and changed back is as it was. Whole trees that are the same version are not
//! looked into. Neighbours: `commit` and `locking` call this, `replay` does the operations.

use std::fmt;

use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Diff, Found, Tree};

use super::part::Private;
use super::reads::RangeSet;
use super::{Dependency, Keys, Part};
use crate::error::{Error, ErrorKind, Result};
use crate::heads::HeadVersion;
use crate::ids::{HeadId, TreeId};
use crate::replay;
use crate::wal::{FrameBuffer, Operation};

/// The operations in a log buffer that are on the trees of `head`.
pub(super) fn operations_on(
    frames: &FrameBuffer,
    head: HeadId,
) -> impl Iterator<Item = Result<(TreeId, Operation<'_>)>> {
    let mut current = None;
    frames.operations().filter_map(move |entry| match entry {
        Ok((_, Operation::Begin { head, .. })) => {
            current = Some(head);
            None
        }
        Ok(operation) => (current == Some(head)).then_some(Ok(operation)),
        Err(error) => Some(Err(error)),
    })
}

/// The one key that an operation changes.
pub(super) fn written_key<'a>(operation: &Operation<'a>) -> Option<&'a [u8]> {
    match operation {
        Operation::Put { key, .. } | Operation::Delete { key } => Some(key),
        _ => None,
    }
}

/// Puts the part on `newest` and does its operations again there; after an error it is as it was.
pub(super) fn rebase(
    part: &mut Part,
    newest: Arc<HeadVersion>,
    frames: &FrameBuffer,
    pager: &Pager,
) -> Result<()> {
    if let Some(private) = &part.private {
        let mut moved = Private::new(newest.forest.clone(), pager);
        moved.is_changed = private.is_changed;
        let head = part.head();
        moved.change(pager, None, |forest, writer| {
            for operation in operations_on(frames, head) {
                let (tree, operation) = operation?;
                replay::apply(forest, writer, tree, &operation)?;
            }
            Ok(())
        })?;
        part.private = Some(Box::new(moved));
    }
    part.base = newest;
    Ok(())
}

/// A [`Conflict`](ErrorKind::Conflict) if something that the part wrote, or depends on, is not in
/// `newest` what it was in its base.
pub(super) fn check_conflicts(
    part: &Part,
    newest: &HeadVersion,
    frames: &FrameBuffer,
    dependencies: &[Dependency],
    pager: &Arc<Pager>,
) -> Result<()> {
    let comparison =
        Comparison { head: part.head(), base: &part.base.forest, newest: &newest.forest, pager };
    for operation in operations_on(frames, part.head()) {
        let (tree, operation) = operation?;
        match operation {
            Operation::Put { key, .. } | Operation::Delete { key } => {
                comparison.check_key(tree, key)?;
            }
            Operation::DeleteRange { from, to } => comparison.check_range(tree, from, to)?,
            Operation::CreateTree { .. } | Operation::DropTree => {
                comparison.check_range(tree, &[], None)?;
            }
            _ => {}
        }
    }
    for dependency in dependencies.iter().filter(|other| other.head == part.head()) {
        match &dependency.keys {
            Keys::One(key) => comparison.check_key(dependency.tree, key)?,
            Keys::Range(from, to) => {
                comparison.check_range(dependency.tree, from, to.as_deref())?;
            }
        }
    }
    Ok(())
}

/// What another transaction changed first, for whoever knows what trees and keys stand for: the
/// details of a [`Conflict`](ErrorKind::Conflict).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// Where the pager is that the database reads by: a number that tells open databases apart.
    pager: usize,
    /// The head.
    pub head: HeadId,
    /// The tree.
    pub tree: TreeId,
    /// The key; none where more than one may be meant.
    pub key: Option<Vec<u8>>,
}

impl Clash {
    /// Whether it was in the database that is read by `pager`.
    pub fn is_in(&self, pager: &Arc<Pager>) -> bool {
        self.pager == Arc::as_ptr(pager).addr()
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head {}, tree {}", self.head.0, self.tree.0)?;
        let Some(key) = &self.key else { return Ok(()) };
        f.write_str(", key 0x")?;
        key.iter().take(32).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::error::Error for Clash {}

/// Two versions of a head.
pub(super) struct Comparison<'a> {
    pub(super) head: HeadId,
    pub(super) base: &'a Forest,
    pub(super) newest: &'a Forest,
    pub(super) pager: &'a Arc<Pager>,
}

/// How a tree is in two versions.
enum Trees<'a> {
    Same,
    Both(&'a Tree, &'a Tree),
    /// Made or dropped by others.
    Other,
}

impl Comparison<'_> {
    fn trees(&self, tree: TreeId) -> Trees<'_> {
        match (self.base.tree(tree), self.newest.tree(tree)) {
            (None, None) => Trees::Same,
            (Some(base), Some(newest)) if base.is_same_version(newest) => Trees::Same,
            (Some(base), Some(newest)) => Trees::Both(base, newest),
            _ => Trees::Other,
        }
    }

    fn check_key(&self, tree: TreeId, key: &[u8]) -> Result<()> {
        let is_same = match self.trees(tree) {
            Trees::Same => true,
            Trees::Other => false,
            Trees::Both(base, newest) => base.get_with(self.pager, key, |before| {
                newest.get_with(self.pager, key, |after| is_same_value(before, after))
            })??,
        };
        if is_same { Ok(()) } else { Err(self.conflict(tree, Some(key))) }
    }

    fn check_range(&self, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Result<()> {
        let mut ranges = RangeSet::default();
        ranges.add(from, to);
        self.check_ranges(tree, &ranges)
    }

    /// A conflict if a key of the ranges was changed, came, or went.
    pub(super) fn check_ranges(&self, tree: TreeId, ranges: &RangeSet) -> Result<()> {
        let (base, newest) = match self.trees(tree) {
            Trees::Same => return Ok(()),
            Trees::Other => return Err(self.conflict(tree, None)),
            Trees::Both(base, newest) => (base, newest),
        };
        let mut differences = Diff::new(self.pager, base, newest);
        loop {
            let found = differences.next_with(|key, _, _, _| {
                let conflict = ranges.contains(key).then(|| key.to_vec());
                Ok((conflict, ranges.is_behind(key)))
            })?;
            match found {
                None | Some((None, true)) => return Ok(()),
                Some((Some(key), _)) => return Err(self.conflict(tree, Some(&key))),
                Some((None, false)) => {}
            }
        }
    }

    #[cold]
    fn conflict(&self, tree: TreeId, key: Option<&[u8]>) -> Error {
        let clash = Clash {
            pager: Arc::as_ptr(self.pager).addr(),
            head: self.head,
            tree,
            key: key.map(<[u8]>::to_vec),
        };
        Error::with_source(
            ErrorKind::Conflict,
            "another transaction committed a change first",
            clash,
        )
    }
}

fn is_same_value(before: Option<Found<'_>>, after: Option<Found<'_>>) -> bool {
    match (before, after) {
        (None, None) => true,
        (Some(Found::Inline(before)), Some(Found::Inline(after))) => before == after,
        // Large values that were written anew count as changed, whatever they say.
        (Some(Found::Large(before)), Some(Found::Large(after))) => before.is_same_version(&after),
        _ => false,
    }
}
