//! An inner page in memory: separators, and a link to each child.
//!
//! The children stand in a base that copies of the page share; two overlays hold the links that
//! changed since: older ones, which copies share, too, and a few new ones. So copying the path of
//! a change costs the few, not the fan-out. A change of the structure (a split, a merge) writes
//! the base anew. Neighbours: `overlay` is one of the two, `separators` finds the child, `leaf` is
//! the other kind of node, `tree` decides what to change.

mod overlay;

use self::overlay::Overlay;
use super::node::Node;
use super::origin::Origin;
use super::separators::Separators;
use crate::error::{Error, Result};
use crate::format::bytes::Reader;
use crate::format::layout::{INNER_HEADER, PAGE_REF};
use crate::format::{PageRef, TreeKind};
use crate::limits::TREE_LEVELS_MAX;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Arc, Padded};

/// Where a child is.
#[derive(Debug)]
pub enum Link {
    /// In the file; the hint is the cache frame where it was seen last.
    Clean {
        /// The page.
        page: PageRef,
        /// A frame number of the cache, or [`NO_HINT`].
        hint: AtomicU32,
    },
    /// In memory only, or not only: [`Node::stored`] tells.
    Dirty(Arc<Node>),
}

/// The hint of a link that nobody followed yet.
pub const NO_HINT: u32 = u32::MAX;

impl Clone for Link {
    fn clone(&self) -> Self {
        match self {
            Self::Clean { page, hint } => {
                // Relaxed: a hint is validated against the page's identity wherever it is used.
                Self::Clean { page: *page, hint: AtomicU32::new(hint.load(Ordering::Relaxed)) }
            }
            Self::Dirty(node) => match node.stored() {
                // Written meanwhile: let go of the memory, the cache has the page.
                Some(page) => Self::clean(*page),
                None => Self::Dirty(Arc::clone(node)),
            },
        }
    }
}

impl Link {
    /// A link to a page in the file.
    pub fn clean(page: PageRef) -> Self {
        Self::Clean { page, hint: AtomicU32::new(NO_HINT) }
    }

    /// A link to a page in memory.
    pub fn dirty(node: Node) -> Self {
        Self::Dirty(Arc::new(node))
    }

    /// The page in the file, if the child is written.
    pub fn stored_ref(&self) -> Option<&PageRef> {
        match self {
            Self::Clean { page, .. } => Some(page),
            Self::Dirty(node) => node.stored(),
        }
    }

    /// Whether both links lead to the same version of a page.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dirty(left), Self::Dirty(right)) if Arc::ptr_eq(left, right) => true,
            _ => match (self.stored_ref(), other.stored_ref()) {
                (Some(left), Some(right)) => left.is_same_version(right),
                _ => false,
            },
        }
    }
}

/// A child of an inner page.
#[derive(Clone, Debug)]
pub struct Child {
    /// Where it is.
    pub link: Link,
    /// Entries of its subtree.
    pub rows: u64,
}

impl Child {
    /// A child in the file.
    pub fn clean(page: PageRef) -> Self {
        Self { rows: page.rows, link: Link::clean(page) }
    }

    /// A child in memory.
    pub fn dirty(node: Node) -> Self {
        Self { rows: node.rows(), link: Link::dirty(node) }
    }

    /// The page in the file, if the child is written.
    pub fn stored_ref(&self) -> Option<&PageRef> {
        self.link.stored_ref()
    }
}

#[derive(Clone, Debug)]
struct Base {
    separators: Separators,
    children: Vec<Child>,
}

/// How many changed links each copy copies.
const NEW_MAX: usize = 8;

/// How many changed links stand beside the base, shared, before they are folded into it.
const OLD_MAX: usize = 40;

/// An inner page.
#[derive(Clone, Debug)]
pub struct Inner {
    level: u8,
    rows: u64,
    /// Away from the count of the copies that share it, which every copy and drop writes.
    base: Arc<Padded<Base>>,
    /// Links that are not those of the base.
    old: Option<Arc<Padded<Overlay<OLD_MAX>>>>,
    /// Links that are not those of the base, nor of the older ones.
    new: Overlay<NEW_MAX>,
    origin: Option<Box<Origin>>,
}

impl Inner {
    /// A page over `children`, between each two of which stands a separator.
    pub fn new(level: u8, separators: Separators, children: Vec<Child>) -> Self {
        debug_assert_eq!(separators.len() + 1, children.len());
        let rows = children.iter().map(|child| child.rows).sum();
        let base = Arc::new(Padded(Base { separators, children }));
        Self { level, rows, base, old: None, new: Overlay::default(), origin: None }
    }

    /// The height above the leaves.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Entries of the subtree.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many children.
    #[inline]
    pub fn len(&self) -> usize {
        self.base.children.len()
    }

    /// An inner page has at least one child.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The layout of the keys.
    pub fn kind(&self) -> TreeKind {
        self.base.separators.kind()
    }

    /// The separators.
    #[inline]
    pub fn separators(&self) -> &Separators {
        &self.base.separators
    }

