//! What a statement keeps in memory, and the files that take what is too much.
//!
//! Operators that keep rows hold a [`Charge`] on their statement's account. Over the soft limit
//! they move rows to temporary files where they can; over the hard limit the statement ends with
//! an error. A temporary file stands beside the database's file and is nobody's but the
//! operator's: it has no name any more as soon as it is open, where the system allows that.
//! Neighbours: `context` has the account, `operators` and `batch` keep rows.

use std::ops::Range;
use std::path::PathBuf;

use pandodb_ds::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use pandodb_ds::sync::{Arc, OnceLock};
use pandodb_ds::vfs::machine::{given_memory, machine_memory};
use pandodb_ds::vfs::{File, OpenMode, Vfs};

use super::{Context, Settings};
use crate::error::{Error, ErrorKind, Result};

/// How many bytes of a file are written or read at once at most, and at least; between these it
/// is a small part of what the statement should keep, because a statement may have dozens of
/// files.
const BLOCK_MAX: usize = 1 << 18;
const BLOCK_MIN: usize = 1 << 10;
const BLOCKS: u64 = 256;

/// So many files may be read side by side in whole blocks.
const SIDE_BY_SIDE: usize = 64;

/// How many bytes are kept at most between two looks at the statement's account.
const WEIGH_BYTES: u64 = 1 << 16;

/// The longest entry of a temporary file.
const ENTRY_BYTES_MAX: u64 = 1 << 32;

/// How many bytes a statement's operators keep.
#[derive(Clone, Debug, Default)]
pub struct Account(Arc<AtomicUsize>);

/// A part of an account, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    account: Account,
    bytes: usize,
}

/// What an operator keeps, on the account of its statement.
#[derive(Debug, Default)]
pub(crate) struct Weight {
    /// Made when there is something to weigh.
    charge: Option<Charge>,
    bytes: usize,
    said: usize,
    is_too_much: bool,
}

impl Account {
    /// A charge of nothing yet.
    pub(super) fn charge(&self) -> Charge {
        Charge { account: self.clone(), bytes: 0 }
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> usize {
        // Relaxed: a count that nothing else depends on.
        self.0.load(Ordering::Relaxed)
    }
}

impl Charge {
    /// Says how many bytes are kept now; whether the statement keeps more than it should.
    pub(super) fn set(&mut self, bytes: usize, settings: &Settings) -> Result<bool> {
        self.set_within(bytes, settings.memory_most())?;
        Ok(self.account.bytes() as u64 > settings.memory_soft_bytes)
    }

    /// Says how many bytes are kept now; an error if the statement keeps more than `most`.
    fn set_within(&mut self, bytes: usize, most: u64) -> Result<()> {
        if bytes >= self.bytes {
            self.account.0.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.account.0.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        if self.account.bytes() as u64 > most {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "the statement needs more than the {most} bytes of memory that it may take"
                ),
            ));
        }
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Weight {
    /// Says that more is kept; whether the statement keeps more than it should.
    #[inline]
    pub(crate) fn add(&mut self, bytes: usize, context: &Context<'_>) -> Result<bool> {
        self.bytes += bytes;
        let unsaid = self.bytes.abs_diff(self.said) as u64;
        if unsaid < WEIGH_BYTES && unsaid < context.settings.memory_soft_bytes / 8 {
            return Ok(self.is_too_much);
        }
        self.weigh(context)
    }

    /// Says that less is kept. The account hears of it with what is added next.
    #[inline]
    pub(super) fn take_off(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Says by how much more or less is kept; whether the statement keeps more than it should.
    #[inline]
    pub(super) fn change(&mut self, grown: isize, context: &Context<'_>) -> Result<bool> {
        if grown >= 0 {
            return self.add(grown.unsigned_abs(), context);
        }
        self.take_off(grown.unsigned_abs());
        self.add(0, context)
    }

    /// How many bytes are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Says that nothing is kept any more.
    pub(super) fn clear(&mut self, context: &Context<'_>) -> Result<()> {
        self.bytes = 0;
        self.weigh(context)?;
        Ok(())
    }

    fn weigh(&mut self, context: &Context<'_>) -> Result<bool> {
        self.said = self.bytes;
        let charge = self.charge.get_or_insert_with(|| context.run.memory().charge());
        self.is_too_much = charge.set(self.bytes, context.settings)?;
        Ok(self.is_too_much)
    }
}

/// What a statement may take where nobody says less: half of what the machine or the container
/// has, so that a statement without bounds ends before these do. Of the addresses that the process
/// was given it is a quarter: they are the program's, its threads' and the cache's as well, and
/// what grows is there twice for a moment. The answer is kept.
pub(super) fn machine_share() -> u64 {
    static SHARE: OnceLock<u64> = OnceLock::new();
    *SHARE.get_or_init(|| {
        let half = machine_memory().map_or(u64::MAX, |bytes| bytes / 2);
        given_memory().map_or(half, |bytes| half.min(bytes / 4))
    })
}

/// A file of entries that are written one after the other, then read once; or of bytes that are
/// appended and read by their places.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: Arc<dyn File>,
    /// Removes the file at the end, where it could not be removed at once.
    named: Option<(Arc<dyn Vfs>, PathBuf)>,
    written: u64,
    buffer: Vec<u8>,
    /// Where what was written is counted, if somebody asks.
    counted: Option<Arc<AtomicU64>>,
    /// How many bytes are written or read at once.
    block: usize,
    /// What the buffer takes, and the block that was read last.
    charge: Charge,
    held: usize,
    /// More than this the statement may not keep.
    most: u64,
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        if let Some((vfs, path)) = &self.named {
            // Nobody needs it; what cannot be removed is rubbish, not an error of the query.
            let _ = vfs.remove(path);
        }
    }
}

