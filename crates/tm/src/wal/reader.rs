//! Reads whole transactions from the log, from a position to its end.
//!
//! The end is where no valid frame follows. Usually that is where the writer stopped, or a *torn
//! tail*: writes that a crash let through in part, in any order, because they had not been
//! synced. It may also be *damage*: something that was durable and is not what it was. The two
//! can be told apart, because each transaction (and each segment) says how far the log was known
//! to be durable when it was written: if anything valid behind the end speaks of durable bytes
//! beyond the end, then bytes were lost that must be there, and reading ends with an error
//! instead of dropping acknowledged transactions. Where nothing proves it, whole segments beyond a
//! gap may be what a power cut left of writes that nobody had synced, or a file may be missing that
//! somebody removed: the log ends before the gap, and what lies beyond is kept.
//! Neighbours: `frame` verifies one frame, `recovery` replays what comes from here, `writer`
//! goes on at [`Reader::end`].

use std::ops::Range;
use std::path::{Path, PathBuf};

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{File, OpenMode, Vfs};

use super::damage;
use super::frame::{self, FRAME_HEADER_LEN, Frame};
use super::operation::{CommitInfo, Entries, Entry, Operation};
use super::segment::{self, DatabaseId, Header, LogFiles};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{CommitId, HeadId, Lsn, TreeId};

/// Bytes that are read from a segment at once, at most: a log that is walked through is read in
/// ever larger pieces, while a look at its end, which is all that most openings take, reads few.
const WINDOW_LEN: usize = 256 << 10;
/// What is read at first.
const WINDOW_LEN_FIRST: usize = 4 << 10;

/// Where a log ends, for a writer to go on there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// The position of the next frame.
    pub position: Lsn,
    /// The newest commit in the log, if there is any after the position that was read from.
    pub commit: Option<CommitId>,
    /// How many frames were read.
    pub frames: u64,
    /// The oldest position that the log can be read from, if it has any segment.
    pub oldest: Option<Lsn>,
    pub(super) next_number: u64,
    /// Segments that hold transactions, with the position that each ends at.
    pub(super) segments: Vec<(u64, Lsn)>,
    /// Those of them that were read: a crash may still take what they hold.
    pub(super) replayed: Vec<u64>,
    /// Files that are no part of the log (spares, and those a crash left unfinished).
    pub(super) stale: Vec<PathBuf>,
    /// Segments with transactions beyond a gap, to be set aside.
    pub(super) beyond: Vec<PathBuf>,
    /// Segments that were set aside before.
    pub(super) lost: Vec<PathBuf>,
}

impl LogEnd {
    /// A log that begins at `position`, without any segment yet.
    pub const fn empty(position: Lsn) -> Self {
        Self {
            position,
            commit: None,
            frames: 0,
            oldest: None,
            next_number: 1,
            segments: Vec::new(),
            replayed: Vec::new(),
            stale: Vec::new(),
            beyond: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// The segments that hold transactions which cannot be reached, because something before them
    /// is missing; each under the name that it has, or will have if this log is written to.
    pub fn lost(&self, is_read_only: bool) -> Vec<PathBuf> {
        let beyond = self.beyond.iter();
        let beyond =
            beyond.map(|path| if is_read_only { path.clone() } else { segment::lost_path(path) });
        self.lost.iter().cloned().chain(beyond).collect()
    }
}

/// A segment with a valid header.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) file: Arc<dyn File>,
    pub(super) header: Header,
    pub(super) len: u64,
}

/// Walks the transactions of a log.
#[derive(Debug)]
pub struct Reader {
    /// By number; those before the first one that is read included.
    segments: Vec<Segment>,
    stale: Vec<PathBuf>,
    /// Files of this log whose header names another number than their name does.
    misnamed: Vec<Segment>,
    /// Files of the log whose header cannot be read.
    headless: Vec<PathBuf>,
    /// Segments beyond the end that hold transactions.
    beyond: Vec<PathBuf>,
    lost: Vec<PathBuf>,
    highest_number: u64,
    first: usize,
    at: usize,
    position: Lsn,
    window: Window,
    ends: Vec<(u64, Lsn)>,
    commit: Option<CommitId>,
    frames: u64,
    is_done: bool,
    from: Lsn,
    /// Where to stop while a writer goes on behind.
    limit: Option<Lsn>,
    transaction: Buffered,
}

/// One transaction in memory.
#[derive(Debug, Default)]
struct Buffered {
    bytes: Vec<u8>,
    batches: Vec<(TreeId, Range<usize>)>,
    commit: CommitId,
}

/// A whole transaction of the log.
#[derive(Clone, Copy, Debug)]
pub struct LoggedTransaction<'a> {
    /// The number of its commit.
    pub commit: CommitId,
    /// The head that it moved.
    pub head: HeadId,
    /// The commit of the head that it stood on.
    pub base: CommitId,
    /// Where it begins in the log.
    pub start: Lsn,
    /// Where it ends.
    pub end: Lsn,
    buffered: &'a Buffered,
}

