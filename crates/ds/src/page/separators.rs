//! The separators of an inner page: which child a key belongs to.
//!
//! Fixed keys are an array of integers. Other keys lie one behind another in one buffer, with
//! an array of their first eight bytes (behind what all share) in front of them, so that most
//! searches compare integers only. Neighbours: `inner` pairs them with children.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::leaf_edit::shared_bytes;
use crate::error::{Error, Result};
use crate::format::TreeKind;
use crate::format::bytes::{Reader, put_varint};
use crate::limits::KEY_BYTES_MAX;

/// Separators in ascending order; child `i + 1` holds the keys from separator `i` on.
#[derive(Clone, Debug)]
pub enum Separators {
    /// Eight-byte keys.
    Fixed(Vec<u64>),
    /// Keys of any length.
    Slotted(SlottedSeparators),
}

/// Separators of any length.
#[derive(Clone, Debug, Default)]
pub struct SlottedSeparators {
    /// How many bytes at the front all separators share.
    prefix: usize,
    /// The eight bytes behind the prefix, as integers.
    heads: Vec<u64>,
    /// Where each separator ends in `bytes`.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

fn head_of(suffix: &[u8]) -> u64 {
    let mut head = [0; 8];
    let length = suffix.len().min(8);
    head[..length].copy_from_slice(&suffix[..length]);
    u64::from_be_bytes(head)
}

impl SlottedSeparators {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    fn insert(&mut self, index: usize, key: &[u8]) {
        let at = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        self.bytes.splice(at..at, key.iter().copied());
        self.ends.insert(index, at as u32);
        for end in &mut self.ends[index..] {
            *end += key.len() as u32;
        }
        self.rebuild_heads();
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        if range.is_empty() {
            return;
        }
        let start = if range.start == 0 { 0 } else { self.ends[range.start - 1] };
        let removed = self.ends[range.end - 1] - start;
        self.bytes.drain(start as usize..(start + removed) as usize);
        self.ends.drain(range.clone());
        for end in &mut self.ends[range.start..] {
            *end -= removed;
        }
        self.rebuild_heads();
    }

    fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len() as u32);
    }

    fn rebuild_heads(&mut self) {
        let count = self.len();
        self.prefix = match count {
            0 => 0,
            _ => shared_bytes(self.get(0), self.get(count - 1)),
        };
        let heads = (0..count).map(|index| head_of(&self.get(index)[self.prefix..]));
        self.heads = heads.collect();
    }

    /// How many separators are less than or equal to `key`.
    fn upper_bound(&self, key: &[u8]) -> usize {
        if self.len() == 0 {
            return 0;
        }
        let prefix = &self.get(0)[..self.prefix];
        let shared = key.len().min(prefix.len());
        match key[..shared].cmp(&prefix[..shared]) {
            Ordering::Less => return 0,
            Ordering::Greater => return self.len(),
            Ordering::Equal if key.len() < prefix.len() => return 0,
            Ordering::Equal => {}
        }
        let suffix = &key[self.prefix..];
        let head = head_of(suffix);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let order = self.heads[middle]
                .cmp(&head)
                .then_with(|| self.get(middle)[self.prefix..].cmp(suffix));
            if order == Ordering::Greater { high = middle } else { low = middle + 1 }
        }
        low
    }
}

impl Separators {
    /// No separators yet.
    pub fn new(kind: TreeKind) -> Self {
        match kind {
            TreeKind::Fixed => Self::Fixed(Vec::new()),
            TreeKind::Slotted => Self::Slotted(SlottedSeparators::default()),
        }
    }

    /// The layout of the keys.
    pub fn kind(&self) -> TreeKind {
        match self {
            Self::Fixed(_) => TreeKind::Fixed,
            Self::Slotted(_) => TreeKind::Slotted,
        }
    }