impl SpillFile {
    /// A new file beside the database's.
    pub(super) fn create(context: &Context<'_>) -> Result<Self> {
        let transaction = context.sources.look_at_all().next().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "a statement without a database keeps too much")
        })?;
        let (vfs, mut path) = transaction.place()?;
        path.as_mut_os_string().push(format!("-spill-{:016x}", transaction.random()));
        drop(transaction);
        let file = vfs.open(&path, OpenMode::CreateNew)?;
        let named = vfs.remove(&path).is_err().then_some((vfs, path));
        let mut spill = Self::over(file, context.run.memory(), context.settings);
        spill.named = named;
        spill.counted = context.run.profile.as_ref().map(|profile| profile.spilled());
        Ok(spill)
    }

    /// Over an empty file, whose buffers are on an account.
    fn over(file: Arc<dyn File>, account: &Account, settings: &Settings) -> Self {
        let share = usize::try_from(settings.memory_soft_bytes / BLOCKS).unwrap_or(BLOCK_MAX);
        Self {
            file,
            named: None,
            written: 0,
            buffer: Vec::new(),
            counted: None,
            block: share.clamp(BLOCK_MIN, BLOCK_MAX),
            charge: account.charge(),
            held: 0,
            most: settings.memory_most(),
        }
    }

    /// How many bytes are best read at once.
    pub(super) fn block_bytes(&self) -> usize {
        self.block
    }

    /// Says what the buffer takes, and what is held of the file.
    fn weigh(&mut self) -> Result<()> {
        let bytes = self.buffer.capacity() + self.held;
        if bytes == self.charge.bytes { Ok(()) } else { self.charge.set_within(bytes, self.most) }
    }

    /// Appends bytes and tells where they end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        self.buffer.extend_from_slice(bytes);
        self.flush_if_full()?;
        Ok(self.written + self.buffer.len() as u64)
    }

    /// Replaces `bytes` by a part of what was appended; `others` are held of the file as well.
    pub(super) fn read(
        &mut self,
        part: Range<u64>,
        bytes: &mut Vec<u8>,
        others: usize,
    ) -> Result<()> {
        if part.end > self.written {
            self.flush()?;
        }
        self.read_sealed(part, bytes)?;
        self.held = bytes.capacity() + others;
        self.weigh()
    }

    /// Ends appending: from now on any number of threads may read.
    pub(super) fn seal(&mut self) -> Result<()> {
        self.flush()?;
        self.buffer = Vec::new();
        self.weigh()
    }

    /// As [`read`](Self::read), of a file that is sealed.
    pub(super) fn read_sealed(&self, part: Range<u64>, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.clear();
        bytes.resize(part.end.saturating_sub(part.start) as usize, 0);
        Ok(self.file.read_exact_at(part.start, bytes)?)
    }

    /// Appends an entry.
    pub(super) fn write(&mut self, parts: &[&[u8]]) -> Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.buffer.extend_from_slice(&(length as u64).to_le_bytes());
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> Result<()> {
        if self.buffer.len() >= self.block {
            self.flush()?;
            // A long entry does not keep its room.
            self.buffer.shrink_to(2 * self.block);
        }
        self.weigh()
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(self.written, &self.buffer)?;
        self.written += self.buffer.len() as u64;
        if let Some(counted) = &self.counted {
            counted.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        }
        self.buffer.clear();
        Ok(())
    }

    /// Ends writing; reads from the start.
    pub(super) fn into_reader(mut self) -> Result<SpillReader> {
        self.seal()?;
        Ok(SpillReader { file: self, next: 0, block: Vec::new(), at: 0 })
    }
}