impl Reader {
    /// A reader of the transactions from position `from` on, of a log that nobody writes to.
    pub fn open(vfs: &dyn Vfs, database: &Path, id: DatabaseId, from: Lsn) -> Result<Self> {
        Self::open_limited(vfs, database, id, from, None)
    }

    /// A reader of the transactions from `from` to `to`, which were appended before the call:
    /// what a writer appends meanwhile is not looked at.
    pub fn open_range(
        vfs: &dyn Vfs,
        database: &Path,
        id: DatabaseId,
        from: Lsn,
        to: Lsn,
    ) -> Result<Self> {
        Self::open_limited(vfs, database, id, from, Some(to))
    }

    fn open_limited(
        vfs: &dyn Vfs,
        database: &Path,
        id: DatabaseId,
        from: Lsn,
        limit: Option<Lsn>,
    ) -> Result<Self> {
        let mut reader = Self {
            segments: Vec::new(),
            stale: Vec::new(),
            misnamed: Vec::new(),
            headless: Vec::new(),
            beyond: Vec::new(),
            lost: Vec::new(),
            highest_number: 0,
            first: 0,
            at: 0,
            position: from,
            window: Window::default(),
            ends: Vec::new(),
            commit: None,
            frames: 0,
            is_done: false,
            from,
            limit,
            transaction: Buffered::default(),
        };
        let LogFiles { segments, lost } = LogFiles::list(vfs, database)?;
        for (number, path) in segments {
            reader.add_segment(vfs, number, path, id)?;
        }
        for (number, path) in lost {
            reader.highest_number = reader.highest_number.max(number);
            reader.lost.push(path);
        }
        reader.find_start(from)?;
        Ok(reader)
    }

    /// The position behind the last transaction that was returned.
    pub fn position(&self) -> Lsn {
        self.position
    }

