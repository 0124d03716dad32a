//! Appends whole transactions to the log, rolls from segment to segment, and recycles them.
//!
//! A transaction is *staged*: it gets its place in the log and is copied to a buffer, in memory.
//! [`Writer::begin_flush`] then gives out what must be written (and synced) for all that was
//! staged so far, and the caller does that without holding the writer, so that others stage
//! meanwhile: one positioned write into a preallocated file serves all of them. Reserving room is
//! a step of its own that fails cleanly (no room for a new segment), so that a failed flush
//! always means that the state of the log's end is unknown. Neighbours: `commit` drives this,
//! `reader` says where an existing log ends.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{File, OpenMode, Vfs};
use smallvec::SmallVec;

use super::frame::FrameBuffer;
use super::reader::LogEnd;
use super::segment::{self, DatabaseId, HEADER_LEN, Header, segment_path};
use crate::error::Result;
use crate::ids::{CommitId, Lsn};

/// How the log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalOptions {
    /// Bytes of a segment file; a larger transaction gets a larger one.
    pub segment_len: u64,
    /// Superfluous segments that are kept for reuse rather than removed.
    pub spare_segments: usize,
    /// Whether closed segments are kept under their names until they are pruned.
    pub archive: bool,
}

impl Default for WalOptions {
    fn default() -> Self {
        Self { segment_len: 4 << 20, spare_segments: 4, archive: false }
    }
}

/// How far ahead of the frames a segment is filled with zeros, where commits wait for syncs.
///
/// Room that was only reserved costs a sync of what says that it is in use now, each time that a
/// commit reaches further into it; room that was written once costs none of that.
const FILLED_AHEAD: u64 = 256 << 10;

/// What a writer had in hand when it was asked: nobody else may remove that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InHand {
    /// The number of the first segment that was not given up.
    pub first: u64,
    /// Where the newest segment ends, if nothing is appended to it any more.
    pub closed_end: Option<Lsn>,
}

/// A segment that gets no more frames.
#[derive(Debug)]
struct Closed {
    number: u64,
    end: Lsn,
    /// Its bytes up to here were written at some time.
    filled: u64,
}

/// A file that waits for reuse.
#[derive(Debug)]
struct Spare {
    path: PathBuf,
    filled: u64,
}

/// The segment that is appended to.
#[derive(Debug)]
struct Current {
    file: Arc<dyn File>,
    header: Header,
    capacity: u64,
    /// Its bytes up to here were written at some time.
    filled: u64,
}

impl Current {
    /// The zeros to write before a sync with frames up to `end`, if it is time for more. A sync
    /// with much to write pays for its own room, and for a little more, so that small commits
    /// behind it find some.
    fn fill(&mut self, end: u64, written: u64) -> Option<Fill> {
        if end <= self.filled {
            return None;
        }
        let is_large = written >= FILLED_AHEAD / 4;
        let ahead = if is_large { FILLED_AHEAD / 4 } else { FILLED_AHEAD };
        let to = (end + ahead).min(self.capacity);
        self.filled = to.max(end);
        (to > end).then(|| Fill { file: Arc::clone(&self.file), from: end, to })
    }
}

/// The end of the log.
#[derive(Debug)]
pub struct Writer {
    vfs: Arc<dyn Vfs>,
    database: PathBuf,
    id: DatabaseId,
    options: WalOptions,
    current: Option<Current>,
    next: Lsn,
    /// Frames before `next`, as far as they were seen.
    frames: u64,
    next_number: u64,
    closed: VecDeque<Closed>,
    /// The newest closed segment, if the log may go on in it: the one in which an opened log ended.
    resumable: Option<u64>,
    /// A segment whose cut must be durable before anything is appended behind it.
    cut: Option<Arc<dyn File>>,
    spares: VecDeque<Spare>,
    /// Closed segments that were not synced since their last write.
    unsynced: Vec<(u64, Unsynced)>,
    /// Frames for the next flush, in log order.
    staged: SmallVec<[Chunk; 1]>,
    spare_bytes: Vec<u8>,
    directory_changed: bool,
}

