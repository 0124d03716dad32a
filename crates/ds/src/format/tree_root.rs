//! The root of a tree as a stored value: what a directory keeps of a tree, and the registry of
//! a directory.
//!
//! Neighbours: `layout` has the bytes, `forest` and `checkpoint` store them, `space` follows
//! them as edges.

use super::bytes::Reader;
use super::page_ref::PageRef;
use crate::error::{Error, Result};

/// How a tree's keys are laid out in its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TreeKind {
    /// Keys of eight bytes (rowid tables).
    Fixed = 0,
    /// Keys of any length.
    Slotted = 1,
}

impl TreeKind {
    /// Reads the stored number.
    pub fn decode(byte: u8) -> Result<Self> {
        match byte {
            0 => Ok(Self::Fixed),
            1 => Ok(Self::Slotted),
            other => Err(Error::corrupt(format!("unknown kind of tree: {other}"))),
        }
    }
}

/// A tree that is entirely on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeRoot {
    /// The layout of its keys.
    pub kind: TreeKind,
    /// Its root page; none when the tree is empty.
    pub page: Option<PageRef>,
}

impl TreeRoot {
    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.kind as u8, u8::from(self.page.is_some())]);
        if let Some(page) = &self.page {
            page.encode(out);
        }
    }

    /// Reads a stored form.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let kind = TreeKind::decode(reader.u8()?)?;
        let page = match reader.u8()? {
            0 => None,
            1 => Some(PageRef::decode(reader)?),
            other => return Err(Error::corrupt(format!("bad mark of a tree root: {other}"))),
        };
        Ok(Self { kind, page })
    }
}
