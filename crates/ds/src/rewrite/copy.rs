//! Moving pages from one file to another: children first in key order, one behind another.
//!
//! A page that refers to none is moved as it is, its delta too; sharing stays, since every
//! version and every base extent is moved once. A page that refers to others is written whole
//! with the new places. Neighbours: `mod` has the file, `space` counts the edges.

use rustc_hash::FxHashMap;

use crate::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Granule, PageKind, PageRef, Stored, Superblock, TreeRoot, granules_of};
use crate::limits::{EXTENT_BYTES_MAX, FIRST_GRANULE, GRANULE_BYTES};
use crate::page::{Body, Cell, CellKind, Child, Inner, Leaf};
use crate::pager::Pager;
use crate::space::log::Chain;
use crate::space::settle::Settlement;
use crate::space::{Count, Space};
use crate::sync::Arc;
use crate::vfs::File;

/// How many references may lead on from one another: trees of the greatest height, several of
/// them nested. A file that has more is damaged or made up.
const DEPTH_MAX: u32 = 160;

const BUFFER_BYTES: usize = 1024 * 1024;

/// Writes extents one behind another.
struct Sink {
    file: Arc<dyn File>,
    start: Granule,
    buffer: Vec<u8>,
}

impl Sink {
    fn place(&mut self, stored: &[u8]) -> Result<Granule> {
        let granule = Granule(self.start.0 + self.buffer.len() as u64 / GRANULE_BYTES);
        self.buffer.extend_from_slice(stored);
        let padded = self.buffer.len().next_multiple_of(GRANULE_BYTES as usize);
        self.buffer.resize(padded, 0);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(granule)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(self.start.offset(), &self.buffer)?;
        self.start.0 += self.buffer.len() as u64 / GRANULE_BYTES;
        self.buffer.clear();
        Ok(())
    }
}

struct Copy<'a> {
    source: &'a Pager,
    sink: Sink,
    birth: u64,
    /// What became of a version.
    versions: FxHashMap<Granule, (PageRef, PageRef)>,
    /// What became of an extent that was moved as it is.
    extents: FxHashMap<Granule, Stored>,
    counts: FxHashMap<Granule, Count>,
    progress: &'a mut dyn FnMut(u64) -> bool,
}

