//! What a changed page was copied from, and what changed since, while that is little.
//!
//! A checkpoint writes such a page as a *delta* against the whole page that is already in the
//! file: one granule instead of a page. The list grows with every change and is given up when
//! writing the page whole is the better choice. Neighbours: `delta` has the bytes, `leaf` and
//! `inner` carry an origin, `pager` decides at the time of writing.

use smallvec::SmallVec;

use crate::format::{PageRef, Stored};

/// So many keys are looked at as quickly as a second list of them is kept.
const KEYS_FEW: usize = if cfg!(test) { 0 } else { 2 };

/// Keys or child positions that changed.
#[derive(Debug)]
pub enum Touched {
    /// Keys of a leaf, sorted.
    Keys(Vec<SmallVec<[u8; 16]>>),
    /// Positions of children of an inner page, sorted.
    Children(Vec<u32>),
}

/// With room for one more: most copies of a page get one change.
impl Clone for Touched {
    fn clone(&self) -> Self {
        match self {
            Self::Keys(keys) => {
                let mut copy = Vec::with_capacity(keys.len() + 1);
                // A list's own `clone` takes one byte after the other.
                copy.extend(keys.iter().map(|key| SmallVec::from_slice(key)));
                Self::Keys(copy)
            }
            Self::Children(children) => {
                let mut copy = Vec::with_capacity(children.len() + 1);
                copy.extend_from_slice(children);
                Self::Children(copy)
            }
        }
    }
}

/// The whole page that a delta may stand against.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The whole page in the file.
    pub base: Stored,
    /// What changed.
    pub touched: Touched,
    /// The newest checkpoint that had begun when the copy was made: those since then may have
    /// freed the base.
    pub made_at: u64,
    /// About how long the delta's raw form is.
    bytes: usize,
}

impl Origin {
    /// Nothing changed yet since `page` was read.
    pub fn of_leaf(page: &PageRef) -> Self {
        Self { base: page.base, touched: Touched::Keys(Vec::new()), made_at: 0, bytes: 0 }
    }

    /// Nothing changed yet since `page` was read.
    pub fn of_inner(page: &PageRef) -> Self {
        Self { base: page.base, touched: Touched::Children(Vec::new()), made_at: 0, bytes: 0 }
    }

    /// Whether so much has changed that most of it is the same in two copies of today: then these
    /// are better compared by their `lineage`.
    pub fn is_long(&self) -> bool {
        match &self.touched {
            Touched::Keys(keys) => keys.len() > KEYS_FEW,
            Touched::Children(_) => false,
        }
    }

    /// Notes that `key` changed to something of `payload` bytes; `false` when the delta has
    /// grown too large to pay.
    pub fn touch_key(&mut self, key: &[u8], payload: usize) -> bool {
        let Touched::Keys(keys) = &mut self.touched else { return false };
        // Deltas are read, and many changes made, in the order of the keys.
        let is_last = keys.last().is_none_or(|last| last.as_slice() < key);
        let found = if is_last {
            Err(keys.len())
        } else {
            keys.binary_search_by(|touched| touched.as_slice().cmp(key))
        };
        if let Err(position) = found {
            keys.insert(position, SmallVec::from_slice(key));
            self.bytes += key.len() + 4;
        }
        self.bytes += payload;
        self.bytes <= delta_bytes_max(&self.base)
    }

    /// Notes that the child at `index` changed; `false` when the delta would not pay.
    pub fn touch_child(&mut self, index: u32) -> bool {
        let Touched::Children(children) = &mut self.touched else { return false };
        if let Err(position) = children.binary_search(&index) {
            children.insert(position, index);
            self.bytes += 40;
        }
        self.bytes <= delta_bytes_max(&self.base)
    }
}

/// The longest stored delta that still pays against a page: base and delta together are what a
/// later read has to fetch and what stays in the file.
pub fn delta_bytes_max(base: &Stored) -> usize {
    base.stored as usize / 2
}
