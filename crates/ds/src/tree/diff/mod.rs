//! What differs between two trees: found by walking both and skipping the pages they share.
//!
//! Each side is a path of pages from its root to the next thing to look at, a page or an entry.
//! When both sides stand before the same version of a page, both step over it. Otherwise the
//! side whose page is higher (or, on one level, begins earlier) goes down. Two leaves that were
//! copied from one page know which keys changed since: only those are looked at. So
//! the work follows what changed, not what is there. Neighbours: `side` is the path of a side,
//! `deltas` compares leaves that are not in memory, `cursor` walks one tree, `page::origin` and
//! `page::lineage` keep the keys.

mod deltas;
mod side;

use std::cmp::Ordering;

use self::deltas::{Deltas, Pair};
use self::side::{Next, Side};
use super::Tree;
use super::get::{Found, OwnedValue};
use crate::error::Result;
use crate::page::lineage::Key;
use crate::page::origin::Touched;
use crate::page::{Body, Cell, Leaf, Node};
use crate::pager::Pager;
use crate::pager::deltas::DeltaReader;
use crate::sync::Arc;

/// One key whose value is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Vec<u8>,
    /// The value on the left side; none when the key is only on the right.
    pub old: Option<OwnedValue>,
    /// The value on the right side; none when the key is only on the left.
    pub new: Option<OwnedValue>,
}

/// Whether the innermost pages of both sides are there for the same keys. A page may have grown
/// over the keys of a neighbour that was dropped: what it holds of those, the other side holds
/// elsewhere.
fn is_same_range(left: &Side, right: &Side) -> bool {
    left.lower_bound() == right.lower_bound() && left.upper_bound() == right.upper_bound()
}

/// The keys that may differ between the two leaves that the sides stand in, greatest first.
type Candidates = Vec<Key>;

/// The differences of two trees in key order, found as they are asked for.
pub struct Diff {
    left: Side,
    right: Side,
    /// Set while both sides go through leaves that were copied from one page.
    candidates: Option<Candidates>,
    /// Set while both sides stand before leaves that are compared by their deltas in the file.
    deltas: Option<Box<Deltas>>,
    readers: Box<[DeltaReader; 2]>,
}

impl Diff {
    /// The changes that lead from `left` to `right`; both are in the file of `pager`.
    pub fn new(pager: &Arc<Pager>, left: &Tree, right: &Tree) -> Self {
        Self {
            left: Side::new(Arc::clone(pager), left),
            right: Side::new(Arc::clone(pager), right),
            candidates: None,
            deltas: None,
            readers: Box::default(),
        }
    }

    /// Only the changes of keys from one on, and up to another; before the first was asked for.
    #[must_use]
    pub fn between(mut self, from: Option<&[u8]>, to: Option<&[u8]>) -> Self {
        self.left.limit(from, to);
        self.right.limit(from, to);
        self
    }

    /// The next change.
    pub fn next_change(&mut self) -> Result<Option<Change>> {
        self.next_with(|key, old, new, pager| {
            let owned =
                |found: Option<Found<'_>>| found.map(|found| found.to_owned(pager)).transpose();
            Ok(Change { key: key.to_vec(), old: owned(old)?, new: owned(new)? })
        })
    }

    /// Counts what is left: keys only on the right, only on the left, and changed.
    pub fn count(mut self) -> Result<(u64, u64, u64)> {
        let (mut added, mut removed, mut changed) = (0, 0, 0);
        while let Some(counts) =
            self.next_with(|_, old, new, _| Ok((old.is_some(), new.is_some())))?
        {
            match counts {
                (false, _) => added += 1,
                (true, false) => removed += 1,
                (true, true) => changed += 1,
            }
        }
        Ok((added, removed, changed))
    }