    /// A child.
    #[inline]
    pub fn child(&self, index: usize) -> &Child {
        if !self.new.is_empty()
            && let Some(child) = self.new.get(index)
        {
            return child;
        }
        if let Some(old) = &self.old
            && let Some(child) = old.get(index)
        {
            return child;
        }
        &self.base.children[index]
    }

    /// All children in order.
    pub fn children(&self) -> impl Iterator<Item = &Child> {
        (0..self.len()).map(|index| self.child(index))
    }

    /// Puts another version of the child at `index` in its place.
    pub fn replace(&mut self, index: usize, child: Child) {
        if let Some(origin) = &mut self.origin
            && !origin.touch_child(index as u32)
        {
            self.origin = None;
        }
        self.set(index, child);
    }

    fn set(&mut self, index: usize, child: Child) {
        self.rows = self.rows - self.child(index).rows + child.rows;
        if let Some(place) = self.own_place(index) {
            *place = child;
            return;
        }
        let Err(child) = self.new.put(index, child) else { return };
        if self.age() {
            // There is room now, unless the place is too far for any.
            let Err(child) = self.new.put(index, child) else { return };
            self.base_mut().children[index] = child;
        } else {
            self.base_mut().children[index] = child;
        }
    }

    /// The place of a child that no other page shares, if it is in one.
    fn own_place(&mut self, index: usize) -> Option<&mut Child> {
        if self.new.get(index).is_some() {
            return self.new.get_mut(index);
        }
        if self.old.as_ref().is_some_and(|old| old.get(index).is_some()) {
            return alone(self.old.as_mut()?)?.get_mut(index);
        }
        alone(&mut self.base)?.children.get_mut(index)
    }

    /// Puts the new links among the older ones; false, and nothing changed, where those would be
    /// too many.
    fn age(&mut self) -> bool {
        let known = self.old.as_ref().map_or(0, |old| old.len());
        if known + self.new.len() > OLD_MAX {
            return false;
        }
        let room = known + self.new.len();
        let new = self.new.drain();
        let merged = match &mut self.old {
            None => Overlay::merged(room, std::iter::empty(), new),
            Some(old) => match alone(old) {
                Some(old) => {
                    *old = Overlay::merged(room, old.drain(), new);
                    return true;
                }
                None => Overlay::merged(room, old.iter(), new),
            },
        };
        self.old = Some(Arc::new(Padded(merged)));
        true
    }

    /// Puts a page that is in the file in the place of the child at `index`.
    pub fn replace_stored(&mut self, index: usize, page: PageRef) {
        self.set(index, Child::clean(page));
    }

    /// Takes the child at `index` out to be changed; it must be put back with
    /// [`Inner::replace`]. What stays behind is a link that leads nowhere useful, so that the
    /// taken child is the only holder of its node.
    pub fn take(&mut self, index: usize) -> Child {
        match self.own_place(index) {
            Some(place) => {
                let rows = place.rows;
                std::mem::replace(place, Child { link: nowhere(), rows })
            }
            None => self.child(index).clone(),
        }
    }

    /// The base alone, with the overlays folded in, ready for a change of structure.
    fn base_mut(&mut self) -> &mut Base {
        let base = &mut Arc::make_mut(&mut self.base).0;
        if let Some(mut old) = self.old.take() {
            for (index, child) in Arc::make_mut(&mut old).0.drain() {
                base.children[index] = child;
            }
        }
        for (index, child) in self.new.drain() {
            base.children[index] = child;
        }
        base
    }

    /// Puts `child` behind the child at `index`, separated by `separator`.
    pub fn insert_after(&mut self, index: usize, separator: &[u8], child: Child) -> Result<()> {
        self.origin = None;
        self.rows += child.rows;
        let base = self.base_mut();
        base.separators.insert(index, separator)?;
        base.children.insert(index + 1, child);
        Ok(())
    }

    /// Removes the children of `range`, but never all.
    pub fn remove_range(&mut self, range: std::ops::Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.origin = None;
        let base = self.base_mut();
        let removed: u64 = base.children.drain(range.clone()).map(|child| child.rows).sum();
        // The separators in front of the removed children go; where the first child is removed,
        // the separator in front of the first that stays goes instead.
        if range.start == 0 {
            base.separators.remove(0..range.end.min(base.separators.len()));
        } else {
            base.separators.remove(range.start - 1..range.end - 1);
        }
        self.rows -= removed;
    }

    /// Cuts the children from `index` on into a page of their own; returns the separator
    /// between the two.
    pub fn split_off(&mut self, index: usize) -> (Vec<u8>, Self) {
        self.origin = None;
        let level = self.level;
        let base = self.base_mut();
        let children = base.children.split_off(index);
        let right = base.separators.split_off(index);
        let last = base.separators.len() - 1;
        let between = base.separators.key(last);
        base.separators.remove(last..last + 1);
        let right = Self::new(level, right, children);
        self.rows -= right.rows;
        (between, right)
    }

