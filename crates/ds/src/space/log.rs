//! The space map in the file: a chain of records, each with the changes of one checkpoint.
//!
//! ```text
//! | previous record or none | end | free list | used list | counts |   padded to granules
//! ```
//!
//! The oldest record of a chain is condensed: it lists all that is free. A reader starts with
//! everything used and applies the chain from its oldest record on. When the chain has grown
//! long the next checkpoint writes a condensed record and releases the old ones. A record is
//! stored raw under a page reference like any extent. Neighbours: `checkpoint` writes records,
//! `store` reads them when it opens a file.

use rustc_hash::{FxHashMap, FxHashSet};

use super::counts::{Counts, Listed, Step, put_counts};
use super::free::FreeRuns;
use super::settle::Settlement;
use super::{Count, Space};
use crate::error::{Error, Result};
use crate::format::bytes::{Reader, put_varint};
use crate::format::{Extent, Granule, PageKind, PageRef, Stored};
use crate::limits::{EXTENT_BYTES_MAX, FIRST_GRANULE, GRANULE_BYTES};

/// How many records a chain may have before it is condensed.
const CHAIN_RECORDS_MAX: usize = 48;

/// From so many records on a chain is condensed where that writes no more than half of what they
/// took: an opening reads them one after another.
const CHAIN_RECORDS_FEW: usize = 8;

/// A chain of fewer records that is shorter than this is never condensed for its size.
const CHAIN_BYTES_MIN: u64 = 64 * 1024;

/// The most lists entries of one record, so that it stays far below the longest extent.
const ENTRIES_MAX: usize = EXTENT_BYTES_MAX / 64;

/// One record's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    previous: Option<PageRef>,
    /// The end of the used part of the file when the record was written.
    end: u64,
    freed: Vec<Extent>,
    used: Vec<Extent>,
    counts: Vec<(Granule, Count)>,
}

impl Record {
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.previous {
            None => out.push(0),
            Some(page) => {
                out.push(1);
                page.encode(out);
            }
        }
        put_varint(out, self.end);
        for list in [&self.freed, &self.used] {
            put_varint(out, list.len() as u64);
            let mut last = 0;
            for extent in list {
                put_varint(out, extent.start.0 - last);
                put_varint(out, extent.granules);
                last = extent.start.0;
            }
        }
        put_counts(out, &self.counts);
    }
}

/// A record as it was read.
struct Loaded {
    previous: Option<PageRef>,
    end: u64,
    freed: Vec<Extent>,
    used: Vec<Extent>,
    counts: Listed,
}

impl Loaded {
    fn decode(bytes: Vec<u8>) -> Result<Self> {
        let mut reader = Reader::new(&bytes);
        let previous = match reader.u8()? {
            0 => None,
            1 => Some(PageRef::decode(&mut reader)?),
            other => return Err(Error::corrupt(format!("bad mark in the space map: {other}"))),
        };
        let end = reader.varint()?;
        let mut lists = [Vec::new(), Vec::new()];
        for list in &mut lists {
            let count = reader.varint()?;
            let mut last = 0u64;
            for _ in 0..count {
                let start = last.saturating_add(reader.varint()?);
                let granules = reader.varint()?;
                list.push(Extent { start: Granule(start), granules });
                last = start;
            }
        }
        let (length, from) = (reader.varint()?, reader.position());
        let counts = Listed::new(bytes, from, length)?;
        let [freed, used] = lists;
        Ok(Self { previous, end, freed, used, counts })
    }
}

/// The chain that the current superblock names.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    records: Vec<PageRef>,
    condensed_bytes: u64,
}

impl Chain {
    /// The newest record.
    pub fn newest(&self) -> Option<PageRef> {
        self.records.last().copied()
    }

    /// Every record.
    pub fn records(&self) -> &[PageRef] {
        &self.records
    }

    fn bytes(&self) -> u64 {
        self.records.iter().map(PageRef::stored_bytes).sum()
    }

    fn is_long(&self) -> bool {
        let (records, bytes) = (self.records.len(), self.bytes());
        records >= CHAIN_RECORDS_MAX
            || bytes > CHAIN_BYTES_MIN.max(3 * self.condensed_bytes)
            || (records >= CHAIN_RECORDS_FEW && bytes >= 3 * self.condensed_bytes)
    }
}

