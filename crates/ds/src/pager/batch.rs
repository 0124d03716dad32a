//! A run of writes that go to the file one behind another.
//!
//! Pages are compressed into a buffer that is written in large pieces into regions reserved for
//! it, so that a checkpoint is one sequential write and not thousands of small ones. Nothing
//! may read a page back from the file before [`Batch::flush`]. Neighbours: `write` fills it.

use super::Pager;
use super::team::Ready;
use crate::codec::{self, Codec, CodecId};
use crate::error::Result;
use crate::format::{Extent, Granule, Stored, granules_of};
use crate::limits::GRANULE_BYTES;
use crate::sync::atomic::Ordering;

const REGION_GRANULES: u64 = 4096;
const BUFFER_BYTES: usize = 1024 * 1024;

/// A delta of up to so many bytes is a short one.
const SHORT_DELTA_BYTES: usize = 2048;

/// Writes under way.
#[derive(Debug)]
pub struct Batch<'a> {
    pager: &'a Pager,
    codec: Codec,
    /// What is left of the reserved region.
    region: Extent,
    /// Where the buffer's first byte goes.
    buffer_start: Granule,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    /// Granules written so far.
    granules: u64,
}

impl<'a> Batch<'a> {
    /// A batch that has written nothing.
    pub fn new(pager: &'a Pager) -> Self {
        Self {
            pager,
            codec: pager.codec(),
            region: Extent { start: Granule(0), granules: 0 },
            buffer_start: Granule(0),
            buffer: Vec::new(),
            scratch: Vec::new(),
            granules: 0,
        }
    }

    /// The pager that is written through.
    pub fn pager(&self) -> &'a Pager {
        self.pager
    }

    /// Granules written so far.
    pub fn granules(&self) -> u64 {
        self.granules
    }

    /// The codec in use.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The codec of inner pages: they are a hundredth of the file and stand in the way of every
    /// read that finds nothing in the cache, so that being quick counts for more than being short.
    pub fn inner_codec(&self) -> Codec {
        if self.codec.id() == CodecId::Zstd { Codec::lz4() } else { self.codec }
    }

    /// The codec of a delta of so many bytes. For a short one ZSTD mostly makes tables, and what it
    /// saves beside LZ4 is less than a granule.
    pub fn delta_codec(&self, raw: usize) -> Codec {
        if raw <= SHORT_DELTA_BYTES { self.inner_codec() } else { self.codec }
    }

    /// Compresses `raw`, but only while the result takes at most `stored_max` bytes: else
    /// nothing is written.
    pub fn write_if_short(
        &mut self,
        raw: &[u8],
        codec: Codec,
        stored_max: usize,
    ) -> Result<Option<Stored>> {
        let mut stored = std::mem::take(&mut self.scratch);
        stored.clear();
        let codec = codec::compress(codec, raw, &mut stored)?;
        let is_short = granules_of(stored.len() as u32) * GRANULE_BYTES <= stored_max as u64;
        let written = if is_short {
            Some(self.place(raw.len(), &stored, crc32fast::hash(&stored), codec as u8)?)
        } else {
            None
        };
        self.scratch = stored;
        Ok(written)
    }

    /// Compresses `raw` and writes it.
    pub fn write(&mut self, raw: &[u8], codec: Codec) -> Result<Stored> {
        let mut stored = std::mem::take(&mut self.scratch);
        stored.clear();
        let codec = codec::compress(codec, raw, &mut stored)?;
        let checksum = crc32fast::hash(&stored);
        let written = self.place(raw.len(), &stored, checksum, codec as u8);
        self.scratch = stored;
        written
    }

    /// Writes what is compressed already.
    pub(super) fn write_ready(&mut self, ready: &Ready<'_>) -> Result<Stored> {
        self.place(ready.raw, ready.stored, ready.checksum, ready.codec)
    }

    fn place(&mut self, raw: usize, stored: &[u8], checksum: u32, codec: u8) -> Result<Stored> {
        let granules = granules_of(stored.len() as u32);
        if self.region.granules < granules {
            self.flush()?;
            self.pager.settle_opening()?;
            self.region = self.pager.space.reserve(granules, REGION_GRANULES.max(granules));
            self.buffer_start = self.region.start;
        }
        let start = self.region.start;
        self.region.start.0 += granules;
        self.region.granules -= granules;
        self.granules += granules;
        let metrics = &self.pager.metrics;
        metrics.pages_written.fetch_add(1, Ordering::Relaxed);
        metrics.bytes_written.fetch_add(granules * GRANULE_BYTES, Ordering::Relaxed);
        metrics.note_codec(codec, raw as u64, stored.len() as u64);

        self.buffer.extend_from_slice(stored);
        let padded = self.buffer.len().next_multiple_of(GRANULE_BYTES as usize);
        self.buffer.resize(padded, 0);
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_buffer()?;
        }
        Ok(Stored { granule: start, stored: stored.len() as u32, raw: raw as u32, checksum, codec })
    }

    /// Writes what is buffered; the region stays.
    pub(super) fn write_buffer(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.pager.file.write_at(self.buffer_start.offset(), &self.buffer)?;
            self.buffer_start.0 += self.buffer.len() as u64 / GRANULE_BYTES;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes what is buffered and gives back what is left of the region.
    pub fn flush(&mut self) -> Result<()> {
        let region = std::mem::replace(&mut self.region, Extent { start: Granule(0), granules: 0 });
        let written = self.write_buffer();
        self.buffer.clear();
        if region.granules > 0 {
            self.pager.space.give_back(region)?;
        }
        written
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.region.granules > 0 {
            // What was written stays noted as unattached; only the unused rest goes back, and
            // it cannot overlap anything, having been taken from the free runs.
            let _ = self.pager.space.give_back(self.region);
        }
    }
}
