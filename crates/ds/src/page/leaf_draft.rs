//! A leaf that is going to the file without being searched first: what a bulk build fills.
//!
//! Entries come in ascending order and nobody looks one up before the page is read back, so they
//! are gathered in the parts that the stored form is made of, and putting them together is a
//! copy of each part. The common prefix of slotted keys is that of the first and the last key; it
//! is cut off when the leaf is encoded. Neighbours: `leaf_stored` has the stored form and reads
//! it, `leaf` is the page in memory, `tree::build` fills drafts.

use super::leaf::{Cell, HEADER, fixed_key, stride};
use super::leaf_edit::shared_bytes;
use crate::error::Result;
use crate::format::bytes::{put_varint, varint_bytes};
use crate::format::{PageRef, TreeKind};

/// The entries of a leaf in the making.
#[derive(Debug)]
pub struct LeafDraft {
    kind: TreeKind,
    count: u32,
    /// Fixed: the distances as they are stored. Slotted: whole keys, one behind another.
    keys: Vec<u8>,
    /// Fixed only: the tags as they are stored.
    tags: Vec<u8>,
    /// Slotted only: for each entry the length of its key and its tag.
    lengths: Vec<(u32, u64)>,
    payloads: Vec<u8>,
    edges: Vec<PageRef>,
    /// Fixed only: the last key.
    last: u64,
    /// Slotted only: how many bytes all keys begin with.
    prefix: usize,
    /// What the cells take in a page in memory, with whole keys.
    cells: usize,
}

impl LeafDraft {
    /// A draft without entries for a page of about `page_bytes`.
    pub fn new(kind: TreeKind, page_bytes: usize) -> Self {
        Self {
            kind,
            count: 0,
            keys: Vec::new(),
            tags: Vec::new(),
            lengths: Vec::new(),
            payloads: Vec::with_capacity(page_bytes),
            edges: Vec::new(),
            last: 0,
            prefix: 0,
            cells: 0,
        }
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every page that the entries refer to.
    pub fn edges(&self) -> &[PageRef] {
        &self.edges
    }

    /// The bytes of a page in memory that holds the entries and one more of `key` and `cell`.
    pub fn bytes_with(&self, key: &[u8], cell: &Cell<'_>) -> usize {
        let entries = (self.len() + 1) * stride(self.kind);
        let cells = self.cells + cell_bytes(self.kind, key, cell);
        match self.kind {
            TreeKind::Fixed => HEADER + entries + cells,
            TreeKind::Slotted => {
                let prefix = self.prefix_with(key);
                HEADER + prefix + entries + cells - (self.len() + 1) * prefix
            }
        }
    }

    /// How many bytes all keys and `key` begin with.
    fn prefix_with(&self, key: &[u8]) -> usize {
        match self.count {
            0 => key.len().min(usize::from(u16::MAX)),
            _ => shared_bytes(&self.keys[..self.prefix], key),
        }
    }

    /// Appends an entry, whose key is greater than all before.
    pub fn push(&mut self, key: &[u8], cell: &Cell<'_>) -> Result<()> {
        self.edges.extend(cell.edge()?);
        let tag = (cell.payload.len() as u64) << 2 | cell.kind as u64;
        self.cells += cell_bytes(self.kind, key, cell);
        match self.kind {
            TreeKind::Fixed => {
                let key = fixed_key(key)?;
                put_varint(&mut self.keys, key - self.last);
                put_varint(&mut self.tags, tag);
                self.last = key;
            }
            TreeKind::Slotted => {
                self.prefix = self.prefix_with(key);
                self.keys.extend_from_slice(key);
                self.lengths.push((key.len() as u32, tag));
            }
        }
        self.payloads.extend_from_slice(cell.payload);
        self.count += 1;
        Ok(())
    }

    /// Appends the stored form of the page.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(self.kind as u8);
        out.push(0);
        out.extend_from_slice(&(self.prefix as u16).to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        debug_assert_eq!(out.len() - start, HEADER);
        let (lengths, contents) = match self.kind {
            TreeKind::Fixed => {
                out.extend_from_slice(&self.keys);
                out.extend_from_slice(&self.tags);
                out.extend_from_slice(&self.payloads);
                (self.tags.len(), self.payloads.len())
            }
            TreeKind::Slotted => self.encode_slotted(out),
        };
        out[start + 8..start + 12].copy_from_slice(&(lengths as u32).to_le_bytes());
        out[start + 12..start + 16].copy_from_slice(&(contents as u32).to_le_bytes());
    }

    /// Appends prefix, lengths and contents; returns how long the last two are.
    fn encode_slotted(&self, out: &mut Vec<u8>) -> (usize, usize) {
        out.extend_from_slice(&self.keys[..self.prefix]);
        let lengths = out.len();
        for (key, tag) in &self.lengths {
            put_varint(out, u64::from(*key) - self.prefix as u64);
            put_varint(out, *tag);
        }
        let contents = out.len();
        let (mut keys, mut payloads) = (self.keys.as_slice(), self.payloads.as_slice());
        for (key, tag) in &self.lengths {
            let (key, behind) = keys.split_at(*key as usize);
            out.extend_from_slice(&key[self.prefix..]);
            keys = behind;
            let (payload, behind) = payloads.split_at((*tag >> 2) as usize);
            out.extend_from_slice(payload);
            payloads = behind;
        }
        (contents - lengths, out.len() - contents)
    }
}

/// What an entry takes beside its place in the list of entries, with its whole key.
fn cell_bytes(kind: TreeKind, key: &[u8], cell: &Cell<'_>) -> usize {
    let key = match kind {
        TreeKind::Fixed => 0,
        TreeKind::Slotted => varint_bytes(key.len() as u64) + key.len(),
    };
    key + varint_bytes((cell.payload.len() as u64) << 2) + cell.payload.len()
}
