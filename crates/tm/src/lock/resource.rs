//! What can be locked: a head, the right to move it, a tree, a key of a tree, or the gap before
//! a key.
//!
//! A lock outlives the buffers of its statement and is hashed at each request, so a resource is
//! 24 bytes by value. A key is kept as a digest of 64 bits: two keys that share one only wait
//! for each other without need. Locking a key *and the gap before it* (next-key locking) is what
//! keeps phantoms out of a range that was read. Neighbours: `table` maps these to queues.

use std::fmt;
use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::ids::{HeadId, TreeId};

/// Something that a lock is held on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    head: HeadId,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Writer,
    Head,
    Tree(TreeId),
    Key(TreeId, u64),
    GapBefore(TreeId, u64),
    GapAtEnd(TreeId),
}

impl Resource {
    /// All of a head.
    pub const fn head(head: HeadId) -> Self {
        Self { head, part: Part::Head }
    }

    /// The right to move a head. It stands beside the hierarchy: readers of rows do not meet it.
    pub const fn writer(head: HeadId) -> Self {
        Self { head, part: Part::Writer }
    }

    /// One tree.
    pub const fn tree(head: HeadId, tree: TreeId) -> Self {
        Self { head, part: Part::Tree(tree) }
    }

    /// One key, whether or not it is there.
    pub fn key(head: HeadId, tree: TreeId, key: &[u8]) -> Self {
        Self { head, part: Part::Key(tree, digest(key)) }
    }

    /// The open interval between a key and the one that precedes it.
    pub fn gap_before(head: HeadId, tree: TreeId, key: &[u8]) -> Self {
        Self { head, part: Part::GapBefore(tree, digest(key)) }
    }

    /// The open interval after the last key.
    pub const fn gap_at_end(head: HeadId, tree: TreeId) -> Self {
        Self { head, part: Part::GapAtEnd(tree) }
    }

    /// What contains it: an intention lock belongs there.
    pub const fn parent(self) -> Option<Self> {
        match self.part {
            Part::Writer | Part::Head => None,
            Part::Tree(_) => Some(Self::head(self.head)),
            Part::Key(tree, _) | Part::GapBefore(tree, _) | Part::GapAtEnd(tree) => {
                Some(Self::tree(self.head, tree))
            }
        }
    }

    /// The head it belongs to.
    pub const fn head_id(self) -> HeadId {
        self.head
    }

    /// The key, of the trees whose keys have eight bytes; of others a number that stands for it.
    pub const fn key_number(self) -> Option<u64> {
        match self.part {
            Part::Key(_, key) => Some(key),
            _ => None,
        }
    }

    /// The tree it belongs to, unless it is a whole head.
    pub const fn tree_id(self) -> Option<TreeId> {
        match self.part {
            Part::Writer | Part::Head => None,
            Part::Tree(tree)
            | Part::Key(tree, _)
            | Part::GapBefore(tree, _)
            | Part::GapAtEnd(tree) => Some(tree),
        }
    }
}

/// Eight bytes, a row id, stand for themselves and can be recognised in a message.
fn digest(key: &[u8]) -> u64 {
    if let Ok(bytes) = <[u8; 8]>::try_from(key) {
        return u64::from_be_bytes(bytes);
    }
    let mut hasher = FxHasher::default();
    hasher.write(key);
    // Keys of one byte and of two zero bytes must not meet for want of a length.
    hasher.write_usize(key.len());
    hasher.finish()
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Writer => f.write_str("the right to write to ")?,
            Part::Head => {}
            Part::Tree(tree) => write!(f, "tree {} of ", tree.0)?,
            Part::Key(tree, key) => write!(f, "key {key:#x} of tree {} of ", tree.0)?,
            Part::GapBefore(tree, key) => {
                write!(f, "gap before key {key:#x} of tree {} of ", tree.0)?;
            }
            Part::GapAtEnd(tree) => write!(f, "gap at the end of tree {} of ", tree.0)?,
        }
        write!(f, "head {}", self.head.0)
    }
}
