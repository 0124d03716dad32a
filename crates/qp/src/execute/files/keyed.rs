//! Keys that are looked for, in a file: those that a hash table has no room for.
//!
//! The keys are sorted into blocks, each of which is found by its first key; a filter says of most
//! keys that are not there that they are not, without a look into the file. Under a key there are
//! numbers, in their order. Once it is made the file only is read, by any number of threads.
//! Neighbours: `set`, and the joins and recursive tables of the row gear.

use std::hash::Hasher;

use pandodb_ds::record::Value;
use rustc_hash::{FxHashMap, FxHasher};
use smallvec::smallvec;

use crate::error::Result;
use crate::execute::files::partition::may_be_divided;
use crate::execute::memory::{SpillFile, Weight};
use crate::execute::operators::{KeptRow, Sorter};
use crate::execute::{Context, HashedRow, Kept};

/// About how many bytes are read to look a key up.
const BLOCK_BYTES: u64 = 4096;

/// How many bits of the filter there are for each key, and how many of them a key sets.
const FILTER_BITS: usize = 10;
const FILTER_MARKS: u64 = 4;

/// About what the table takes for a key and for a number, beside the key's bytes.
const KEY_BYTES: usize = 64;
const NUMBER_BYTES: usize = size_of::<u32>();

/// Numbers by keys: in memory while there is room, those of other keys in a file.
#[derive(Debug, Default)]
pub(in crate::execute) struct KeyNumbers {
    known: FxHashMap<HashedRow, Vec<u32>>,
    weight: Weight,
    others: OtherKeys,
}

/// Keys with numbers that a table has no room for: gathered while they come, then in a file.
#[derive(Debug, Default)]
pub(in crate::execute) struct OtherKeys {
    coming: Option<Box<KeySorter>>,
    filed: Option<Box<KeyFile>>,
}

/// Keys that are gathered.
#[derive(Debug, Default)]
struct KeySorter {
    sorter: Sorter,
    keys: usize,
}

/// Sorted keys that are written.
#[derive(Debug)]
pub(in crate::execute) struct KeyWriter {
    keys: KeyFile,
    begun: Option<u64>,
    last: Vec<u8>,
}

/// Keys in a file.
#[derive(Debug)]
pub(in crate::execute) struct KeyFile {
    file: SpillFile,
    /// The first key of each block, and where it begins.
    blocks: Vec<(HashedRow, u64)>,
    end: u64,
    filter: Vec<u64>,
    weight: Weight,
}

fn hash_of(key: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    let hash = hasher.finish();
    (hash ^ hash >> 32).wrapping_mul(0xff51_afd7_ed55_8ccd)
}

