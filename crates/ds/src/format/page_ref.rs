//! The page reference: all that a parent knows of a child.
//!
//! The checksum lives here, not in the page, so that lost and misdirected writes are caught as
//! well as flipped bits. A page that changed a little since it was written whole is the pair of
//! its base extent and a delta extent; the pair is one *version*, named by [`PageRef::version`].
//! Neighbours: `layout` has the bytes, `space` counts versions, `pager` reads them.

use super::bytes::{Reader, put_le};
use crate::error::{Error, Result};
use crate::limits::{EXTENT_BYTES_MAX, FIRST_GRANULE, GRANULE_BYTES, TREE_LEVELS_MAX};

/// A position in the file in granules of 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Granule(pub u64);

impl Granule {
    /// The byte offset in the file.
    pub fn offset(self) -> u64 {
        self.0 * GRANULE_BYTES
    }
}

/// How many granules `bytes` take.
pub fn granules_of(bytes: u32) -> u64 {
    u64::from(bytes).div_ceil(GRANULE_BYTES)
}

/// A run of granules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extent {
    /// The first granule.
    pub start: Granule,
    /// How many granules.
    pub granules: u64,
}

/// What an extent holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PageKind {
    /// Entries of a tree.
    Leaf = 0,
    /// Separators and references to children.
    Inner = 1,
    /// A piece of a large value.
    OverflowData = 2,
    /// References to the pieces of a large value.
    OverflowIndex = 3,
}

/// Stored bytes in one extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// Where the extent starts.
    pub granule: Granule,
    /// The length of the stored form.
    pub stored: u32,
    /// The length before compression.
    pub raw: u32,
    /// CRC-32 of the stored form.
    pub checksum: u32,
    /// The codec's number.
    pub codec: u8,
}

impl Stored {
    /// The granules that the bytes take.
    pub fn extent(&self) -> Extent {
        Extent { start: self.granule, granules: granules_of(self.stored) }
    }

    fn check(&self) -> Result<()> {
        let bounds = 1..=EXTENT_BYTES_MAX as u32;
        if self.granule.0 < FIRST_GRANULE || !bounds.contains(&self.stored) {
            return Err(Error::corrupt(format!(
                "a reference names an extent of {} bytes at granule {}, which cannot be",
                self.stored, self.granule.0
            )));
        }
        if !bounds.contains(&self.raw) {
            return Err(Error::corrupt(format!("a page claims {} bytes", self.raw)));
        }
        Ok(())
    }
}

/// A reference to a page: where it is, how to read it, what its subtree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageRef {
    /// What the page is.
    pub kind: PageKind,
    /// 0 for leaves and overflow data.
    pub level: u8,
    /// Whether the page holds references of its own (always for inner pages).
    pub has_edges: bool,
    /// The whole page.
    pub base: Stored,
    /// Changes since the whole page was written.
    pub delta: Option<Stored>,
    /// The newest commit in the subtree, or a later number: no page of the subtree is newer, and
    /// the pages of a checkpoint are newer than those of the one before.
    pub birth: u64,
    /// Entries in the subtree.
    pub rows: u64,
}

const FLAG_DELTA: u8 = 1;
const FLAG_EDGES: u8 = 2;

impl PageRef {
    /// The extent whose count is the count of references to this version of the page: the
    /// delta's where there is one.
    pub fn version(&self) -> Granule {
        self.newest().granule
    }

    /// The part of the version that was written last.
    pub fn newest(&self) -> &Stored {
        self.delta.as_ref().unwrap_or(&self.base)
    }

    /// The bytes that the version takes in the file, in granules of its extents.
    pub fn stored_bytes(&self) -> u64 {
        let delta = self.delta.map_or(0, |delta| delta.extent().granules);
        (self.base.extent().granules + delta) * GRANULE_BYTES
    }

