//! Two leaves of the file that stand against one whole page, compared by their deltas.
//!
//! Neither leaf is put together: the keys of the two deltas are all that may differ, and a key
//! that only one of them has is in the whole page on the other side. So the two versions of a
//! large table, which together do not fit in the cache, are compared with one of them in it.
//! Neighbours: `diff` uses it where the leaves are not in memory, `pager::deltas` reads.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::diff::order_of;
use super::diff_side::Side;
use crate::error::Result;
use crate::format::PageRef;
use crate::page::delta::LeafDelta;
use crate::page::{Body, Cell, Child, Node};
use crate::pager::Pager;
use crate::pager::deltas::DeltaReader;
use crate::sync::Arc;

/// Two leaves with one whole page behind them.
pub(super) struct Deltas {
    whole: Arc<Node>,
    left: Option<LeafDelta>,
    right: Option<LeafDelta>,
    /// For each key that may differ its place in the two deltas, greatest key first.
    places: SmallVec<[Places; 4]>,
}

#[derive(Clone, Copy)]
struct Places {
    left: Option<usize>,
    right: Option<usize>,
}

/// What a key maps to on both sides.
pub(super) struct Pair<'a> {
    pub(super) key: &'a [u8],
    pub(super) old: Option<Cell<'a>>,
    pub(super) new: Option<Cell<'a>>,
}

/// The leaves that two links lead to, if they are to be compared here.
pub(super) fn pages<'a>(
    pager: &Pager,
    left: &'a Child,
    right: &'a Child,
) -> Option<(&'a PageRef, &'a PageRef)> {
    let (old, new) = (left.stored_ref()?, right.stored_ref()?);
    if old.base != new.base || old.level != 0 || new.level != 0 {
        return None;
    }
    // What is in memory is compared there.
    let is_missing = |child: &Child| pager.in_memory(&child.link).is_none();
    (is_missing(left) || is_missing(right)).then_some((old, new))
}

impl Deltas {
    /// Reads the deltas of two leaves that stand against one page, with keys between the limits
    /// of the sides; none where a delta is not as this writes them.
    pub(super) fn read(
        pager: &Pager,
        (left_page, right_page): (&PageRef, &PageRef),
        (left_child, right_child): (&Child, &Child),
        readers: &mut [DeltaReader; 2],
        side: &Side,
    ) -> Result<Option<Self>> {
        let [left_reader, right_reader] = readers;
        let (Some(left), Some(right)) =
            (left_reader.read(pager, left_page)?, right_reader.read(pager, right_page)?)
        else {
            return Ok(None);
        };
        let whole = match (&left, &right) {
            (None, _) => pager.hold(&left_child.link)?,
            (_, None) => pager.hold(&right_child.link)?,
            _ => pager.whole_leaf(left_page)?,
        };
        let mut deltas = Self { whole, left, right, places: SmallVec::new() };
        deltas.pair(side);
        Ok(Some(deltas))
    }

    /// Pairs the keys of the deltas.
    fn pair(&mut self, side: &Side) {
        let keys = |delta: &Option<LeafDelta>| delta.as_ref().map_or(0, LeafDelta::len);
        let (mut left, mut right) = (keys(&self.left), keys(&self.right));
        while left > 0 || right > 0 {
            let old = self.left.as_ref().filter(|_| left > 0).map(|delta| delta.key(left - 1));
            let new = self.right.as_ref().filter(|_| right > 0).map(|delta| delta.key(right - 1));
            let order = match (old, new) {
                (Some(old), Some(new)) => order_of(old, new),
                (old, _) if old.is_some() => Ordering::Greater,
                _ => Ordering::Less,
            };
            let (takes_left, takes_right) = (order.is_ge(), order.is_le());
            let key = if takes_left { old } else { new };
            let is_wanted = key.is_some_and(|key| side.wants(key));
            left -= usize::from(takes_left);
            right -= usize::from(takes_right);
            if is_wanted {
                let places = Places {
                    left: takes_left.then_some(left),
                    right: takes_right.then_some(right),
                };
                self.places.push(places);
            }
        }
    }

    /// Takes the next key that may differ, and gives what it maps to on both sides.
    pub(super) fn next_pair(&mut self) -> Result<Option<Pair<'_>>> {
        let Some(places) = self.places.pop() else { return Ok(None) };
        let left = self.left.as_ref().zip(places.left);
        let right = self.right.as_ref().zip(places.right);
        let Some(key) = left.or(right).map(|(delta, at)| delta.key(at)) else { return Ok(None) };
        let (old, new) = (find(&self.whole, left, key)?, find(&self.whole, right, key)?);
        Ok(Some(Pair { key, old, new }))
    }
}

/// What a key maps to by a delta, or else by the whole page.
fn find<'a>(
    whole: &'a Node,
    changed: Option<(&'a LeafDelta, usize)>,
    key: &[u8],
) -> Result<Option<Cell<'a>>> {
    match (changed, whole.body()) {
        (Some((delta, at)), _) => Ok(delta.cell(at)),
        (None, Body::Leaf(leaf)) => Ok(leaf.search(key)?.ok().map(|index| leaf.cell(index))),
        (None, Body::Inner(_)) => Ok(None),
    }
}

// Neighbours: `diff`, `diff_side`.