/// The bits of a key in a filter of so many words.
fn marks(key: &[u8], words: usize) -> impl Iterator<Item = (usize, u64)> {
    let hash = hash_of(key);
    let step = hash >> 32 | 1;
    let bits = (words as u64 * 64).max(1);
    (0..FILTER_MARKS).map(move |mark| {
        let bit = hash.wrapping_add(mark.wrapping_mul(step)) % bits;
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}

impl KeyNumbers {
    /// Adds a number under a key; numbers come in their order.
    pub(in crate::execute) fn add(
        &mut self,
        key: &[u8],
        number: u32,
        context: &Context<'_>,
    ) -> Result<()> {
        if let Some(numbers) = self.known.get_mut(key) {
            numbers.push(number);
            return self.weigh(NUMBER_BYTES, context);
        }
        if self.others.take((key, u64::from(number)), context)? {
            return Ok(());
        }
        self.known.insert(Box::from(key), vec![number]);
        self.weigh(key.len() + KEY_BYTES, context)
    }

    fn weigh(&mut self, bytes: usize, context: &Context<'_>) -> Result<()> {
        if self.weight.add(bytes, context)? {
            self.others.begin(self.known.len());
        }
        Ok(())
    }

    /// All numbers have come.
    pub(in crate::execute) fn finish(&mut self, context: &Context<'_>) -> Result<()> {
        self.others.finish(context)
    }

    /// Appends the numbers under a key.
    pub(in crate::execute) fn find(&self, key: &[u8], numbers: &mut Vec<u32>) -> Result<()> {
        if let Some(known) = self.known.get(key) {
            numbers.extend_from_slice(known);
        } else if let Some(filed) = self.others.filed() {
            filed.find(key, |number| numbers.push(number as u32))?;
        }
        Ok(())
    }
}

impl OtherKeys {
    /// The statement keeps too much: keys that are not among the `known` ones come here from now
    /// on, if those are worth a file.
    pub(in crate::execute) fn begin(&mut self, known: usize) {
        if self.coming.is_none() && may_be_divided(known, 0) {
            self.coming = Some(Box::default());
        }
    }

    /// Whether keys that the table does not know come here.
    #[inline]
    pub(in crate::execute) fn are_coming(&self) -> bool {
        self.coming.is_some()
    }

    /// Takes a key with a number that the table does not know; false where there is room for it
    /// in the table.
    pub(in crate::execute) fn take(
        &mut self,
        entry: (&[u8], u64),
        context: &Context<'_>,
    ) -> Result<bool> {
        let Some(coming) = &mut self.coming else { return Ok(false) };
        coming.push(entry, context).map(|()| true)
    }

    /// All keys have come.
    pub(in crate::execute) fn finish(&mut self, context: &Context<'_>) -> Result<()> {
        if let Some(coming) = self.coming.take() {
            self.filed = Some(Box::new(coming.finish(context)?));
        }
        Ok(())
    }

    /// The file, if there are any.
    pub(in crate::execute) fn filed(&self) -> Option<&KeyFile> {
        self.filed.as_deref()
    }
}

impl KeySorter {
    fn push(&mut self, (key, number): (&[u8], u64), context: &Context<'_>) -> Result<()> {
        self.keys += 1;
        let mut place = key.to_vec();
        place.extend_from_slice(&number.to_be_bytes());
        let values = vec![Value::Blob(key.into())];
        let row = KeptRow(smallvec![Kept::Values { rowid: number as i64, values }]);
        self.sorter.push(place, row, context)
    }

    /// Writes the keys to a file.
    fn finish(self, context: &Context<'_>) -> Result<KeyFile> {
        let mut writer = KeyWriter::new(self.keys, context)?;
        let mut rows = self.sorter.finish(None, context)?;
        while let Some(row) = rows.next()? {
            context.tick()?;
            if let Some(Kept::Values { rowid, values }) = row.0.first()
                && let [Value::Blob(key)] = values.as_slice()
            {
                writer.push((key, *rowid as u64), context)?;
            }
        }
        writer.finish()
    }
}

impl KeyWriter {
    /// A file for at most so many keys.
    pub(in crate::execute) fn new(keys: usize, context: &Context<'_>) -> Result<Self> {
        let filter = vec![0; (keys * FILTER_BITS).div_ceil(64)];
        let mut weight = Weight::default();
        weight.add(filter.len() * size_of::<u64>(), context)?;
        let file = SpillFile::create(context)?;
        let keys = KeyFile { file, blocks: Vec::new(), end: 0, filter, weight };
        Ok(Self { keys, begun: None, last: Vec::new() })
    }

    /// Appends a key with a number; they come in order. Of what comes twice one stays.
    pub(in crate::execute) fn push(
        &mut self,
        (key, number): (&[u8], u64),
        context: &Context<'_>,
    ) -> Result<()> {
        let mut entry = Vec::with_capacity(key.len() + 16);
        entry.extend_from_slice(&(key.len() as u64).to_le_bytes());
        entry.extend_from_slice(key);
        entry.extend_from_slice(&number.to_le_bytes());
        if self.begun.is_some() && entry == self.last {
            return Ok(());
        }
        let keys = &mut self.keys;
        if self.begun.is_none_or(|begun| keys.end - begun >= BLOCK_BYTES) {
            self.begun = Some(keys.end);
            keys.blocks.push((Box::from(key), keys.end));
            keys.weight.add(size_of::<(HashedRow, u64)>() + key.len(), context)?;
        }
        let words = keys.filter.len();
        for (word, bit) in marks(key, words) {
            if let Some(word) = keys.filter.get_mut(word) {
                *word |= bit;
            }
        }
        keys.end = keys.file.append(&entry)?;
        self.last = entry;
        Ok(())
    }

    /// All keys have come.
    pub(in crate::execute) fn finish(mut self) -> Result<KeyFile> {
        self.keys.file.seal()?;
        Ok(self.keys)
    }
}

impl KeyFile {
    /// Calls `each` with the numbers under a key, in their order.
    pub(in crate::execute) fn find(&self, key: &[u8], mut each: impl FnMut(u64)) -> Result<()> {
        let is_marked =
            |(word, bit): (usize, u64)| self.filter.get(word).is_some_and(|word| word & bit != 0);
        if !marks(key, self.filter.len()).all(is_marked) {
            return Ok(());
        }
        // The key may begin at the end of the block before the first that begins with it.
        let behind = self.blocks.partition_point(|(first, _)| &**first < key);
        for place in behind.saturating_sub(1)..self.blocks.len() {
            if &*self.blocks[place].0 > key {
                break;
            }
            self.read_block(place, |found, number| {
                if found == key {
                    each(number);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether a key is there.
    pub(in crate::execute) fn contains(&self, key: &[u8]) -> Result<bool> {
        let mut is_there = false;
        self.find(key, |_| is_there = true)?;
        Ok(is_there)
    }

    /// Calls `each` with every key.
    pub(in crate::execute) fn each(&self, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        (0..self.blocks.len()).try_for_each(|place| self.read_block(place, |key, _| each(key)))
    }

    fn read_block(
        &self,
        place: usize,
        mut each: impl FnMut(&[u8], u64) -> Result<()>,
    ) -> Result<()> {
        let start = self.blocks[place].1;
        let end = self.blocks.get(place + 1).map_or(self.end, |(_, next)| *next);
        let mut bytes = Vec::new();
        self.file.read_sealed(start..end, &mut bytes)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let key = crate::execute::operators::take_part(&mut rest)?;
            let number = crate::execute::operators::take_word(&mut rest)?;
            each(key, number)?;
        }
        Ok(())
    }
}