    /// The next transaction; none at the end of the log.
    ///
    /// A [`Corrupt`](ErrorKind::Corrupt) error means damage: transactions that were durable
    /// cannot be read any more.
    pub fn next_transaction(&mut self) -> Result<Option<LoggedTransaction<'_>>> {
        let start = self.position;
        if !self.advance()? {
            return Ok(None);
        }
        let (head, base) = self.transaction.begin()?;
        Ok(Some(LoggedTransaction {
            commit: self.transaction.commit,
            head,
            base,
            start,
            end: self.position,
            buffered: &self.transaction,
        }))
    }

    /// Reads what is left and tells where a writer goes on.
    pub fn end(mut self) -> Result<LogEnd> {
        while self.advance()? {}
        let mut stale = self.stale;
        let oldest = self.segments.first().map(|segment| segment.header.first);
        let live = self.segments.iter().take(self.at.saturating_add(1));
        let mut segments: Vec<_> = self.segments[..self.first.min(self.segments.len())]
            .iter()
            .zip(self.segments.iter().skip(1))
            .map(|(segment, next)| (segment.number, next.header.first))
            .collect();
        let replayed = self.ends.iter().map(|(number, _)| *number).collect();
        segments.extend(self.ends);
        let live = live.count();
        stale.extend(
            self.segments.iter().skip(live).map(|segment| segment.file.path().to_path_buf()),
        );
        stale.retain(|path| !self.beyond.contains(path));
        let last = segments.last().map_or(0, |(number, _)| *number);
        // Files that are removed may come back after a crash: their numbers stay unused.
        let next_number = last.max(self.highest_number) + 1;
        Ok(LogEnd {
            position: self.position,
            commit: self.commit,
            frames: self.frames,
            oldest,
            next_number,
            segments,
            replayed,
            stale,
            beyond: self.beyond,
            lost: self.lost,
        })
    }

    fn add_segment(
        &mut self,
        vfs: &dyn Vfs,
        number: u64,
        path: PathBuf,
        id: DatabaseId,
    ) -> Result<()> {
        self.highest_number = self.highest_number.max(number);
        let file = vfs.open(&path, OpenMode::Read)?;
        match Header::read(&*file).map_err(|error| in_file(error, &path))? {
            Some(header) if header.number == number && header.database == id => {
                let len = file.len()?;
                self.segments.push(Segment { number, file, header, len });
            }
            Some(header) if header.number == number => {
                return Err(Error::new(
                    ErrorKind::Mismatch,
                    format!(
                        "{} is the log of another database that was here: move it away",
                        path.display()
                    ),
                ));
            }
            header => {
                self.stale.push(path.clone());
                match header {
                    Some(header) if header.database == id => {
                        let len = file.len()?;
                        self.misnamed.push(Segment { number, file, header, len });
                    }
                    Some(_) => {}
                    None => self.headless.push(path),
                }
            }
        }
        Ok(())
    }

    /// Goes to the segment that `from` lies in and to that position.
    fn find_start(&mut self, from: Lsn) -> Result<()> {
        let start = self.segments.iter().rposition(|segment| segment.header.first <= from);
        let Some(start) = start else {
            // Names of files that were not synced come and go in any order in a crash: later
            // segments without the first one are no log, unless one of them knows better.
            if self.limit.is_none() {
                self.look_beyond(0, from)?;
            }
            if let Some(limit) = self.limit.filter(|limit| *limit > from) {
                return Err(Error::corrupt(format!(
                    "the log from {from} to {limit} is asked for but its beginning is gone"
                )));
            }
            let stale = self.segments.drain(..).map(|segment| segment.file.path().to_path_buf());
            self.stale.extend(stale);
            self.is_done = true;
            return Ok(());
        };
        self.first = start;
        self.at = start;
        self.position = from;
        // Where nothing valid stands the log ends, at the latest: a crash may have taken the end
        // of one that was not synced although a checkpoint, which is durable, had it.
        let segment = &self.segments[start];
        let bytes = self.window.frame_at(segment, segment.header.offset_of(from))?;
        let frame = bytes.and_then(|bytes| frame::verify(bytes, from, segment.header.salt));
        if frame.is_none_or(|frame| frame.is_first) {
            return Ok(());
        }
        Err(Error::corrupt(format!("{from}, where replay must begin, is inside of a transaction")))
    }

    /// Reads one transaction into the buffer; false at the end.
    fn advance(&mut self) -> Result<bool> {
        while !self.is_done {
            if self.limit.is_some_and(|limit| self.position >= limit) {
                self.is_done = true;
                break;
            }
            if self.read_transaction()? {
                return Ok(true);
            }
            self.go_on_in_next_segment()?;
        }
        Ok(false)
    }

    /// Reads a transaction in the current segment; false (and no step) if no whole one follows.
    fn read_transaction(&mut self) -> Result<bool> {
        let Some(segment) = self.segments.get(self.at) else { return Ok(false) };
        let transaction = &mut self.transaction;
        transaction.bytes.clear();
        transaction.batches.clear();
        let mut offset = segment.header.offset_of(self.position);
        loop {
            let position = segment.header.position_of(offset);
            let Some(bytes) = self.window.frame_at(segment, offset)? else { return Ok(false) };
            let length = bytes.len() as u64;
            let Some(frame) = frame::verify(bytes, position, segment.header.salt) else {
                return Ok(false);
            };
            let is_start = transaction.batches.is_empty();
            if frame.is_first != is_start || (!is_start && frame.commit != transaction.commit) {
                return Ok(false);
            }
            transaction.add(&frame);
            offset += length;
            if frame.is_last {
                break;
            }
        }
        let commit = transaction.commit;
        if self.commit.is_some_and(|before| before >= commit) {
            let place = format!("the log has {commit} at {} after a later one", self.position);
            return Err(in_file(Error::corrupt(place), segment.file.path()));
        }
        self.commit = Some(commit);
        self.frames += transaction.batches.len() as u64;
        self.position = segment.header.position_of(offset);
        Ok(true)
    }

    fn go_on_in_next_segment(&mut self) -> Result<()> {
        if let Some(segment) = self.segments.get(self.at) {
            self.ends.push((segment.number, self.position));
        }
        let next = self.segments.get(self.at + 1);
        if next.is_some_and(|next| next.header.first == self.position) {
            self.at += 1;
            return Ok(());
        }
        self.is_done = true;
        if let Some(limit) = self.limit {
            return Err(Error::corrupt(format!(
                "the log ends at {} but was written up to {limit}: it is damaged or was recycled",
                self.position
            )));
        }
        // What lies before the start is not needed: the name of a segment that was given up may
        // have come back without those that followed it.
        self.look_beyond(self.at, self.position.max(self.from))
    }

    /// Looks at what lies behind the end of the log: proof of damage is an error, and so is a file
    /// whose transactions follow but for its name; others are noted, to be kept.
    fn look_beyond(&mut self, at: usize, end: Lsn) -> Result<()> {
        let segments = self.segments.get(at..).unwrap_or_default();
        damage::check_names(&self.misnamed, end, &mut self.window)?;
        self.beyond = damage::check(segments, end)?;
        if !self.beyond.is_empty() {
            // One of these may be what is missing.
            self.beyond.append(&mut self.headless);
        }
        Ok(())
    }
}