/// Reads the entries of a file.
#[derive(Debug)]
pub(super) struct SpillReader {
    file: SpillFile,
    /// What of the file is not yet in the block.
    next: u64,
    block: Vec<u8>,
    at: usize,
}

impl SpillReader {
    /// One of `count` files that are read side by side: of each a smaller part is held.
    pub(super) fn share_with(&mut self, count: usize) {
        self.file.block = (self.file.block * SIDE_BY_SIDE / count.max(SIDE_BY_SIDE)).max(BLOCK_MIN);
    }

    /// Replaces `entry` by the next entry; false at the end.
    pub(super) fn read(&mut self, entry: &mut Vec<u8>) -> Result<bool> {
        entry.clear();
        if self.at == self.block.len() && self.next == self.file.written {
            return Ok(false);
        }
        let mut length = [0; 8];
        self.take(8)?;
        length.copy_from_slice(&self.block[self.at - 8..self.at]);
        let length = u64::from_le_bytes(length);
        if length > ENTRY_BYTES_MAX {
            return Err(pandodb_ds::Error::corrupt("a temporary file was changed").into());
        }
        let length = length as usize;
        self.take(length)?;
        entry.extend_from_slice(&self.block[self.at - length..self.at]);
        Ok(true)
    }

    /// Moves behind the next `count` bytes, which are in the block then.
    fn take(&mut self, count: usize) -> Result<()> {
        if self.block.len() - self.at < count {
            self.block.drain(..self.at);
            self.at = 0;
            self.block.shrink_to(2 * self.file.block);
            let wanted =
                (self.file.block as u64).max(count as u64).min(self.file.written - self.next);
            let have = self.block.len();
            self.block.resize(have + wanted as usize, 0);
            self.file.held = self.block.capacity();
            self.file.weigh()?;
            self.file.file.read_exact_at(self.next, &mut self.block[have..])?;
            self.next += wanted;
            if self.block.len() < count {
                return Err(pandodb_ds::Error::corrupt("a temporary file ends early").into());
            }
        }
        self.at += count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::path::Path;

    use pandodb_ds::sync::Arc;
    use pandodb_ds::vfs::{Fault, File, MemoryVfs, OpenMode, SimVfs, Vfs};

    use super::{Account, BLOCK_MAX, BLOCK_MIN, Settings, SpillFile};
    use crate::error::ErrorKind;

    fn file() -> Arc<dyn File> {
        MemoryVfs::new().open(Path::new("spill"), OpenMode::Create).unwrap()
    }

    /// Limits: where files begin to be used, and the end.
    fn limits(soft: u64, hard: u64) -> Settings {
        Settings { memory_soft_bytes: soft, memory_hard_bytes: hard, ..Settings::default() }
    }

    #[test]
    fn buffers_of_files_are_on_the_account_and_given_back() {
        let account = Account::default();
        for (soft, block) in [(0, BLOCK_MIN), (4 << 20, 16 << 10), (u64::MAX, BLOCK_MAX)] {
            let mut file = SpillFile::over(file(), &account, &limits(soft, u64::MAX));
            let entry = vec![7; 300];
            for number in 0..3 * block / entry.len() {
                file.write(&[&entry]).unwrap();
                let kept = (file.buffer.len()..=2 * block + entry.len()).contains(&account.bytes());
                assert!(kept, "{} bytes behind entry {number}", account.bytes());
            }
            // One that is longer than any block leaves no room behind.
            let long = vec![8; 5 * block];
            file.write(&[&long]).unwrap();
            assert!(account.bytes() <= 2 * block, "{}", account.bytes());
            let mut reader = file.into_reader().unwrap();
            assert_eq!(account.bytes(), 0);
            let (mut found, mut count) = (Vec::new(), 0);
            while reader.read(&mut found).unwrap() {
                assert!(found == entry || found == long);
                assert!(account.bytes() >= found.len().min(block), "{}", account.bytes());
                count += 1;
            }
            assert_eq!(count, 3 * block / entry.len() + 1);
            drop(reader);
            assert_eq!(account.bytes(), 0);
        }
    }

    #[test]
    fn parts_of_a_file_that_are_held_are_on_the_account() {
        let account = Account::default();
        let mut file = SpillFile::over(file(), &account, &limits(0, u64::MAX));
        let end = file.append(&[1; 10_000]).unwrap();
        let mut part = Vec::new();
        file.read(100..end, &mut part, 0).unwrap();
        file.append(&[2; 10]).unwrap();
        assert!(account.bytes() >= part.len() + 10, "{}", account.bytes());
        drop(file);
        assert_eq!(account.bytes(), 0);
    }

    #[test]
    fn buffers_end_a_statement_that_may_not_keep_them() {
        let account = Account::default();
        let mut charge = account.charge();
        let settings = limits(u64::MAX, 100_000);
        assert!(!charge.set(99_000, &settings).unwrap());
        let mut file = SpillFile::over(file(), &account, &settings);
        file.write(&[&[1; 100]]).unwrap();
        let refused = (0..100).find_map(|_| file.write(&[&[1; 100]]).err()).unwrap();
        assert_eq!(refused.kind(), ErrorKind::Limit);
        // The same of what is read.
        charge.set(0, &settings).unwrap();
        let mut reader = file.into_reader().unwrap();
        charge.set(99_999, &settings).unwrap();
        let refused = reader.read(&mut Vec::new()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Limit);
        drop((charge, reader));
        assert_eq!(account.bytes(), 0);
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_however_it_is_read() {
        let disk = SimVfs::new(3);
        let place = disk.open(Path::new("spill"), OpenMode::Create).unwrap();
        let mut file = SpillFile::over(place, &Account::default(), &Settings::default());
        let end = file.append(&[7; 5000]).unwrap();
        file.seal().unwrap();
        let mut part = Vec::new();
        disk.inject_next(Fault::ShortRead);
        assert!(file.read_sealed(0..end, &mut part).is_err());
        disk.inject_next(Fault::ShortRead);
        assert!(file.read(0..end, &mut part, 0).is_err());
        file.read_sealed(0..end, &mut part).unwrap();
        assert!(part == [7; 5000]);
    }

    #[test]
    fn files_that_are_read_side_by_side_hold_less_of_each() {
        let account = Account::default();
        let mut readers = Vec::new();
        for _ in 0..640 {
            let mut file = SpillFile::over(file(), &account, &limits(1 << 20, u64::MAX));
            (0..100).for_each(|_| file.write(&[&[1; 100]]).unwrap());
            readers.push(file.into_reader().unwrap());
        }
        for reader in &mut readers {
            reader.share_with(640);
            assert!(reader.read(&mut Vec::new()).unwrap());
        }
        assert!(account.bytes() < 1 << 20, "{}", account.bytes());
    }

    #[test]
    fn half_of_the_machine_is_the_most_where_nothing_was_set() {
        let settings = Settings::default();
        assert!(settings.memory_soft_bytes <= settings.memory_most() / 2);
        let mut charge = Account::default().charge();
        assert!(!charge.set(1000, &settings).unwrap());
        let most = settings.memory_most();
        if let Some(bytes) = pandodb_ds::vfs::machine::machine_memory() {
            let given =
                pandodb_ds::vfs::machine::given_memory().map_or(u64::MAX, |bytes| bytes / 4);
            assert_eq!(most, given.min(bytes / 2));
            assert!(charge.set(most as usize, &settings).unwrap(), "files are used long before");
            let error = charge.set(most as usize + 1, &settings).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
        }
    }
}

// Neighbours: `context`, `runs`, `operators::kept`, `batch::sort`, `batch::partition`.
