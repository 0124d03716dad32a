//! Doing logged operations on trees again: at recovery, and when a transaction moves to a newer
//! version of its head.
//!
//! Neighbours: `recovery` and `transaction::rebase` call this; `wal` has the operations.

use std::ops::Bound;

use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeKind;
use pandodb_ds::tree::{PutMode, Writer};

use crate::error::{Error, Result};
use crate::ids::TreeId;
use crate::wal::Operation;

/// Does one operation on the trees of a head; others are left to the caller.
///
/// Doing a whole log again on the state it began with gives the state it ended with, so nothing
/// here may depend on anything but the forest and the operation.
pub(crate) fn apply(
    forest: &mut Forest,
    writer: &mut Writer<'_>,
    tree: TreeId,
    operation: &Operation<'_>,
) -> Result<()> {
    match *operation {
        Operation::Put { key, value } => {
            forest.put(writer, tree, key, value, PutMode::Replace)?;
        }
        Operation::Delete { key } => {
            forest.remove(writer, tree, key)?;
        }
        Operation::DeleteRange { from, to } => {
            forest.remove_range(writer, tree, lower(from), upper(to))?;
        }
        Operation::CreateTree { settings } => {
            forest.create_tree(tree, tree_kind(settings)?)?;
        }
        Operation::DropTree => {
            forest.drop_tree(tree);
        }
        _ => {}
    }
    Ok(())
}

/// The start of a logged range as a bound: the empty key comes before all others, also in trees
/// whose keys all have eight bytes.
pub(crate) fn lower(from: &[u8]) -> Bound<&[u8]> {
    if from.is_empty() { Bound::Unbounded } else { Bound::Included(from) }
}

/// The end of a logged range as a bound.
pub(crate) fn upper(to: Option<&[u8]>) -> Bound<&[u8]> {
    to.map_or(Bound::Unbounded, Bound::Excluded)
}

/// The settings of a tree as they are logged.
pub(crate) fn settings(kind: TreeKind) -> [u8; 1] {
    [kind as u8]
}

fn tree_kind(settings: &[u8]) -> Result<TreeKind> {
    match settings {
        [kind] => Ok(TreeKind::decode(*kind)?),
        _ => Err(Error::corrupt("the log creates a tree with unknown settings")),
    }
}