/// Copies the pages and the space map; returns the superblock that makes them a database.
pub(super) fn copy(
    source: &Pager,
    superblock: &Superblock,
    file: &Arc<dyn File>,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Superblock> {
    let born = |page: Option<PageRef>| page.map_or(0, |page| page.birth);
    let newest = born(superblock.registry.page).max(born(superblock.space_map));
    let sink = Sink { file: Arc::clone(file), start: Granule(FIRST_GRANULE), buffer: Vec::new() };
    let mut copy = Copy {
        source,
        sink,
        birth: superblock.commit.max(newest.saturating_add(1)),
        versions: FxHashMap::default(),
        extents: FxHashMap::default(),
        counts: FxHashMap::default(),
        progress,
    };
    let page = superblock.registry.page.map(|root| copy.follow(&root, 0)).transpose()?;
    let mut copied = Superblock {
        checkpoint: superblock.checkpoint.saturating_add(1),
        registry: TreeRoot { kind: superblock.registry.kind, page },
        ..superblock.clone()
    };
    copy.sink.flush()?;
    copy.counts.retain(|_, count| *count != Count::USUAL);
    let space = Space::packed(copy.sink.start, copy.counts);
    let mut settlement = Settlement::default();
    let written = space.write_log(&Chain::default(), &mut settlement, copy.birth)?;
    for (granule, bytes) in &written.writes {
        file.write_at(granule.offset(), bytes)?;
    }
    copied.space_map = written.chain.newest();
    copied.granules = space.counts().end;
    Ok(copied)
}

impl Copy<'_> {
    /// Moves the page behind an edge, which is counted.
    fn follow(&mut self, page: &PageRef, depth: u32) -> Result<PageRef> {
        let moved = self.move_version(page, depth)?;
        self.count(moved.version()).versions += 1;
        Ok(moved)
    }

    fn count(&mut self, granule: Granule) -> &mut Count {
        self.counts.entry(granule).or_insert(Count { versions: 0, holds: 0 })
    }

    fn move_version(&mut self, page: &PageRef, depth: u32) -> Result<PageRef> {
        if let Some((old, new)) = self.versions.get(&page.version()) {
            if old == page {
                return Ok(*new);
            }
            let at = page.version().offset();
            return Err(Error::corrupt("two references to a page differ").at_offset(at));
        }
        if depth > DEPTH_MAX {
            let at = page.version().offset();
            let message = format!("pages refer to one another more than {DEPTH_MAX} deep");
            return Err(Error::corrupt(message).at_offset(at));
        }
        let moved = match page.kind {
            _ if !page.has_edges => self.move_bytes(page)?,
            PageKind::Leaf | PageKind::Inner => self.move_node(page, depth)?,
            PageKind::OverflowIndex | PageKind::OverflowData => self.move_index(page, depth)?,
        };
        self.versions.insert(page.version(), (*page, moved));
        let pages = self.versions.len() as u64;
        if pages.is_multiple_of(64) && !(self.progress)(pages) {
            return Err(Error::new(ErrorKind::Interrupted, "the copy was interrupted"));
        }
        Ok(moved)
    }

    /// A page without references, and its delta, as they are.
    fn move_bytes(&mut self, page: &PageRef) -> Result<PageRef> {
        let base = self.move_extent(&page.base)?;
        let delta = page.delta.map(|delta| self.move_extent(&delta)).transpose()?;
        if delta.is_some() {
            self.count(base.granule).holds += 1;
        }
        Ok(PageRef { base, delta, birth: self.birth, ..*page })
    }

    fn move_extent(&mut self, stored: &Stored) -> Result<Stored> {
        if let Some(moved) = self.extents.get(&stored.granule) {
            if moved.checksum == stored.checksum && moved.stored == stored.stored {
                return Ok(*moved);
            }
            let at = stored.granule.offset();
            return Err(Error::corrupt("two references to an extent differ").at_offset(at));
        }
        let bytes = self.source.read_extent(stored)?;
        let moved = Stored { granule: self.sink.place(&bytes)?, ..*stored };
        self.extents.insert(stored.granule, moved);
        Ok(moved)
    }

    fn move_node(&mut self, page: &PageRef, depth: u32) -> Result<PageRef> {
        let node = self.source.read_node(page)?;
        let mut raw = Vec::new();
        match node.body() {
            Body::Leaf(leaf) => self.changed_leaf(leaf, depth)?.encode(&mut raw),
            Body::Inner(inner) => {
                let mut children = Vec::with_capacity(inner.len());
                for child in inner.children() {
                    let Some(page) = child.stored_ref() else {
                        return Err(Error::corrupt("a page that was read has an unwritten child"));
                    };
                    children.push(Child::clean(self.follow(page, depth + 1)?));
                }
                let moved = Inner::new(inner.level(), inner.separators().clone(), children);
                moved.encode(&|child| child.stored_ref().copied(), &mut raw)?;
            }
        }
        self.place_page(page, &raw)
    }

    /// A leaf whose cells name the new places.
    fn changed_leaf(&mut self, leaf: &Leaf, depth: u32) -> Result<Leaf> {
        let mut moved = leaf.copy_for_change(self.source.page_bytes());
        for index in 0..leaf.len() {
            let cell = leaf.cell(index);
            let Some(page) = cell.edge()? else { continue };
            let page = self.follow(&page, depth + 1)?;
            let mut payload = Vec::new();
            if cell.kind == CellKind::Subtree {
                // The kind and the note around the reference stay.
                let (head, note) = subtree_parts(cell.payload)?;
                payload.extend_from_slice(head);
                page.encode(&mut payload);
                payload.extend_from_slice(note);
            } else {
                page.encode(&mut payload);
            }
            let cell = Cell { kind: cell.kind, payload: &payload };
            // A page may pass its size here: the entries are those that it had.
            let _ = moved.put(Ok(index), &leaf.key(index), cell, usize::MAX / 4)?;
        }
        Ok(moved)
    }

    fn move_index(&mut self, page: &PageRef, depth: u32) -> Result<PageRef> {
        let mut raw = Vec::new();
        for piece in self.source.edges_of(page)? {
            self.follow(&piece, depth + 1)?.encode(&mut raw);
        }
        self.place_page(page, &raw)
    }

    fn place_page(&mut self, page: &PageRef, raw: &[u8]) -> Result<PageRef> {
        if raw.len() > EXTENT_BYTES_MAX {
            return Err(Error::corrupt("a page outgrew its extent when it was moved"));
        }
        let mut stored = Vec::new();
        let codec = codec::compress(self.source.codec(), raw, &mut stored)?;
        let base = Stored {
            granule: self.sink.place(&stored)?,
            stored: stored.len() as u32,
            raw: raw.len() as u32,
            checksum: crc32fast::hash(&stored),
            codec: codec as u8,
        };
        debug_assert_eq!(base.extent().granules, granules_of(base.stored));
        Ok(PageRef { base, delta: None, birth: self.birth, ..*page })
    }
}

/// The two bytes in front of the page reference of a tree root, and what follows it.
fn subtree_parts(payload: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut reader = crate::format::bytes::Reader::new(payload);
    TreeRoot::decode(&mut reader)?;
    let head = payload.get(..2).unwrap_or_default();
    Ok((head, payload.get(reader.position()..).unwrap_or_default()))
}