impl Writer {
    /// A writer that goes on where `end` says that the log ends.
    ///
    /// That is in the segment in which it ended, as long as there is room, so that many short
    /// lives do not leave many files; see `Writer::resume`. In archive mode a segment that was
    /// closed is not changed any more.
    pub fn open(
        vfs: Arc<dyn Vfs>,
        database: &Path,
        id: DatabaseId,
        options: WalOptions,
        end: &LogEnd,
    ) -> Result<Self> {
        // Before anything is removed: what lies beyond a gap may be wanted once the gap is filled.
        for path in &end.beyond {
            vfs.rename(path, &segment::lost_path(path))?;
        }
        for path in &end.stale {
            vfs.remove(path)?;
        }
        // What a killed process wrote and nobody synced can still be lost, while what is
        // appended from now on must not outlive it.
        let mut unsynced = Vec::new();
        for &number in &end.replayed {
            let path = segment_path(database, number);
            unsynced.push((number, Unsynced::Named(Arc::clone(&vfs), path)));
        }
        // Before a gap the rest of the last segment may be what somebody wants to look at.
        let is_kept = options.archive || !end.beyond.is_empty();
        let resumable = end.segments.last().filter(|_| !is_kept).map(|last| last.0);
        let closed =
            end.segments.iter().map(|&(number, end)| Closed { number, end, filled: 0 }).collect();
        Ok(Self {
            vfs,
            database: database.to_path_buf(),
            id,
            options,
            current: None,
            next: end.position,
            frames: end.frames,
            next_number: end.next_number,
            closed,
            resumable,
            cut: None,
            spares: VecDeque::new(),
            unsynced,
            staged: SmallVec::new(),
            spare_bytes: Vec::new(),
            directory_changed: true,
        })
    }

    /// The position that the next frame gets.
    pub fn position(&self) -> Lsn {
        self.next
    }

    /// How many frames were staged, those included that were replayed at the opening.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What the writer will still look at by itself.
    pub fn in_hand(&self) -> InHand {
        let current = self.current.as_ref().map(|current| current.header.number);
        let first = self.closed.front().map(|closed| closed.number).or(current);
        InHand {
            first: first.unwrap_or(self.next_number),
            closed_end: current.is_none().then_some(self.next),
        }
    }

    /// How many segments were not given up yet: what recovery would look at.
    pub fn segment_count(&self) -> usize {
        self.closed.len() + usize::from(self.current.is_some())
    }

    /// Leaves segments that are closed as they are: somebody outside may have a copy of them.
    pub fn leave_closed(&mut self) {
        self.resumable = None;
    }

    /// Changes whether closed segments are kept.
    pub fn set_archive(&mut self, archive: bool) {
        self.options.archive = archive;
    }

    /// Sees to it that an append of `len` bytes finds room. After an error nothing has changed.
    pub fn reserve(&mut self, len: usize, durable: Lsn) -> Result<()> {
        if let Some(number) = self.resumable {
            self.resume(number, len as u64)?;
            // Not before: with room on the disk the next one may go on there.
            self.resumable = None;
        }
        match &self.current {
            Some(current) => {
                let end = current.header.offset_of(self.next) + len as u64;
                if end <= current.capacity { Ok(()) } else { self.roll(len as u64, durable) }
            }
            None => self.roll(len as u64, durable),
        }
    }

    /// Gives the frames of one transaction their place, to be written by the next flush, and
    /// returns the position after them. After an error nothing has changed.
    pub fn stage(
        &mut self,
        frames: &mut FrameBuffer,
        commit: CommitId,
        durable: Lsn,
    ) -> Result<Lsn> {
        self.reserve(frames.len(), durable)?;
        let Some(current) = &self.current else { return Ok(self.next) };
        let bytes = frames.seal(commit, self.next, durable, current.header.salt)?;
        match self.staged.last_mut() {
            Some(chunk) if Arc::ptr_eq(&chunk.file, &current.file) => {
                chunk.bytes.extend_from_slice(bytes);
            }
            _ => {
                let mut room = std::mem::take(&mut self.spare_bytes);
                room.extend_from_slice(bytes);
                let offset = current.header.offset_of(self.next);
                self.staged.push(Chunk { file: Arc::clone(&current.file), offset, bytes: room });
            }
        }
        self.next = self.next.advanced(bytes.len() as u64);
        self.frames += frames.frame_count();
        Ok(self.next)
    }

    /// Takes back the memory of a flush that ended, for the next one.
    pub fn recycle_memory(&mut self, mut bytes: Vec<u8>) {
        const KEPT: usize = 1 << 20;
        if bytes.capacity() > self.spare_bytes.capacity() && bytes.capacity() <= KEPT {
            bytes.clear();
            self.spare_bytes = bytes;
        }
    }