    /// Calls `look` with the next key that differs and what it maps to on both sides.
    pub fn next_with<R>(
        &mut self,
        look: impl FnOnce(&[u8], Option<Found<'_>>, Option<Found<'_>>, &Pager) -> Result<R>,
    ) -> Result<Option<R>> {
        loop {
            if let Some(deltas) = &mut self.deltas {
                while let Some(Pair { key, old, new }) = deltas.next_pair()? {
                    let pager = &self.left.pager;
                    if let (Some(old), Some(new)) = (old, new)
                        && is_same_value(pager, old, new)?
                    {
                        continue;
                    }
                    if old.is_none() && new.is_none() {
                        continue;
                    }
                    let old = old.map(Found::of).transpose()?;
                    let new = new.map(Found::of).transpose()?;
                    return look(key, old, new, pager).map(Some);
                }
                self.deltas = None;
                self.left.skip();
                self.right.skip();
            }
            match self.step()? {
                Outcome::Nothing => {}
                Outcome::End => return Ok(None),
                Outcome::Differs(order) => return self.report(order, look).map(Some),
            }
        }
    }

    fn report<R>(
        &mut self,
        order: Ordering,
        look: impl FnOnce(&[u8], Option<Found<'_>>, Option<Found<'_>>, &Pager) -> Result<R>,
    ) -> Result<R> {
        let mut key = Vec::new();
        let mut old = None;
        let mut new = None;
        if order != Ordering::Greater
            && let Next::Entry(leaf, index) = self.left.next()
        {
            leaf.read_key(index, &mut key);
            old = Some(Found::of(leaf.cell(index))?);
        }
        if order != Ordering::Less
            && let Next::Entry(leaf, index) = self.right.next()
        {
            leaf.read_key(index, &mut key);
            new = Some(Found::of(leaf.cell(index))?);
        }
        let result = look(&key, old, new, &self.left.pager);
        if self.candidates.is_some() {
            // Both leaves are left together, once all candidates are looked at.
            return result;
        }
        if order != Ordering::Greater {
            self.left.skip();
        }
        if order != Ordering::Less {
            self.right.skip();
        }
        result
    }

    fn step(&mut self) -> Result<Outcome> {
        if self.candidates.is_some() {
            return self.next_candidate();
        }
        match (self.left.next(), self.right.next()) {
            (Next::End, Next::End) => return Ok(Outcome::End),
            (Next::Entry(..), Next::End) => return Ok(Outcome::Differs(Ordering::Less)),
            (Next::End, Next::Entry(..)) => return Ok(Outcome::Differs(Ordering::Greater)),
            (Next::Page(..), Next::End) => self.left.enter()?,
            (Next::End, Next::Page(..)) => self.right.enter()?,
            (Next::Page(left, left_level), Next::Page(right, right_level)) => {
                if left.link.is_same(&right.link) {
                    self.left.skip();
                    self.right.skip();
                    return Ok(Outcome::Nothing);
                }
                if let Some(pages) = deltas::pages(&self.left.pager, left, right)
                    && is_same_range(&self.left, &self.right)
                {
                    let (links, readers) = ((left, right), &mut *self.readers);
                    let found = Deltas::read(&self.left.pager, pages, links, readers, &self.left)?;
                    self.deltas = found.map(Box::new);
                    if self.deltas.is_some() {
                        return Ok(Outcome::Nothing);
                    }
                }
                self.enter_one_or_both(left_level.cmp(&right_level))?;
            }
            (Next::Entry(leaf, index), Next::Page(..)) => {
                if is_before(leaf, index, self.right.lower_bound().as_deref()) {
                    return Ok(Outcome::Differs(Ordering::Less));
                }
                self.right.enter()?;
            }
            (Next::Page(..), Next::Entry(leaf, index)) => {
                if is_before(leaf, index, self.left.lower_bound().as_deref()) {
                    return Ok(Outcome::Differs(Ordering::Greater));
                }
                self.left.enter()?;
            }
            (Next::Entry(_, left), Next::Entry(_, right)) => {
                if left == 0
                    && right == 0
                    && let (Some(left), Some(right)) =
                        (self.left.steps.last(), self.right.steps.last())
                {
                    self.candidates = candidates(&left.node, &right.node)
                        .filter(|_| is_same_range(&self.left, &self.right));
                    if self.candidates.is_some() {
                        return self.next_candidate();
                    }
                }
                return self.compare_leaves();
            }
        }
        Ok(Outcome::Nothing)
    }