impl Buffered {
    fn add(&mut self, frame: &Frame<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame.batch);
        self.batches.push((frame.tree, start..self.bytes.len()));
        self.commit = frame.commit;
    }

    fn begin(&self) -> Result<(HeadId, CommitId)> {
        match Entries::new(&self.bytes).next() {
            Some(Ok(Entry::Operation(Operation::Begin { head, base }))) => Ok((head, base)),
            Some(Err(error)) => Err(error),
            _ => Err(Error::corrupt("a transaction in the log does not say which head it is on")),
        }
    }
}

impl<'a> LoggedTransaction<'a> {
    /// What is remembered of its commit.
    pub fn info(&self) -> Result<CommitInfo<'a>> {
        let bytes: &'a [u8] = &self.buffered.bytes;
        let last = self.buffered.batches.last().map_or(0..0, |(_, range)| range.clone());
        match Entries::new(bytes.get(last).unwrap_or_default()).last() {
            Some(Ok(Entry::Operation(Operation::Commit(info)))) => Ok(info),
            Some(Err(error)) => Err(error),
            _ => Err(Error::corrupt(format!("{} does not end with its record", self.commit))),
        }
    }

    /// Bytes of frames that it takes in the log.
    pub fn len(&self) -> u64 {
        self.end.since(self.start)
    }

    /// Never: even an empty transaction has a frame.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its operations in order, each with the tree that it is on.
    pub fn operations(&self) -> impl Iterator<Item = Result<(TreeId, Operation<'a>)>> + use<'a> {
        let bytes: &'a [u8] = &self.buffered.bytes;
        self.buffered.batches.iter().flat_map(move |(tree, range)| {
            frame::batch_operations(*tree, bytes.get(range.clone()).unwrap_or_default())
        })
    }
}

/// A part of a segment in memory.
#[derive(Debug, Default)]
pub(super) struct Window {
    segment: u64,
    start: u64,
    bytes: Vec<u8>,
    /// How much was asked for the last time.
    asked: usize,
}

impl Window {
    /// The bytes that look like a frame at `offset`; none if nothing there does.
    pub(super) fn frame_at(&mut self, segment: &Segment, offset: u64) -> Result<Option<&[u8]>> {
        let Some(header) = self.bytes_at(segment, offset, FRAME_HEADER_LEN)? else {
            return Ok(None);
        };
        let Some(length) = frame::claimed_len(header) else { return Ok(None) };
        self.bytes_at(segment, offset, length)
    }

    /// `length` bytes at `offset`; none if the file ends before.
    pub(super) fn bytes_at(
        &mut self,
        segment: &Segment,
        offset: u64,
        length: usize,
    ) -> Result<Option<&[u8]>> {
        // Compared with the file before memory is taken: a length may be a lie.
        if offset.saturating_add(length as u64) > segment.len {
            return Ok(None);
        }
        let is_inside = self.segment == segment.number
            && offset >= self.start
            && offset + length as u64 <= self.start + self.bytes.len() as u64;
        if !is_inside {
            self.load(segment, offset, length)?;
        }
        let at = (offset - self.start) as usize;
        Ok(self.bytes.get(at..at + length))
    }

    fn load(&mut self, segment: &Segment, offset: u64, length: usize) -> Result<()> {
        let left = usize::try_from(segment.len - offset).unwrap_or(usize::MAX);
        self.bytes.clear();
        self.asked = (self.asked * 4).clamp(WINDOW_LEN_FIRST, WINDOW_LEN);
        self.bytes.resize(length.max(self.asked).min(left), 0);
        self.segment = segment.number;
        self.start = offset;
        let read = segment.file.read_at(offset, &mut self.bytes)?;
        self.bytes.truncate(read);
        Ok(())
    }
}

fn in_file(error: Error, path: &Path) -> Error {
    Error::with_source(error.kind(), format!("log file {}", path.display()), error)
}
