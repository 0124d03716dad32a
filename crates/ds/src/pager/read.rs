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
        let whole = self.read_stored(&page.base)?;
        let change = match &page.delta {
            Some(change) => Some(self.read_stored(change)?),
            None => None,
        };
        let body = match page.kind {
            PageKind::Leaf => {
                let mut leaf = Leaf::decode(&whole).map_err(at_page)?;
                if let Some(change) = &change {
                    leaf = delta::apply_leaf(leaf, change, page, self.page_bytes())
                        .map_err(at_page)?;
                }
                Body::Leaf(leaf)
            }
            PageKind::Inner => {
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

    /// The bytes of one extent as they are in the file, verified.
    pub fn read_extent(&self, stored: &Stored) -> Result<Vec<u8>> {
        let offset = stored.granule.offset();
        let mut bytes = vec![0; stored.stored as usize];
        self.file.read_exact_at(offset, &mut bytes)?;
        self.metrics.pages_read.fetch_add(1, Ordering::Relaxed);
        self.metrics.bytes_read.fetch_add(u64::from(stored.stored), Ordering::Relaxed);
        let checksum = crc32fast::hash(&bytes);
        if checksum != stored.checksum {
            let message = format!(
                "checksum of {} bytes is {checksum:08x}, expected {:08x}",
                stored.stored, stored.checksum
            );
            return Err(Error::corrupt(message).at_offset(offset).in_file(self.file.path()));
        }
        Ok(bytes)
    }

    /// The bytes of one extent, verified and decompressed.
    pub fn read_stored(&self, stored: &Stored) -> Result<Vec<u8>> {
        let offset = stored.granule.offset();
        let in_place = |error: Error| error.at_offset(offset).in_file(self.file.path());
        let bytes = self.read_extent(stored)?;
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
