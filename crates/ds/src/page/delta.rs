//! The stored form of a delta: what to change in a whole page to get its newer version.
//!
//! ```text
//! leaf:   | header kind 0, count | key length, key, tag, payload |...
//! inner:  | header kind 1, count | child position, page reference |...
//! ```
//!
//! Lengths, tags and positions are varints. A tag of 0 removes the key, any other is one more
//! than the cell's own tag (length times four plus kind). Neighbours: `origin` lists what
//! changed, `leaf` and `inner` are what it applies to.

use std::ops::Range;

use smallvec::SmallVec;

use super::inner::{Child, Inner};
use super::leaf::{Cell, CellKind, Leaf};
use super::origin::{Origin, Touched};
use crate::error::{Error, Result};
use crate::format::PageRef;
use crate::format::bytes::{Reader, put_varint};
use crate::format::layout::DELTA_HEADER;

const OF_LEAF: u8 = 0;
const OF_INNER: u8 = 1;

fn put_header(out: &mut Vec<u8>, kind: u8, count: usize) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&(count as u32).to_le_bytes());
    debug_assert_eq!(out.len(), DELTA_HEADER.bytes);
}

fn read_header(reader: &mut Reader<'_>, kind: u8) -> Result<u32> {
    let found = reader.u8()?;
    if found != kind {
        return Err(Error::corrupt(format!("a delta of kind {found} stands against kind {kind}")));
    }
    reader.take(3)?;
    reader.u32()
}

/// The delta that leads from the origin's page to `leaf`; none when the leaf has no origin.
pub fn encode_leaf(leaf: &Leaf) -> Result<Option<Vec<u8>>> {
    let Some(Origin { touched: Touched::Keys(keys), .. }) = leaf.origin() else {
        return Ok(None);
    };
    let mut out = Vec::new();
    put_header(&mut out, OF_LEAF, keys.len());
    for key in keys {
        put_varint(&mut out, key.len() as u64);
        out.extend_from_slice(key);
        match leaf.search(key)? {
            Err(_) => out.push(0),
            Ok(index) => {
                let cell = leaf.cell(index);
                put_varint(&mut out, ((cell.payload.len() as u64) << 2 | cell.kind as u64) + 1);
                out.extend_from_slice(cell.payload);
            }
        }
    }
    Ok(Some(out))
}

/// The next key of a leaf's delta, and what it maps to; none where it is removed.
fn read_entry<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Option<Cell<'a>>)> {
    let length = reader.varint()?;
    let key = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    let tag = reader.varint()?;
    if tag == 0 {
        return Ok((key, None));
    }
    let tag = tag - 1;
    if tag & 3 == 3 {
        return Err(Error::corrupt("a delta holds a value of unknown kind"));
    }
    let payload = reader.take(usize::try_from(tag >> 2).unwrap_or(usize::MAX))?;
    let cell = Cell { kind: CellKind::from_bits(tag), payload };
    cell.edge()?;
    Ok((key, Some(cell)))
}

/// Applies a delta to the whole page it stands against; the result knows its origin.
pub fn apply_leaf(base: &Leaf, delta: &[u8], page: &PageRef, page_bytes: usize) -> Result<Leaf> {
    let mut reader = Reader::new(delta);
    let count = read_header(&mut reader, OF_LEAF)?;
    let mut leaf = base.copy_for_change(page_bytes);
    let mut origin = Origin::of_leaf(page);
    for _ in 0..count {
        let (key, cell) = read_entry(&mut reader)?;
        let position = leaf.search(key)?;
        match (cell, position) {
            // Room is made without a limit: the writer kept the page within its size.
            (Some(cell), _) => drop(leaf.put(position, key, cell, usize::MAX / 4)?),
            (None, Ok(index)) => leaf.remove(index),
            // A key that came and went since the page was written is removed from nothing.
            (None, Err(_)) => {}
        }
        origin.touch_key(key, cell.map_or(0, |cell| cell.payload.len()));
    }
    leaf.set_origin(Some(origin));
    Ok(leaf)
}

/// A leaf's delta as it is, read without the page.
#[derive(Debug)]
pub struct LeafDelta {
    bytes: Vec<u8>,
    entries: SmallVec<[Entry; 4]>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: Range<usize>,
    cell: Option<(CellKind, Range<usize>)>,
}

impl LeafDelta {
    /// Reads a delta; none where its keys are not in their order.
    pub fn read(bytes: Vec<u8>) -> Result<Option<Self>> {
        let mut reader = Reader::new(&bytes);
        let count = read_header(&mut reader, OF_LEAF)?;
        let (mut entries, mut last) = (SmallVec::new(), None);
        for _ in 0..count {
            let (key, cell) = read_entry(&mut reader)?;
            if last >= Some(key) {
                return Ok(None);
            }
            last = Some(key);
            let payload = cell.map(|cell| (cell.kind, range_in(&bytes, cell.payload)));
            entries.push(Entry { key: range_in(&bytes, key), cell: payload });
        }
        Ok(Some(Self { bytes, entries }))
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A key; they ascend.
    pub fn key(&self, at: usize) -> &[u8] {
        &self.bytes[self.entries[at].key.clone()]
    }

    /// What it maps to; none where it is removed.
    pub fn cell(&self, at: usize) -> Option<Cell<'_>> {
        let (kind, range) = self.entries[at].cell.clone()?;
        Some(Cell { kind, payload: &self.bytes[range] })
    }
}

/// Where a part of some bytes is in them.
fn range_in(bytes: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - bytes.as_ptr() as usize;
    start..start + part.len()
}

/// The delta that leads from the origin's page to `inner`, whose children `locate` finds in the
/// file; none when it has no origin.
pub fn encode_inner(inner: &Inner, locate: &dyn Fn(&Child) -> Option<PageRef>) -> Option<Vec<u8>> {
    let Some(Origin { touched: Touched::Children(children), .. }) = inner.origin() else {
        return None;
    };
    let mut out = Vec::new();
    put_header(&mut out, OF_INNER, children.len());
    for index in children {
        put_varint(&mut out, u64::from(*index));
        locate(inner.child(*index as usize))?.encode(&mut out);
    }
    Some(out)
}

/// Applies a delta to the whole page it stands against; the result knows its origin.
pub fn apply_inner(mut inner: Inner, delta: &[u8], page: &PageRef) -> Result<Inner> {
    let mut reader = Reader::new(delta);
    let count = read_header(&mut reader, OF_INNER)?;
    let mut origin = Origin::of_inner(page);
    for _ in 0..count {
        let index = reader.varint()?;
        let child = PageRef::decode(&mut reader)?;
        if index >= inner.len() as u64 || child.level + 1 != inner.level() {
            return Err(Error::corrupt(format!("a delta changes child {index}, which is not")));
        }
        inner.replace_stored(index as usize, child);
        origin.touch_child(index as u32);
    }
    inner.set_origin(Some(origin));
    Ok(inner)
}