    /// How many separators.
    pub fn len(&self) -> usize {
        match self {
            Self::Fixed(keys) => keys.len(),
            Self::Slotted(keys) => keys.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position of the child that `key` belongs to.
    pub fn child_of(&self, key: &[u8]) -> Result<usize> {
        match self {
            Self::Fixed(keys) => Ok(upper_bound(keys, super::leaf::fixed_key(key)?)),
            Self::Slotted(keys) => Ok(keys.upper_bound(key)),
        }
    }

    /// The position of the child that a fixed key belongs to; 0 for other layouts.
    #[inline]
    pub fn child_of_fixed(&self, key: u64) -> usize {
        match self {
            Self::Fixed(keys) => upper_bound(keys, key),
            Self::Slotted(_) => 0,
        }
    }

    /// A separator as bytes, in place where it is short.
    pub fn short_key(&self, index: usize) -> SmallVec<[u8; 16]> {
        match self {
            Self::Fixed(keys) => SmallVec::from_slice(&keys[index].to_be_bytes()),
            Self::Slotted(keys) => SmallVec::from_slice(keys.get(index)),
        }
    }

    /// A separator as bytes.
    pub fn key(&self, index: usize) -> Vec<u8> {
        match self {
            Self::Fixed(keys) => keys[index].to_be_bytes().to_vec(),
            Self::Slotted(keys) => keys.get(index).to_vec(),
        }
    }

    /// Puts a separator in front of the one at `index`.
    pub fn insert(&mut self, index: usize, key: &[u8]) -> Result<()> {
        match self {
            Self::Fixed(keys) => keys.insert(index, super::leaf::fixed_key(key)?),
            Self::Slotted(keys) => keys.insert(index, key),
        }
        Ok(())
    }

    /// Removes the separators of `range`.
    pub fn remove(&mut self, range: std::ops::Range<usize>) {
        match self {
            Self::Fixed(keys) => drop(keys.drain(range)),
            Self::Slotted(keys) => keys.remove(range),
        }
    }

    /// Cuts off the separators from `index` on.
    #[must_use]
    pub fn split_off(&mut self, index: usize) -> Self {
        match self {
            Self::Fixed(keys) => Self::Fixed(keys.split_off(index)),
            Self::Slotted(keys) => {
                let mut right = SlottedSeparators::default();
                for position in index..keys.len() {
                    right.push(keys.get(position));
                }
                right.rebuild_heads();
                keys.remove(index..keys.len());
                Self::Slotted(right)
            }
        }
    }

    /// Appends `between` and then all of `right`.
    pub fn append(&mut self, between: &[u8], right: &Self) -> Result<()> {
        match (self, right) {
            (Self::Fixed(keys), Self::Fixed(more)) => {
                keys.push(super::leaf::fixed_key(between)?);
                keys.extend_from_slice(more);
            }
            (Self::Slotted(keys), Self::Slotted(more)) => {
                keys.push(between);
                for index in 0..more.len() {
                    keys.push(more.get(index));
                }
                keys.rebuild_heads();
            }
            _ => return Err(Error::corrupt("pages of two layouts in one tree")),
        }
        Ok(())
    }

    /// The bytes of the stored form, about.
    pub fn stored_bytes(&self) -> usize {
        match self {
            Self::Fixed(keys) => keys.len() * 8,
            Self::Slotted(keys) => keys.bytes.len() + keys.len() * 2,
        }
    }

    /// The bytes in memory.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Fixed(keys) => keys.capacity() * 8,
            Self::Slotted(keys) => keys.bytes.capacity() + keys.len() * 12,
        }
    }

    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Fixed(keys) => {
                for key in keys {
                    out.extend_from_slice(&key.to_le_bytes());
                }
            }
            Self::Slotted(keys) => {
                for index in 0..keys.len() {
                    let key = keys.get(index);
                    put_varint(out, key.len() as u64);
                    out.extend_from_slice(key);
                }
            }
        }
    }

    /// Reads `count` separators, checking their order.
    pub fn decode(kind: TreeKind, count: usize, reader: &mut Reader<'_>) -> Result<Self> {
        let disorder = || Error::corrupt("separators of an inner page are out of order");
        match kind {
            TreeKind::Fixed => {
                let bytes = reader.take(count.saturating_mul(8))?;
                let keys: Vec<u64> = bytes
                    .chunks_exact(8)
                    .map(|chunk| {
                        let mut word = [0; 8];
                        word.copy_from_slice(chunk);
                        u64::from_le_bytes(word)
                    })
                    .collect();
                if keys.is_sorted_by(|left, right| left < right) {
                    Ok(Self::Fixed(keys))
                } else {
                    Err(disorder())
                }
            }
            TreeKind::Slotted => {
                let mut keys = SlottedSeparators::default();
                for index in 0..count {
                    let length = reader.varint()?;
                    if length > KEY_BYTES_MAX as u64 {
                        return Err(Error::corrupt(format!("a separator of {length} bytes")));
                    }
                    keys.push(reader.take(length as usize)?);
                    if index > 0 && keys.get(index - 1) >= keys.get(index) {
                        return Err(disorder());
                    }
                }
                keys.rebuild_heads();
                Ok(Self::Slotted(keys))
            }
        }
    }
}

/// How many of the sorted `keys` are less than or equal to `key`.
#[inline]
fn upper_bound(keys: &[u64], key: u64) -> usize {
    keys.partition_point(|separator| *separator <= key)
}

/// The shortest separator between two neighbouring keys: greater than `left`, at most `right`.
pub fn shortest_separator(kind: TreeKind, left: &[u8], right: &[u8]) -> Vec<u8> {
    match kind {
        TreeKind::Fixed => right.to_vec(),
        TreeKind::Slotted => {
            let shared = shared_bytes(left, right);
            right[..(shared + 1).min(right.len())].to_vec()
        }
    }
}
