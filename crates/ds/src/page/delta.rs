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

/// Applies a delta to the whole page it stands against; the result knows its origin.
#[expect(clippy::needless_pass_by_value, reason = "the result stands in the place of the base")]
pub fn apply_leaf(base: Leaf, delta: &[u8], page: &PageRef, page_bytes: usize) -> Result<Leaf> {
    let mut reader = Reader::new(delta);
    let count = read_header(&mut reader, OF_LEAF)?;
    let mut leaf = base.copy_for_change(page_bytes);
    let mut origin = Origin::of_leaf(page);
    for _ in 0..count {
        let length = reader.varint()?;
        let key = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        let position = leaf.search(key)?;
        let tag = reader.varint()?;
        let mut payload_bytes = 0;
        if tag == 0 {
            // A key that came and went since the page was written is removed from nothing.
            if let Ok(index) = position {
                leaf.remove(index);
            }
        } else {
            let tag = tag - 1;
            if tag & 3 == 3 {
                return Err(Error::corrupt("a delta holds a value of unknown kind"));
            }
            let payload = reader.take(usize::try_from(tag >> 2).unwrap_or(usize::MAX))?;
            payload_bytes = payload.len();
            let cell = Cell { kind: CellKind::from_bits(tag), payload };
            cell.edge()?;
            // Room is made without a limit: the writer kept the page within its size.
            let _ = leaf.put(position, key, cell, usize::MAX / 4)?;
        }
        origin.touch_key(key, payload_bytes);
    }
    leaf.set_origin(Some(origin));
    Ok(leaf)
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