    /// Whether both references name the same version of a page.
    pub fn is_same_version(&self, other: &Self) -> bool {
        self.base == other.base && self.delta == other.delta
    }

    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = if self.delta.is_some() { FLAG_DELTA } else { 0 }
            | if self.has_edges { FLAG_EDGES } else { 0 };
        out.extend_from_slice(&[self.kind as u8, self.level, flags, self.base.codec]);
        put_le::<6>(out, self.base.granule.0);
        put_le::<3>(out, u64::from(self.base.stored));
        put_le::<3>(out, u64::from(self.base.raw));
        put_le::<4>(out, u64::from(self.base.checksum));
        put_le::<8>(out, self.birth);
        put_le::<8>(out, self.rows);
        if let Some(delta) = &self.delta {
            out.push(delta.codec);
            put_le::<6>(out, delta.granule.0);
            put_le::<3>(out, u64::from(delta.stored));
            put_le::<3>(out, u64::from(delta.raw));
            put_le::<4>(out, u64::from(delta.checksum));
        }
    }

    /// Reads a stored form, checking every bound that needs no look at the page itself.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let [kind, level, flags, codec] = reader.array()?;
        let kind = match kind {
            0 => PageKind::Leaf,
            1 => PageKind::Inner,
            2 => PageKind::OverflowData,
            3 => PageKind::OverflowIndex,
            other => return Err(Error::corrupt(format!("unknown kind of page: {other}"))),
        };
        if flags & !(FLAG_DELTA | FLAG_EDGES) != 0 {
            return Err(Error::corrupt(format!("unknown flags in a page reference: {flags:#x}")));
        }
        if level > TREE_LEVELS_MAX || (kind == PageKind::Inner) != (level > 0) {
            return Err(Error::corrupt(format!("a {kind:?} page cannot be on level {level}")));
        }
        let base = Self::decode_stored(reader, codec)?;
        let birth = reader.u64()?;
        let rows = reader.u64()?;
        let delta = if flags & FLAG_DELTA == 0 {
            None
        } else {
            let codec = reader.u8()?;
            Some(Self::decode_stored(reader, codec)?)
        };
        let has_edges = flags & FLAG_EDGES != 0;
        Ok(Self { kind, level, has_edges, base, delta, birth, rows })
    }

    fn decode_stored(reader: &mut Reader<'_>, codec: u8) -> Result<Stored> {
        // In one piece: the first look at a large tree reads hundreds of references.
        let fields = u128::from_le_bytes(reader.array()?);
        let stored = Stored {
            granule: Granule(fields as u64 & 0xffff_ffff_ffff),
            stored: (fields >> 48) as u32 & 0xff_ffff,
            raw: (fields >> 72) as u32 & 0xff_ffff,
            checksum: (fields >> 96) as u32,
            codec,
        };
        stored.check()?;
        Ok(stored)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::format::layout::{DELTA_REF, PAGE_REF};

    fn sample() -> PageRef {
        let stored = Stored {
            granule: Granule(77),
            stored: 4000,
            raw: 16_384,
            checksum: 0xdead_beef,
            codec: 2,
        };
        PageRef {
            kind: PageKind::Leaf,
            level: 0,
            has_edges: true,
            base: stored,
            delta: None,
            birth: 9,
            rows: 150,
        }
    }

    #[test]
    fn stored_form_has_the_length_of_the_layout_and_reads_back() {
        let mut reference = sample();
        let mut bytes = Vec::new();
        reference.encode(&mut bytes);
        assert_eq!(bytes.len(), PAGE_REF.bytes);
        assert_eq!(PageRef::decode(&mut Reader::new(&bytes)).unwrap(), reference);

        reference.delta = Some(Stored { granule: Granule(99), stored: 100, ..reference.base });
        bytes.clear();
        reference.encode(&mut bytes);
        assert_eq!(bytes.len(), PAGE_REF.bytes + DELTA_REF.bytes);
        assert_eq!(PageRef::decode(&mut Reader::new(&bytes)).unwrap(), reference);
        assert_eq!(reference.version(), Granule(99));
    }

    #[test]
    fn every_shorter_prefix_is_an_error() {
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        for length in 0..bytes.len() {
            assert!(PageRef::decode(&mut Reader::new(&bytes[..length])).is_err());
        }
    }

    #[test]
    fn references_into_the_superblocks_are_refused() {
        let mut reference = sample();
        reference.base.granule = Granule(3);
        let mut bytes = Vec::new();
        reference.encode(&mut bytes);
        assert!(PageRef::decode(&mut Reader::new(&bytes)).is_err());
    }
}