/// Records ready to be written, with the extents that they take.
#[derive(Debug)]
pub struct Written {
    /// The chain once the checkpoint is durable.
    pub chain: Chain,
    /// Bytes and where they go.
    pub writes: Vec<(Granule, Vec<u8>)>,
    /// The used part of the file that the superblock states.
    pub end: u64,
}

impl Space {
    /// Prepares the record of a checkpoint. The extents of dropped records are added to
    /// `settlement.released`, those of new ones to `settlement.attached`.
    pub fn write_log(
        &self,
        chain: &Chain,
        settlement: &mut Settlement,
        birth: u64,
    ) -> Result<Written> {
        if chain.is_long() || chain.records.is_empty() || self.is_high(chain) {
            return self.write_condensed(chain, settlement, birth);
        }
        let mut record = Record {
            previous: chain.newest(),
            end: 0,
            freed: sorted(settlement.released.clone()),
            used: runs(&settlement.attached),
            counts: self.changed_counts(settlement),
        };
        if record.freed.len() + record.used.len() + record.counts.len() > ENTRIES_MAX {
            return self.write_condensed(chain, settlement, birth);
        }
        let extent = self.allocate(record_granules(&record));
        settlement.attached.push(extent);
        record.used = runs(&settlement.attached);
        record.end = self.counts().end;
        let (page, bytes) = seal(&record, extent, birth)?;
        let mut chain = chain.clone();
        chain.records.push(page);
        Ok(Written { chain, writes: vec![(extent.start, bytes)], end: record.end })
    }

    /// The counts that the table of before does not say. Most extents of a checkpoint are new and
    /// have what every extent has that is not in the table: naming them all would make records
    /// of a large load the larger part of what an opening reads.
    fn changed_counts(&self, settlement: &Settlement) -> Vec<(Granule, Count)> {
        let state = self.state.lock();
        let mut changed = sorted_counts(&settlement.counts, &settlement.released);
        changed.retain(|(granule, count)| {
            *count != Count::USUAL || state.counts.table().contains_key(granule)
        });
        changed
    }

    /// Whether a record lies in the end of the file that is being emptied.
    pub fn is_high(&self, chain: &Chain) -> bool {
        let ends = chain.records.iter().map(|page| page.base.extent());
        let end = ends.map(|extent| extent.start.0 + extent.granules).max();
        self.ceiling().zip(end).is_some_and(|(ceiling, end)| end > ceiling.0)
    }

    fn write_condensed(
        &self,
        chain: &Chain,
        settlement: &mut Settlement,
        birth: u64,
    ) -> Result<Written> {
        for page in &chain.records {
            settlement.released.push(page.base.extent());
        }
        // The records' own room is not known before they are; allocate for what is there now
        // and for the few entries that allocating them adds.
        let draft = self.condensed(settlement, &[]);
        let parts = (draft.freed.len() + draft.counts.len()).div_ceil(ENTRIES_MAX).max(1);
        let slack = 64 * (parts as u64 + 1);
        let mut bytes = Vec::new();
        draft.encode(&mut bytes);
        let each = (bytes.len() as u64).div_ceil(parts as u64) + slack + bytes.len() as u64 / 8;
        let extents: Vec<Extent> =
            (0..parts).map(|_| self.allocate(each.div_ceil(GRANULE_BYTES))).collect();
        settlement.attached.extend_from_slice(&extents);

        let whole = self.condensed(settlement, &extents);
        let mut new = Chain::default();
        let mut writes = Vec::new();
        for (part, extent) in extents.iter().enumerate() {
            let record = Record {
                previous: new.newest(),
                end: whole.end,
                freed: share(&whole.freed, part, parts).to_vec(),
                used: Vec::new(),
                counts: share(&whole.counts, part, parts).to_vec(),
            };
            let (page, bytes) = seal(&record, *extent, birth)?;
            new.records.push(page);
            writes.push((extent.start, bytes));
        }
        new.condensed_bytes = new.bytes();
        Ok(Written { chain: new, writes, end: whole.end })
    }

