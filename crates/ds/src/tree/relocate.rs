//! Moving pages out of the end of the file, so that the file can be cut there while it is in use.
//!
//! Nothing is moved behind anybody's back: a page that lies too high gets a copy in memory, as if
//! it had been changed, and so do the pages above it. The next checkpoint writes the copies
//! lower down and releases the old extents, which stay for as long as snapshots read them. What
//! several trees share stays shared: each page is copied once, whichever tree comes first. So a
//! crash at any point leaves what a checkpoint always leaves.
//!
//! ```text
//! Store::relocate(budget)                     which part of the end there is room for below
//!   each head: Forest::relocate, publish      as a commit of its own: a transaction that began
//!                                             before must not publish pages of its old version
//!   Store::checkpoint                         writes the copies, releases, cuts the file
//! drop(relocation)                            new pages may lie anywhere again
//! ```
//!
//! Neighbours: `space` puts new pages below the limit meanwhile, `checkpoint` moves the pages of
//! the registry and of the directories, `store` begins a relocation.

use rustc_hash::FxHashMap;

use super::{Tree, Writer};
use crate::error::{Error, Result};
use crate::format::{Granule, PageRef};
use crate::limits::GRANULE_BYTES;
use crate::page::{Body, Cell, CellKind, Child, Inner, Leaf, Link, Node};
use crate::pager::Pager;
use crate::space::Ledger;
use crate::space::ceiling::Ceiling;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, Mutex};

/// Pages on their way out of the end of the file.
#[derive(Debug)]
pub struct Relocation {
    /// What reaches behind this has to move.
    from: Granule,
    /// Granules that may still be moved.
    left: u64,
    moved: u64,
    /// The newest durable checkpoint when what follows was noted.
    noted_at: u64,
    /// What became of pages in the file, by version; none for a page that stays.
    pages: FxHashMap<Granule, (PageRef, Option<Child>)>,
    /// The same for pages in memory, which are kept so that their addresses stay theirs; an
    /// address is a name here, which nobody follows.
    nodes: FxHashMap<*const Node, (Arc<Node>, Option<Child>)>,
    /// Large values that were copied.
    values: FxHashMap<Granule, (PageRef, PageRef)>,
    /// Answers for the copies of large values.
    ledger: Ledger,
    /// Keeps new pages low and takes the ledger over; none inside of a checkpoint, where another
    /// relocation does.
    owner: Option<(Ceiling, Arc<Mutex<Vec<Ledger>>>)>,
}

impl Drop for Relocation {
    fn drop(&mut self) {
        // What was published refers to the copies, whether its checkpoint succeeded or not: the
        // next one that does returns those that it does not reach.
        if let Some((_, adopted)) = &self.owner
            && !self.ledger.is_empty()
        {
            adopted.lock().push(self.ledger.replace());
        }
    }
}

impl Relocation {
    /// Everything behind `ceiling`, up to `left` granules of it.
    pub(crate) fn new(
        pager: &Pager,
        ceiling: Ceiling,
        left: u64,
        adopted: Arc<Mutex<Vec<Ledger>>>,
    ) -> Self {
        let mut relocation = Self::within(pager, ceiling.granule(), left);
        relocation.owner = Some((ceiling, adopted));
        relocation
    }

    /// A part of a relocation under way.
    pub(crate) fn within(pager: &Pager, from: Granule, left: u64) -> Self {
        Self {
            from,
            left,
            moved: 0,
            noted_at: 0,
            pages: FxHashMap::default(),
            nodes: FxHashMap::default(),
            values: FxHashMap::default(),
            ledger: pager.ledger(),
            owner: None,
        }
    }

    /// Where the part of the file begins that is to become free, in bytes.
    pub fn from_bytes(&self) -> u64 {
        self.from.offset()
    }

    /// Bytes of pages that were copied so far.
    pub fn moved_bytes(&self) -> u64 {
        self.moved * GRANULE_BYTES
    }

    /// Whether `page` has to move and may. When enough was moved, the walk goes on nevertheless:
    /// whoever shares a page that was moved takes the copy, or it would be there twice.
    fn moves(&self, page: Option<&PageRef>) -> bool {
        self.left > 0 && page.is_some_and(|page| self.is_high(page))
    }

    fn is_high(&self, page: &PageRef) -> bool {
        let ends_high =
            |extent: crate::format::Extent| extent.start.0 + extent.granules > self.from.0;
        ends_high(page.base.extent()) || page.delta.is_some_and(|delta| ends_high(delta.extent()))
    }

    fn note_move(&mut self, page: &PageRef) {
        let granules = page.stored_bytes() / GRANULE_BYTES;
        self.moved += granules;
        self.left = self.left.saturating_sub(granules);
    }

    /// What the copies of an earlier checkpoint were is in the file now, or gone from it.
    fn forget_old(&mut self, pager: &Pager) {
        // Acquire: pairs with the checkpoint that made itself durable.
        let durable = pager.durable.load(Ordering::Acquire);
        if self.noted_at != durable {
            self.noted_at = durable;
            self.pages.clear();
            self.nodes.clear();
            self.values.clear();
        }
    }

