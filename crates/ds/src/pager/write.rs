//! Writing nodes: whole, or as a delta against the whole page that is in the file already.
//!
//! Every page written is unattached until a checkpoint reaches it, whoever writes it: a
//! checkpoint that fails leaves nothing behind that a later one could not take up. Neighbours:
//! `batch` places the bytes, `checkpoint` and `tree::spill` call [`Pager::write_tree`].

use super::{Batch, Pager};
use crate::error::{Error, Result};
use crate::format::{Granule, PageKind, PageRef, Stored, granules_of};
use crate::limits::{EXTENT_BYTES_MAX, TREE_LEVELS_MAX};
use crate::page::origin::delta_bytes_max;
use crate::page::{Body, Inner, Leaf, Link, Node, delta};
use crate::space::{Ledger, Unattached};
use crate::sync::Arc;
use crate::sync::atomic::Ordering;

/// What a write of a tree needs.
#[derive(Debug)]
pub struct Writing<'a, 'b> {
    /// Where the bytes go.
    pub batch: &'a mut Batch<'b>,
    /// Who answers for the extents.
    pub ledger: &'a mut Ledger,
    /// The birth of the pages.
    pub birth: u64,
}

impl Pager {
    /// Writes every page below `link` that is in memory only, children first in key order, and
    /// returns the reference to its page.
    pub fn write_tree(&self, link: &Link, writing: &mut Writing<'_, '_>) -> Result<PageRef> {
        match link {
            Link::Clean { page, .. } => Ok(*page),
            Link::Dirty(node) => self.write_node(node, writing),
        }
    }

    fn write_node(&self, node: &Arc<Node>, writing: &mut Writing<'_, '_>) -> Result<PageRef> {
        if let Some(page) = node.stored() {
            return Ok(*page);
        }
        if node.level() > TREE_LEVELS_MAX {
            return Err(Error::corrupt("a tree is higher than any can be"));
        }
        let page = match node.body() {
            Body::Leaf(leaf) => self.write_leaf(leaf, writing)?,
            Body::Inner(inner) => {
                for child in inner.children() {
                    self.write_tree(&child.link, writing)?;
                }
                self.write_inner(inner, writing)?
            }
        };
        node.set_stored(page);
        self.cache.insert(&page, node);
        Ok(page)
    }

    fn write_leaf(&self, leaf: &Leaf, writing: &mut Writing<'_, '_>) -> Result<PageRef> {
        let edges = if leaf.has_edges() { leaf.edges()? } else { Vec::new() };
        let change = match leaf.origin() {
            Some(origin) if !self.space.is_unattached(origin.base.granule) => {
                delta::encode_leaf(leaf)?.map(|bytes| (origin.base, bytes))
            }
            _ => None,
        };
        let page = PageRef {
            kind: PageKind::Leaf,
            level: 0,
            has_edges: !edges.is_empty(),
            base: NOWHERE,
            delta: None,
            birth: writing.birth,
            rows: leaf.len() as u64,
        };
        let whole = |out: &mut Vec<u8>| {
            leaf.encode(out);
            Ok(())
        };
        Self::write_version(page, change, &edges, whole, writing)
    }

    fn write_inner(&self, inner: &Inner, writing: &mut Writing<'_, '_>) -> Result<PageRef> {
        let edges: Vec<PageRef> =
            inner.children().filter_map(|child| child.stored_ref().copied()).collect();
        let change = match inner.origin() {
            Some(origin) if !self.space.is_unattached(origin.base.granule) => {
                delta::encode_inner(inner).map(|bytes| (origin.base, bytes))
            }
            _ => None,
        };
        let page = PageRef {
            kind: PageKind::Inner,
            level: inner.level(),
            has_edges: true,
            base: NOWHERE,
            delta: None,
            birth: writing.birth,
            rows: inner.rows(),
        };
        Self::write_version(page, change, &edges, |out| inner.encode(out), writing)
    }

    /// Writes the delta where it is short enough, else the whole page, and notes the extent.
    fn write_version(
        mut page: PageRef,
        change: Option<(Stored, Vec<u8>)>,
        edges: &[PageRef],
        whole: impl FnOnce(&mut Vec<u8>) -> Result<()>,
        writing: &mut Writing<'_, '_>,
    ) -> Result<PageRef> {
        if let Some((base, bytes)) = change
            && bytes.len() <= EXTENT_BYTES_MAX
            && let Some(delta) = writing.batch.write_if_short(&bytes, delta_bytes_max(&base))?
        {
            page.base = base;
            page.delta = Some(delta);
        } else {
            let mut bytes = Vec::with_capacity(writing.batch.pager().page_bytes());
            whole(&mut bytes)?;
            check_length(bytes.len())?;
            page.base = writing.batch.write(&bytes)?;
        }
        note(&page, edges, writing);
        Ok(page)
    }

    /// Writes one piece of a large value, or the index of its pieces.
    pub(super) fn write_piece(
        &self,
        kind: PageKind,
        bytes: &[u8],
        rows: u64,
        edges: &[PageRef],
        writing: &mut Writing<'_, '_>,
    ) -> Result<PageRef> {
        check_length(bytes.len())?;
        let page = PageRef {
            kind,
            level: 0,
            has_edges: !edges.is_empty(),
            base: writing.batch.write(bytes)?,
            delta: None,
            birth: writing.birth,
            rows,
        };
        note(&page, edges, writing);
        Ok(page)
    }

    /// The birth of pages that are written before their commit has a number.
    pub fn birth_of_uncommitted(&self) -> u64 {
        self.commit.load(Ordering::Acquire) + 1
    }
}

/// Stands in until the page is placed.
const NOWHERE: Stored = Stored { granule: Granule(0), stored: 0, raw: 0, checksum: 0, codec: 0 };

fn check_length(bytes: usize) -> Result<()> {
    if bytes <= EXTENT_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(
        crate::ErrorKind::Limit,
        format!("a page of {bytes} bytes is longer than {EXTENT_BYTES_MAX}: use shorter keys"),
    ))
}

fn note(page: &PageRef, edges: &[PageRef], writing: &mut Writing<'_, '_>) {
    let unattached = Unattached {
        granules: granules_of(page.newest().stored),
        edges: edges.iter().map(PageRef::version).collect(),
        base: page.delta.map(|_| page.base.granule),
        birth: page.birth,
    };
    writing.batch.pager().space.add_unattached(page.version(), unattached);
    writing.ledger.note(page.version());
}