    /// Everything that will be free once the settlement is true.
    fn condensed(&self, settlement: &Settlement, own: &[Extent]) -> Record {
        let state = self.state.lock();
        let mut free = state.free.clone();
        let attached: FxHashSet<Granule> =
            settlement.attached.iter().map(|extent| extent.start).collect();
        let unattached = state
            .unattached
            .iter()
            .filter(|(version, _)| !attached.contains(version))
            .map(|(version, page)| Extent { start: *version, granules: page.granules });
        let pending = state.pending.iter().flat_map(|pending| pending.extents.iter().copied());
        let reserved = state
            .reserved
            .iter()
            .map(|(start, granules)| Extent { start: *start, granules: *granules });
        let released = settlement.released.iter().copied();
        for extent in unattached.chain(reserved).chain(pending).chain(released) {
            // Overlaps cannot be; if there were one, the extent simply stays used on disk.
            let _ = free.add(extent);
        }
        debug_assert!(own.iter().all(|extent| free.is_disjoint(*extent)));
        let mut counts: FxHashMap<Granule, Count> = state.counts.table().clone();
        counts.extend(settlement.counts.iter().map(|(granule, count)| (*granule, *count)));
        counts.retain(|_, count| *count != Count::USUAL);
        Record {
            previous: None,
            end: state.end,
            freed: free.iter().collect(),
            used: Vec::new(),
            counts: sorted_counts(&counts, &settlement.released),
        }
    }

    /// Rebuilds the space of a file from its newest record; `read` fetches a record's bytes.
    pub fn load(
        newest: &PageRef,
        end: u64,
        read: &mut dyn FnMut(&PageRef) -> Result<Vec<u8>>,
    ) -> Result<(Self, Chain)> {
        let mut chain = Chain::default();
        let mut records = Vec::new();
        let mut seen = FxHashSet::default();
        let mut next = Some(*newest);
        while let Some(page) = next {
            if !seen.insert(page.base.granule) {
                return Err(Error::corrupt("the chain of the space map runs in a circle"));
            }
            let record = Loaded::decode(read(&page)?)
                .map_err(|error| error.at_offset(page.base.granule.offset()))?;
            next = record.previous;
            chain.records.push(page);
            records.push(record);
        }
        chain.records.reverse();
        records.reverse();
        let mut free = FreeRuns::default();
        // The file may have been longer once: replay needs the longest, the cut comes after.
        let first_end = records.first().map_or(end, |record| record.end).max(FIRST_GRANULE);
        let longest = records.iter().map(|record| record.end).fold(end, u64::max);
        if first_end < longest {
            free.add(Extent { start: Granule(first_end), granules: longest - first_end })?;
        }
        for record in &records {
            for extent in &record.freed {
                check_bounds(*extent, longest)?;
                free.add(*extent)?;
            }
            for extent in &record.used {
                check_bounds(*extent, longest)?;
                free.take_exact(*extent)?;
            }
        }
        let condensed = records.iter().take_while(|record| record.used.is_empty()).count().max(1);
        chain.condensed_bytes =
            chain.records.iter().take(condensed).map(PageRef::stored_bytes).sum();
        let step = |record: Loaded| Step { counts: record.counts, freed: record.freed };
        let counts = Counts::later(records.into_iter().map(step).collect());
        let space = Self::with(free, longest, counts);
        space.state.lock().shrink();
        Ok((space, chain))
    }
}

fn check_bounds(extent: Extent, end: u64) -> Result<()> {
    let last = extent.start.0.checked_add(extent.granules);
    if extent.start.0 < FIRST_GRANULE || last.is_none_or(|last| last > end) {
        return Err(Error::corrupt(format!(
            "the space map names granules {}+{} of a file of {end}",
            extent.start.0, extent.granules
        )));
    }
    Ok(())
}

fn sorted(mut extents: Vec<Extent>) -> Vec<Extent> {
    extents.sort_unstable();
    extents
}