    /// Closes the current segment, so that a checkpoint can recycle it.
    pub fn close_segment(&mut self) {
        if let Some(current) = self.current.take() {
            let filled = current.filled.max(current.header.offset_of(self.next));
            let number = current.header.number;
            self.unsynced.push((number, Unsynced::Open(current.file)));
            self.closed.push_back(Closed { number, end: self.next, filled });
        }
    }

    /// What must be written, and with `sync` also synced, for everything before
    /// [`Writer::position`] to have reached the system or the disk.
    ///
    /// If the result's [`run`](FlushPlan::run) fails, no later plan covers what it covered:
    /// nothing may be taken as written any more.
    pub fn begin_flush(&mut self, sync: bool) -> FlushPlan {
        let writes = std::mem::take(&mut self.staged);
        let target = self.next;
        let cut = self.cut.take();
        if !sync {
            let (fill, syncs, directory) = (None, Vec::new(), None);
            return FlushPlan { cut, writes, fill, syncs, directory, target };
        }
        let written = writes.iter().map(|chunk| chunk.bytes.len() as u64).sum();
        let next = self.next;
        let fill = self.current.as_mut().and_then(|current| {
            let end = current.header.offset_of(next);
            current.fill(end, written)
        });
        let directory = std::mem::take(&mut self.directory_changed)
            .then(|| (Arc::clone(&self.vfs), segment::directory(&self.database).to_path_buf()));
        let mut syncs: Vec<_> =
            std::mem::take(&mut self.unsynced).into_iter().map(|(_, file)| file).collect();
        let current = self.current.as_ref();
        syncs.extend(current.map(|current| Unsynced::Open(Arc::clone(&current.file))));
        FlushPlan { cut, writes, fill, syncs, directory, target }
    }

    /// Gives up closed segments whose transactions are all before `position`, because a
    /// durable checkpoint holds what they say.
    ///
    /// They are reused or removed; in archive mode they stay for `archive`.
    pub fn retire(&mut self, position: Lsn) -> Result<()> {
        while let Some(&Closed { number, end, filled }) = self.closed.front() {
            if end > position {
                break;
            }
            if self.options.archive {
                self.trim(number, end)?;
            } else {
                self.recycle(number, filled)?;
            }
            self.closed.pop_front();
            // The checkpoint has waited for it, at the levels that wait.
            self.unsynced.retain(|(unsynced, _)| *unsynced != number);
        }
        Ok(())
    }

    /// Removes the segments that wait for reuse (a checkpoint that shall free disk space).
    pub fn discard_spares(&mut self) -> Result<()> {
        while let Some(spare) = self.spares.front() {
            self.vfs.remove(&spare.path)?;
            self.directory_changed = true;
            self.spares.pop_front();
        }
        Ok(())
    }

    /// Cuts the room off a kept segment that its frames did not take.
    fn trim(&self, number: u64, end: Lsn) -> Result<()> {
        let path = segment_path(&self.database, number);
        let file = self.vfs.open(&path, OpenMode::Write)?;
        if let Some(header) = Header::read(&*file)? {
            let used = header.offset_of(end);
            if header.number == number && file.len()? > used {
                file.set_len(used)?;
            }
        }
        Ok(())
    }

    fn recycle(&mut self, number: u64, filled: u64) -> Result<()> {
        let old = segment_path(&self.database, number);
        if self.spares.len() >= self.options.spare_segments {
            self.vfs.remove(&old)?;
        } else {
            let new = segment_path(&self.database, self.next_number + self.spares.len() as u64);
            self.vfs.rename(&old, &new)?;
            self.spares.push_back(Spare { path: new, filled });
        }
        self.directory_changed = true;
        Ok(())
    }

    /// Goes on in the segment in which an opened log ended, if it has room for `len` bytes.
    ///
    /// Behind a torn end there may be whole frames of its earlier life, which a new frame of the
    /// right length would bring back. So they are cut off, and the next flush begins with a sync:
    /// no crash brings them back behind what that flush writes.
    fn resume(&mut self, number: u64, len: u64) -> Result<()> {
        if self.closed.back().is_none_or(|last| last.number != number || last.end != self.next) {
            return Ok(());
        }
        let file = self.vfs.open(&segment_path(&self.database, number), OpenMode::Write)?;
        let header = Header::read(&*file)?.filter(|header| header.number == number);
        let Some(header) = header else { return Ok(()) };
        let filled = header.offset_of(self.next);
        let capacity = self.options.segment_len;
        if filled + len > capacity {
            return Ok(());
        }
        file.set_len(filled)?;
        file.allocate(capacity)?;
        self.closed.pop_back();
        self.unsynced.retain(|(unsynced, _)| *unsynced != number);
        self.cut = Some(Arc::clone(&file));
        self.current = Some(Current { file, header, capacity, filled });
        Ok(())
    }

