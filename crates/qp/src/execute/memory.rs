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
use pandodb_ds::vfs::os::machine_memory;
use pandodb_ds::vfs::{File, OpenMode, Vfs};

use super::{Context, Settings};
use crate::error::{Error, ErrorKind, Result};

/// How many bytes are written or read at once.
const BLOCK: usize = 1 << 18;

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
        if bytes >= self.bytes {
            self.account.0.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.account.0.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        let kept = self.account.bytes() as u64;
        let most = settings.memory_most();
        if kept > most {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "the statement needs more than the {most} bytes of memory that it may take"
                ),
            ));
        }
        Ok(kept > settings.memory_soft_bytes)
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

/// What a statement may take where nobody says less: half of what the machine has, so that a
/// statement without bounds ends before the machine does. The answer is kept.
pub(super) fn machine_share() -> u64 {
    static SHARE: OnceLock<u64> = OnceLock::new();
    *SHARE.get_or_init(|| machine_memory().map_or(u64::MAX, |bytes| bytes / 2))
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
        let counted = context.run.profile.as_ref().map(|profile| profile.spilled());
        Ok(Self { file, named, written: 0, buffer: Vec::new(), counted })
    }

    /// Appends bytes and tells where they end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BLOCK {
            self.flush()?;
        }
        Ok(self.written + self.buffer.len() as u64)
    }

    /// Replaces `bytes` by a part of what was appended.
    pub(super) fn read(&mut self, part: Range<u64>, bytes: &mut Vec<u8>) -> Result<()> {
        if part.end > self.written {
            self.flush()?;
        }
        bytes.clear();
        bytes.resize(part.end.saturating_sub(part.start) as usize, 0);
        Ok(self.file.read_exact_at(part.start, bytes)?)
    }

    /// Ends appending: from now on any number of threads may read.
    pub(super) fn seal(&mut self) -> Result<()> {
        self.flush()?;
        self.buffer = Vec::new();
        Ok(())
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
        if self.buffer.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
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
        self.flush()?;
        self.buffer = Vec::new();
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
            let wanted = (BLOCK as u64).max(count as u64).min(self.file.written - self.next);
            let have = self.block.len();
            self.block.resize(have + wanted as usize, 0);
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

    use super::{Account, Settings};
    use crate::error::ErrorKind;

    #[test]
    fn half_of_the_machine_is_the_most_where_nothing_was_set() {
        let settings = Settings::default();
        let mut charge = Account::default().charge();
        assert!(!charge.set(1000, &settings).unwrap());
        let most = settings.memory_most();
        if let Some(bytes) = pandodb_ds::vfs::os::machine_memory() {
            assert_eq!(most, bytes / 2);
            assert!(charge.set(most as usize, &settings).unwrap(), "files are used long before");
            let error = charge.set(most as usize + 1, &settings).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
        }
    }
}

// Neighbours: `context`, `runs`, `operators::kept`, `batch::sort`, `batch::partition`.