    /// Goes to the next candidate that is not the same in both leaves.
    fn next_candidate(&mut self) -> Result<Outcome> {
        while let Some(key) = self.candidates.as_mut().and_then(Vec::pop) {
            let (Some(left), Some(right)) =
                (self.left.steps.last_mut(), self.right.steps.last_mut())
            else {
                break;
            };
            let (Body::Leaf(old), Body::Leaf(new)) = (left.node.body(), right.node.body()) else {
                break;
            };
            let order = match (old.search(&key)?, new.search(&key)?) {
                // What is behind the last key that is asked for.
                (Ok(before), _) if before >= left.end => continue,
                (_, Ok(after)) if after >= right.end => continue,
                (Ok(before), Ok(after)) => {
                    (left.index, right.index) = (before, after);
                    if is_same_value(&self.left.pager, old.cell(before), new.cell(after))? {
                        continue;
                    }
                    Ordering::Equal
                }
                (Ok(before), Err(_)) => {
                    left.index = before;
                    Ordering::Less
                }
                (Err(_), Ok(after)) => {
                    right.index = after;
                    Ordering::Greater
                }
                (Err(_), Err(_)) => continue,
            };
            return Ok(Outcome::Differs(order));
        }
        self.candidates = None;
        self.left.leave();
        self.right.leave();
        Ok(Outcome::Nothing)
    }

    /// Two pages that are not the same: the higher one is entered, or the one that begins
    /// earlier, or both.
    fn enter_one_or_both(&mut self, levels: Ordering) -> Result<()> {
        let order = match levels {
            Ordering::Greater => Ordering::Less,
            Ordering::Less => Ordering::Greater,
            Ordering::Equal => self.left.lower_bound().cmp(&self.right.lower_bound()),
        };
        if order != Ordering::Greater {
            self.left.enter()?;
        }
        if order != Ordering::Less {
            self.right.enter()?;
        }
        Ok(())
    }

    /// Goes through two leaves side by side up to the first difference or the end of one.
    fn compare_leaves(&mut self) -> Result<Outcome> {
        let (Some(left), Some(right)) = (self.left.steps.last_mut(), self.right.steps.last_mut())
        else {
            return Ok(Outcome::End);
        };
        let (Body::Leaf(old), Body::Leaf(new)) = (left.node.body(), right.node.body()) else {
            return Ok(Outcome::Nothing);
        };
        let (last_old, last_new) = (left.end - 1, right.end - 1);
        loop {
            let order = compare_keys(old, left.index, new, right.index);
            if order != Ordering::Equal {
                return Ok(Outcome::Differs(order));
            }
            if !is_same_value(&self.left.pager, old.cell(left.index), new.cell(right.index))? {
                return Ok(Outcome::Differs(Ordering::Equal));
            }
            if left.index == last_old || right.index == last_new {
                break;
            }
            left.index += 1;
            right.index += 1;
        }
        self.left.skip();
        self.right.skip();
        Ok(Outcome::Nothing)
    }
}

/// The changes in the order of the keys; nothing but the next one is held in memory.
impl Iterator for Diff {
    type Item = Result<Change>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_change().transpose()
    }
}

enum Outcome {
    /// Both sides moved on; look again.
    Nothing,
    /// The next entries differ: the lesser side has a key of its own, equal sides two values.
    Differs(Ordering),
    End,
}