    /// What takes the place of `child`, where it or something below it has to move.
    fn visit(&mut self, writer: &mut Writer<'_>, child: &Child) -> Result<Option<Child>> {
        let stored = child.stored_ref().copied();
        if let Some(page) = &stored {
            if page.level == 0 && !page.has_edges && !self.is_high(page) {
                return Ok(None);
            }
            if let Some((known, outcome)) = self.pages.get(&page.version())
                && known.is_same_version(page)
            {
                return Ok(outcome.clone());
            }
        }
        let node = writer.pager.hold(&child.link)?;
        if let Some((_, outcome)) = self.nodes.get(&Arc::as_ptr(&node))
            && stored.is_none()
        {
            return Ok(outcome.clone());
        }
        let outcome = match node.body() {
            Body::Leaf(leaf) => self.visit_leaf(writer, &node, leaf, stored.as_ref())?,
            Body::Inner(inner) => self.visit_inner(writer, &node, inner, stored.as_ref())?,
        };
        match stored {
            Some(page) => {
                self.pages.insert(page.version(), (page, outcome.clone()));
            }
            None => {
                self.nodes.insert(Arc::as_ptr(&node), (node, outcome.clone()));
            }
        }
        Ok(outcome)
    }

    fn visit_inner(
        &mut self,
        writer: &mut Writer<'_>,
        node: &Node,
        inner: &Inner,
        stored: Option<&PageRef>,
    ) -> Result<Option<Child>> {
        let mut replaced = Vec::new();
        for (index, child) in inner.children().enumerate() {
            if let Some(child) = self.visit(writer, child)? {
                replaced.push((index, child));
            }
        }
        let moves = self.moves(stored);
        if replaced.is_empty() && !moves {
            return Ok(None);
        }
        let mut copy = copy_of(writer, node);
        let Some(Body::Inner(inner)) = copy.body_mut() else { return Err(not_new()) };
        for (index, child) in replaced {
            inner.replace(index, child);
        }
        if let (Some(page), true) = (stored, moves) {
            // A delta would leave the whole page where it is.
            inner.set_origin(None);
            self.note_move(page);
        }
        Ok(Some(Child::dirty(copy)))
    }

    fn visit_leaf(
        &mut self,
        writer: &mut Writer<'_>,
        node: &Node,
        leaf: &Leaf,
        stored: Option<&PageRef>,
    ) -> Result<Option<Child>> {
        let mut values = Vec::new();
        if leaf.has_edges() {
            for index in 0..leaf.len() {
                let cell = leaf.cell(index);
                // The trees below a tree of trees are their owner's to move.
                if cell.kind == CellKind::Overflow
                    && let Some(page) = cell.edge()?
                    && let Some(page) = self.visit_value(writer.pager, &page)?
                {
                    values.push((index, page));
                }
            }
        }
        let moves = self.moves(stored);
        if values.is_empty() && !moves {
            return Ok(None);
        }
        let mut copy = copy_of(writer, node);
        let Some(Body::Leaf(leaf)) = copy.body_mut() else { return Err(not_new()) };
        for (index, page) in values {
            let mut payload = Vec::new();
            page.encode(&mut payload);
            let cell = Cell { kind: CellKind::Overflow, payload: &payload };
            let key = leaf.key(index);
            // References are of one length, so that the new one takes the place of the old one.
            let _ = leaf.put(Ok(index), &key, cell, usize::MAX / 4)?;
        }
        leaf.set_origin(None);
        if let (Some(page), true) = (stored, moves) {
            self.note_move(page);
        }
        Ok(Some(Child::dirty(copy)))
    }

    fn visit_value(&mut self, pager: &Pager, page: &PageRef) -> Result<Option<PageRef>> {
        if let Some((known, copy)) = self.values.get(&page.version())
            && known.is_same_version(page)
        {
            return Ok(Some(*copy));
        }
        if self.left == 0 {
            return Ok(None);
        }
        let from = self.from.0;
        let is_high = |page: &PageRef| {
            let extent = page.base.extent();
            extent.start.0 + extent.granules > from
        };
        let Some(copy) = pager.copy_overflow(page, &is_high, &mut self.ledger)? else {
            return Ok(None);
        };
        let granules = page.rows.div_ceil(GRANULE_BYTES);
        self.moved += granules;
        self.left = self.left.saturating_sub(granules);
        self.values.insert(page.version(), (*page, copy));
        Ok(Some(copy))
    }
}

fn copy_of(writer: &mut Writer<'_>, node: &Node) -> Node {
    // Acquire: pairs with the checkpoint that begins.
    let begun = writer.pager.begun.load(Ordering::Acquire);
    let copy = node.copy_for_change(writer.pager.page_bytes(), begun, || 0);
    *writer.dirty_bytes += copy.memory_bytes();
    copy
}

#[cold]
fn not_new() -> Error {
    Error::corrupt("a copy of a page is not what was copied")
}

impl Tree {
    /// Copies into memory what lies in the part of the file that `relocation` is about; returns
    /// whether there was anything. The content stays the same.
    pub fn relocate(
        &mut self,
        writer: &mut Writer<'_>,
        relocation: &mut Relocation,
    ) -> Result<bool> {
        relocation.forget_old(writer.pager);
        let Some(root) = &self.root else { return Ok(false) };
        let Some(moved) = relocation.visit(writer, root)? else { return Ok(false) };
        debug_assert!(matches!(moved.link, Link::Dirty(_)));
        self.root = Some(moved);
        Ok(true)
    }
}