/// Extents as runs that do not touch. What a checkpoint writes lies one behind another, so that
/// this is what keeps the chain short, and opening with it; of released extents each one counts,
/// because its own count goes with it.
fn runs(extents: &[Extent]) -> Vec<Extent> {
    let mut runs: Vec<Extent> = Vec::new();
    for extent in sorted(extents.to_vec()) {
        match runs.last_mut() {
            Some(run) if run.start.0 + run.granules == extent.start.0 => {
                run.granules += extent.granules;
            }
            _ => runs.push(extent),
        }
    }
    runs
}

fn sorted_counts(counts: &FxHashMap<Granule, Count>, released: &[Extent]) -> Vec<(Granule, Count)> {
    let released: FxHashSet<Granule> = released.iter().map(|extent| extent.start).collect();
    let mut sorted: Vec<_> = counts
        .iter()
        .filter(|(granule, _)| !released.contains(granule))
        .map(|(granule, count)| (*granule, *count))
        .collect();
    sorted.sort_unstable_by_key(|(granule, _)| *granule);
    sorted
}

fn share<T>(list: &[T], part: usize, parts: usize) -> &[T] {
    let (from, to) = (list.len() * part / parts, list.len() * (part + 1) / parts);
    &list[from..to]
}

/// The granules that a record takes, with room for its own extent among the used ones.
fn record_granules(record: &Record) -> u64 {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    (bytes.len() as u64 + 32).div_ceil(GRANULE_BYTES)
}

/// The bytes of a record, padded to its extent, and the reference to them.
fn seal(record: &Record, extent: Extent, birth: u64) -> Result<(PageRef, Vec<u8>)> {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    let length = (extent.granules * GRANULE_BYTES) as usize;
    if bytes.len() > length {
        return Err(Error::corrupt("a record of the space map outgrew its extent"));
    }
    bytes.resize(length, 0);
    let base = Stored {
        granule: extent.start,
        stored: length as u32,
        raw: length as u32,
        checksum: crc32fast::hash(&bytes),
        codec: 0,
    };
    let page = PageRef {
        kind: PageKind::OverflowData,
        level: 0,
        has_edges: false,
        base,
        delta: None,
        birth,
        rows: 0,
    };
    Ok((page, bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::super::Unattached;
    use super::*;

    /// Writes `pages` new pages and makes them reachable; returns how long the record is.
    fn checkpoint(space: &Space, chain: &mut Chain, disk: &mut Disk, pages: usize) -> usize {
        let new: Vec<Granule> = (0..pages).map(|_| space.allocate(3).start).collect();
        for version in &new {
            let page = Unattached { granules: 3, edges: Box::default(), base: None, birth: 1 };
            space.add_unattached(*version, page);
        }
        // Some of them have more than one parent.
        let shared = new.iter().step_by(100).copied();
        let edges: Vec<Granule> = new.iter().copied().chain(shared).collect();
        let mut settlement = space.settle(&edges, Vec::new(), &mut |_| Ok(Vec::new())).unwrap();
        let written = space.write_log(chain, &mut settlement, 1).unwrap();
        let length = written.writes.iter().map(|(_, bytes)| bytes.len()).sum();
        disk.extend(written.writes);
        space.apply(settlement, 1);
        *chain = written.chain;
        length
    }

    type Disk = FxHashMap<Granule, Vec<u8>>;

    #[test]
    fn new_pages_take_a_run_of_a_record_and_come_back_with_their_counts() {
        let space = Space::new();
        let (mut chain, mut disk) = (Chain::default(), Disk::default());
        checkpoint(&space, &mut chain, &mut disk, 1);
        let mut shared = 1;
        for pages in [1000, 5000] {
            let length = checkpoint(&space, &mut chain, &mut disk, pages);
            let most = 512 + pages / 100 * 8;
            assert!(length <= most, "{length} bytes for {pages} pages");
            let newest = chain.newest().unwrap();
            let read = &mut |page: &PageRef| Ok(disk[&page.base.granule].clone());
            let (loaded, _) = Space::load(&newest, space.counts().end, read).unwrap();
            let counts = space.state.lock().counts.table().clone();
            assert_eq!(loaded.state.lock().counts.table().clone(), counts);
            shared += pages / 100;
            assert_eq!(counts.len(), shared, "those with two parents");
        }
    }
}