/// The keys in which two leaves may differ, where both are a page of the file with changes that
/// are known; none where they have no page in common.
fn candidates(left: &Node, right: &Node) -> Option<Candidates> {
    /// A page that the leaf is a version of, and the keys that changed since.
    fn origin(node: &Node) -> Option<(&crate::format::Stored, &[Key])> {
        let Body::Leaf(leaf) = node.body() else { return None };
        match &leaf.origin()?.touched {
            Touched::Keys(keys) => Some((&leaf.origin()?.base, keys)),
            Touched::Children(_) => None,
        }
    }
    /// The page that the leaf is, as it stands in the file.
    fn whole(node: &Node) -> Option<(&crate::format::Stored, &[Key])> {
        let page = node.stored()?;
        page.delta.is_none().then_some((&page.base, &[]))
    }
    /// The keys that changed on both ways since the first relative that both have.
    fn since<T: Copy + PartialEq>(
        lefts: [Option<(T, &[Key])>; 2],
        rights: [Option<(T, &[Key])>; 2],
    ) -> Option<Candidates> {
        let lefts = lefts.into_iter().flatten();
        let both = lefts.flat_map(|left| rights.iter().flatten().map(move |right| (left, right)));
        both.filter(|(left, right)| left.0 == right.0)
            .map(|(left, right)| merged(left.1, right.1))
            .next()
    }
    let in_memory = match (left.body(), right.body()) {
        (Body::Leaf(left), Body::Leaf(right)) => {
            left.lineage().changed_since(right.lineage()).map(descending)
        }
        _ => None,
    };
    let in_file = || since([origin(left), whole(left)], [origin(right), whole(right)]);
    in_memory.or_else(in_file)
}

/// The keys of a list, each once, greatest first.
fn descending(mut keys: Candidates) -> Candidates {
    keys.sort_unstable_by(|left, right| order_of(right, left));
    keys.dedup();
    keys
}

/// The keys of two ascending lists, each once, greatest first.
fn merged(mut left: &[Key], mut right: &[Key]) -> Candidates {
    let mut keys = Vec::with_capacity(left.len() + right.len());
    while let (Some((old, before_old)), Some((new, before_new))) =
        (left.split_last(), right.split_last())
    {
        let order = order_of(old, new);
        keys.push(if order == Ordering::Less { new.clone() } else { old.clone() });
        if order != Ordering::Less {
            left = before_old;
        }
        if order != Ordering::Greater {
            right = before_new;
        }
    }
    keys.extend(left.iter().chain(right).rev().cloned());
    keys
}

/// The order of two keys; most have eight bytes.
fn order_of(left: &[u8], right: &[u8]) -> Ordering {
    match (<[u8; 8]>::try_from(left), <[u8; 8]>::try_from(right)) {
        (Ok(left), Ok(right)) => u64::from_be_bytes(left).cmp(&u64::from_be_bytes(right)),
        _ => left.cmp(right),
    }
}

fn is_before(leaf: &Leaf, index: usize, bound: Option<&[u8]>) -> bool {
    bound.is_some_and(|bound| leaf.key(index).as_slice() < bound)
}

fn compare_keys(left: &Leaf, left_index: usize, right: &Leaf, right_index: usize) -> Ordering {
    use crate::format::TreeKind;
    if left.kind() == TreeKind::Fixed && right.kind() == TreeKind::Fixed {
        return left.fixed(left_index).cmp(&right.fixed(right_index));
    }
    if left.prefix() == right.prefix() {
        return left.suffix(left_index).cmp(right.suffix(right_index));
    }
    left.key(left_index).cmp(&right.key(right_index))
}

fn is_same_value(pager: &Pager, old: Cell<'_>, new: Cell<'_>) -> Result<bool> {
    // Copies of one page share its bytes: what stands in one place need not be read.
    let is_one = old.kind == new.kind && std::ptr::eq(old.payload, new.payload);
    if is_one || old == new {
        return Ok(true);
    }
    match (Found::of(old)?, Found::of(new)?) {
        (Found::Large(old), Found::Large(new)) if old.rows == new.rows => Ok(old
            .is_same_version(&new)
            || pager.read_overflow(&old)? == pager.read_overflow(&new)?),
        _ => Ok(false),
    }
}
