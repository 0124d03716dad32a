//! Fetching pages: from the cache, else from the file, verified.
//!
//! Neighbours: `write` is the other direction; `page` checks the structure.

use super::Pager;
use crate::codec;
use crate::error::{Error, Result};
use crate::format::{PageKind, PageRef, Stored};
use crate::limits::EXTENT_BYTES_MAX;
use crate::page::{Body, Inner, Leaf, Node, delta};
use crate::sync::Arc;
use crate::sync::atomic::Ordering;

impl Pager {
    /// A page, from the cache or the file, and its frame.
    pub(super) fn fetch(&self, page: &PageRef) -> Result<(Arc<Node>, Option<u32>)> {
        if let Some((node, frame)) = self.cache.by_version(page) {
            return Ok((node, Some(frame)));
        }
        let node = Arc::new(self.read_node(page)?);
        let frame = self.cache.insert(page, &node);
        Ok((node, frame))
    }

    /// A page from the file, past the cache.
    pub fn read_node(&self, page: &PageRef) -> Result<Node> {
        let at_page =
            |error: Error| error.at_offset(page.base.granule.offset()).in_file(self.file.path());
        let change = match &page.delta {
            Some(change) => Some(self.read_stored(change)?),
            None => None,
        };
        let body = match page.kind {
            PageKind::Leaf => Body::Leaf(match &change {
                Some(change) => {
                    let apply =
                        |leaf: &Leaf| delta::apply_leaf(leaf, change, page, self.page_bytes());
                    match self.cache.by_base(&page.base).as_deref().map(Node::body) {
                        Some(Body::Leaf(leaf)) => apply(leaf),
                        _ => apply(&self.decode_leaf(&page.base)?),
                    }
                    .map_err(at_page)?
                }
                None => self.decode_leaf(&page.base)?,
            }),
            PageKind::Inner => {
                let whole = self.read_stored(&page.base)?;
                let mut inner = Inner::decode(&whole).map_err(at_page)?;
                if let Some(change) = &change {
                    inner = delta::apply_inner(inner, change, page).map_err(at_page)?;
                }
                Body::Inner(inner)
            }
            PageKind::OverflowData | PageKind::OverflowIndex => {
                return Err(at_page(Error::corrupt("a tree refers to a piece of a large value")));
            }
        };
        let node = Node::read(body, *page);
        if node.level() != page.level || node.rows() != page.rows {
            return Err(at_page(Error::corrupt(format!(
                "a page on level {} with {} rows stands where level {} and {} rows should",
                node.level(),
                node.rows(),
                page.level,
                page.rows
            ))));
        }
        Ok(node)
    }

    fn decode_leaf(&self, base: &Stored) -> Result<Leaf> {
        let at_page =
            |error: Error| error.at_offset(base.granule.offset()).in_file(self.file.path());
        Leaf::decode(&self.read_stored(base)?).map_err(at_page)
    }

    /// The whole leaf that a version of it stands against.
    pub fn whole_leaf(&self, page: &PageRef) -> Result<Arc<Node>> {
        if let Some(node) = self.cache.by_base(&page.base) {
            return Ok(node);
        }
        let leaf = self.decode_leaf(&page.base)?;
        // It may be older than that: a later number is allowed.
        let whole = PageRef { delta: None, rows: leaf.len() as u64, ..*page };
        let node = Arc::new(Node::read(Body::Leaf(leaf), whole));
        self.cache.insert(&whole, &node);
        Ok(node)
    }

    /// The bytes of one extent as they are in the file, verified.
    pub fn read_extent(&self, stored: &Stored) -> Result<Vec<u8>> {
        let mut bytes = vec![0; stored.stored as usize];
        self.file.read_exact_at(stored.granule.offset(), &mut bytes)?;
        self.metrics.pages_read.fetch_add(1, Ordering::Relaxed);
        self.metrics.bytes_read.fetch_add(u64::from(stored.stored), Ordering::Relaxed);
        self.verify(stored, &bytes)?;
        Ok(bytes)
    }

    /// A piece of the file, whatever it is; returns how much of it there is.
    pub(super) fn read_piece(&self, offset: u64, piece: &mut [u8]) -> Result<usize> {
        let mut found = 0;
        while found < piece.len() {
            match self.file.read_at(offset + found as u64, &mut piece[found..])? {
                0 => break,
                more => found += more,
            }
        }
        self.metrics.bytes_read.fetch_add(found as u64, Ordering::Relaxed);
        Ok(found)
    }

    /// Whether bytes are those that a reference means.
    pub(super) fn verify(&self, stored: &Stored, bytes: &[u8]) -> Result<()> {
        let checksum = crc32fast::hash(bytes);
        if checksum != stored.checksum {
            let offset = stored.granule.offset();
            let message = format!(
                "checksum of {} bytes is {checksum:08x}, expected {:08x}",
                stored.stored, stored.checksum
            );
            return Err(Error::corrupt(message).at_offset(offset).in_file(self.file.path()));
        }
        Ok(())
    }

    /// The bytes of one extent, verified and decompressed.
    pub fn read_stored(&self, stored: &Stored) -> Result<Vec<u8>> {
        self.unpack(stored, self.read_extent(stored)?)
    }

    /// The content of an extent's bytes.
    pub(super) fn unpack(&self, stored: &Stored, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let offset = stored.granule.offset();
        let in_place = |error: Error| error.at_offset(offset).in_file(self.file.path());
        if stored.codec == codec::CodecId::None as u8 {
            if stored.raw != stored.stored {
                return Err(in_place(Error::corrupt("an uncompressed page has two lengths")));
            }
            return Ok(bytes);
        }
        let mut raw = Vec::new();
        codec::decompress(stored.codec, &bytes, stored.raw as usize, EXTENT_BYTES_MAX, &mut raw)
            .map_err(in_place)?;
        Ok(raw)
    }

    /// Every page that a page refers to.
    pub fn edges_of(&self, page: &PageRef) -> Result<Vec<PageRef>> {
        if !page.has_edges {
            return Ok(Vec::new());
        }
        if page.kind == PageKind::OverflowIndex {
            return self.overflow_pieces(page);
        }
        let node = match self.cache.by_version(page) {
            Some((node, _)) => node,
            None => Arc::new(self.read_node(page)?),
        };
        match node.body() {
            Body::Leaf(leaf) => leaf.edges(),
            Body::Inner(inner) => {
                Ok(inner.children().filter_map(|child| child.stored_ref().copied()).collect())
            }
        }
    }
}