    /// Starts the next segment.
    fn roll(&mut self, len: u64, durable: Lsn) -> Result<()> {
        let path = segment_path(&self.database, self.next_number);
        let capacity = self.options.segment_len.max(HEADER_LEN + len);
        let file = self.vfs.open(&path, OpenMode::Create)?;
        let begun = self.begin_segment(&*file, capacity, durable);
        if begun.is_err() && self.spares.is_empty() {
            // What there was room for is room for others. What cannot be removed goes with the
            // next opening.
            drop(file);
            let _ = self.vfs.remove(&path);
            return begun.map(drop);
        }
        let header = begun?;
        self.close_segment();
        // The file of the next number is the first spare one, if there is one.
        let filled = self.spares.pop_front().map_or(0, |spare| spare.filled);
        self.directory_changed = true;
        self.next_number += 1;
        self.current = Some(Current { file, header, capacity, filled });
        Ok(())
    }

    /// Makes a file the next segment.
    fn begin_segment(&self, file: &dyn File, capacity: u64, durable: Lsn) -> Result<Header> {
        // The room first: it is the step that a full disk refuses.
        file.allocate(capacity)?;
        let mut salt = [0; 8];
        self.vfs.random(&mut salt);
        let header = Header {
            database: self.id,
            number: self.next_number,
            salt: u64::from_le_bytes(salt),
            first: self.next,
            durable,
        };
        file.write_at(0, &header.encode())?;
        Ok(header)
    }
}

/// Frames that have their place and were not written yet.
#[derive(Debug)]
struct Chunk {
    file: Arc<dyn File>,
    offset: u64,
    bytes: Vec<u8>,
}

/// A file that is to be synced.
#[derive(Debug)]
enum Unsynced {
    /// One that was written here.
    Open(Arc<dyn File>),
    /// One that was only read: who opens a database and changes nothing has no use for it.
    Named(Arc<dyn Vfs>, PathBuf),
}

impl Unsynced {
    fn sync(&self) -> Result<()> {
        match self {
            Self::Open(file) => file.sync()?,
            Self::Named(vfs, path) => vfs.open(path, OpenMode::Write)?.sync()?,
        }
        Ok(())
    }
}

/// Zeros ahead of the frames.
#[derive(Debug)]
struct Fill {
    file: Arc<dyn File>,
    from: u64,
    to: u64,
}

impl Fill {
    fn run(&self) -> Result<()> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let mut at = self.from;
        while at < self.to {
            let len = (self.to - at).min(ZEROS.len() as u64);
            self.file.write_at(at, &ZEROS[..len as usize])?;
            at += len;
        }
        Ok(())
    }
}

/// The work behind a position in the log; see [`Writer::begin_flush`].
#[derive(Debug)]
#[must_use = "nothing is written before `run`"]
pub struct FlushPlan {
    cut: Option<Arc<dyn File>>,
    writes: SmallVec<[Chunk; 1]>,
    fill: Option<Fill>,
    syncs: Vec<Unsynced>,
    directory: Option<(Arc<dyn Vfs>, PathBuf)>,
    target: Lsn,
}

impl FlushPlan {
    /// The position before which everything is written when this has run.
    pub fn target(&self) -> Lsn {
        self.target
    }

    /// Writes and syncs; the bytes come back for their memory.
    pub fn run(self) -> Result<Vec<u8>> {
        if let Some(file) = &self.cut {
            file.sync()?;
        }
        for chunk in &self.writes {
            chunk.file.write_at(chunk.offset, &chunk.bytes)?;
        }
        if let Some(fill) = &self.fill {
            fill.run()?;
        }
        // In log order, and the names last: they mean nothing without the contents.
        for file in &self.syncs {
            file.sync()?;
        }
        if let Some((vfs, directory)) = &self.directory {
            vfs.sync_directory(directory)?;
        }
        Ok(self.writes.into_iter().next_back().map(|chunk| chunk.bytes).unwrap_or_default())
    }
}