    /// Appends the children of `right`, which is separated from this page by `between`.
    pub fn append(&mut self, between: &[u8], right: &Self) -> Result<()> {
        self.origin = None;
        let base = self.base_mut();
        base.separators.append(between, right.separators())?;
        base.children.extend(right.children().cloned());
        self.rows += right.rows;
        Ok(())
    }

    /// About how long the stored form is.
    pub fn used_bytes(&self) -> usize {
        INNER_HEADER.bytes + self.base.separators.stored_bytes() + self.len() * PAGE_REF.bytes
    }

    /// The bytes in memory.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.base.separators.memory_bytes()
            + self.len() * size_of::<Child>()
            + self.new.len() * size_of::<Child>()
            + self
                .old
                .as_ref()
                .map_or(0, |old| size_of::<Overlay<OLD_MAX>>() + old.len() * size_of::<Child>())
    }

    /// What the page was copied from.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// Sets what the page was copied from.
    pub fn set_origin(&mut self, origin: Option<Origin>) {
        self.origin = origin.map(Box::new);
    }

    /// Notes which checkpoint had begun last when the page was copied.
    pub(super) fn date_origin(&mut self, begun: u64) {
        if let Some(origin) = &mut self.origin {
            origin.made_at = begun;
        }
    }

    /// A copy whose links are all clean, for the cache: a cached page must not hold the pages
    /// below it in memory. `locate` tells where a child is, and in which frame.
    #[must_use]
    pub fn cleaned(&self, locate: &dyn Fn(&Child) -> Option<(PageRef, u32)>) -> Self {
        let clean = |child: &Child| match (&child.link, locate(child)) {
            (Link::Dirty(_), Some((page, hint))) => {
                Child { link: Link::Clean { page, hint: AtomicU32::new(hint) }, rows: child.rows }
            }
            _ => child.clone(),
        };
        let is_dirty = |child: &Child| matches!(child.link, Link::Dirty(_));
        let mut copy = self.clone();
        if self.base.children.iter().any(is_dirty) {
            let children = self.children().map(clean).collect();
            let separators = self.base.separators.clone();
            copy.base = Arc::new(Padded(Base { separators, children }));
            (copy.old, copy.new) = (None, Overlay::default());
            return copy;
        }
        if let Some(old) = self.old.as_ref().filter(|old| old.children().iter().any(is_dirty)) {
            copy.old = Some(Arc::new(Padded(old.map(clean))));
        }
        copy.new = self.new.map(clean);
        copy
    }

    /// The stored form; `locate` tells where a child is in the file.
    pub fn encode(
        &self,
        locate: &dyn Fn(&Child) -> Option<PageRef>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.extend_from_slice(&[self.kind() as u8, self.level, 0, 0]);
        out.extend_from_slice(&(self.len() as u32).to_le_bytes());
        self.base.separators.encode(out);
        for child in self.children() {
            let Some(page) = locate(child) else {
                return Err(Error::corrupt("an inner page was written before its children"));
            };
            page.encode(out);
        }
        Ok(())
    }

    /// Reads a stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let kind = TreeKind::decode(reader.u8()?)?;
        let level = reader.u8()?;
        reader.u16()?;
        let count = reader.u32()? as usize;
        if level == 0 || level > TREE_LEVELS_MAX {
            return Err(Error::corrupt(format!("an inner page claims level {level}")));
        }
        if count == 0 || count > bytes.len() / PAGE_REF.bytes {
            return Err(Error::corrupt(format!(
                "an inner page of {} bytes claims {count} children",
                bytes.len()
            )));
        }
        let separators = Separators::decode(kind, count - 1, &mut reader)?;
        let mut children = Vec::with_capacity(count);
        let mut rows = 0u64;
        for _ in 0..count {
            let page = PageRef::decode(&mut reader)?;
            if page.level + 1 != level {
                return Err(Error::corrupt(format!(
                    "a page on level {level} has a child on level {}",
                    page.level
                )));
            }
            rows = rows
                .checked_add(page.rows)
                .ok_or_else(|| Error::corrupt("row counts of an inner page overflow"))?;
            children.push(Child::clean(page));
        }
        if reader.remaining() > 0 {
            return Err(Error::corrupt("bytes are left behind an inner page"));
        }
        Ok(Self::new(level, separators, children))
    }
}

/// What one page has alone. The count is looked at first: `get_mut` would write it.
fn alone<T>(shared: &mut Arc<Padded<T>>) -> Option<&mut T> {
    if Arc::strong_count(shared) > 1 {
        return None;
    }
    Arc::get_mut(shared).map(|shared| &mut shared.0)
}

/// A link that stands in for a child while it is changed.
fn nowhere() -> Link {
    use crate::format::{Granule, PageKind, Stored};
    let base = Stored { granule: Granule(0), stored: 0, raw: 0, checksum: 0, codec: 0 };
    Link::clean(PageRef {
        kind: PageKind::Leaf,
        level: 0,
        has_edges: false,
        base,
        delta: None,
        birth: 0,
        rows: 0,
    })
}
