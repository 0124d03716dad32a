//! Frames: the unit that the log is written and verified in.
//!
//! The fields and their order are those of the seed, all little-endian:
//!
//! | field | bytes | holds |
//! |---|---|---|
//! | magic | 4 | `0x377F0682` |
//! | frame size | 4 | all of the frame, from the magic to the CRC |
//! | number | 4 | the tree that the batch starts with |
//! | commit id | 8 | the commit that the frame belongs to |
//! | payload | size - 24 | flags (1 byte), a batch of operations, on a last frame 4 bytes more |
//! | CRC32 | 4 | of the segment's salt, the frame's log position and all fields before |
//!
//! The salt keeps frames of a segment's earlier life from being taken for new ones, the position
//! does the same for a frame that was written to a wrong place. The four extra bytes of a last
//! frame tell how far before the frame the log was known to be durable when it was written
//! (`0xFFFF_FFFF`: not known): with them `reader` tells a torn tail from damage.
//! Neighbours: `operation` is the batch, `writer` seals and writes, `reader` verifies.

use super::operation::{CommitInfo, Entries, Entry, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{CommitId, HeadId, Lsn, TreeId};

/// The first four bytes of every frame, as a number.
pub const FRAME_MAGIC: u32 = 0x377F_0682;

/// Bytes before the payload.
pub(super) const FRAME_HEADER_LEN: usize = 20;

/// The shortest frame: flags and an empty batch.
pub(super) const FRAME_MIN_LEN: usize = FRAME_HEADER_LEN + 1 + CRC_LEN;

/// The longest frame; a larger operation belongs into pages.
pub const FRAME_MAX_LEN: u64 = (1 << 30) + (1 << 20);

/// A frame is closed when its batch has grown to this: large enough for its 25 bytes not to
/// count, small enough to be checked as a whole while it is in the processor's cache.
const FRAME_TARGET_LEN: usize = 64 << 10;

const CRC_LEN: usize = 4;
const UNSYNCED_LEN: usize = 4;
const COMMIT_AT: usize = 12;
const FLAG_FIRST: u8 = 1;
const FLAG_LAST: u8 = 2;

/// The frames of one transaction, growing; reused for the next one without a new allocation.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    /// Where the open frame starts.
    frame: usize,
    /// The tree that the next operation is on unless a switch comes first.
    tree: TreeId,
    state: State,
    /// Frames that were sealed last.
    sealed: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Empty,
    Open,
    Finished,
}

/// A point to go back to: the start of a statement or a savepoint.
#[derive(Clone, Copy, Debug)]
pub struct FrameMark {
    len: usize,
    frame: usize,
    tree: TreeId,
    state: State,
}

impl Default for FrameBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameBuffer {
    /// An empty buffer.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), frame: 0, tree: TreeId(0), state: State::Empty, sealed: 0 }
    }

    /// Forgets all frames and keeps the memory, unless it is unusually much.
    pub fn clear(&mut self) {
        const KEPT: usize = 1 << 20;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.frame = 0;
        self.tree = TreeId(0);
        self.state = State::Empty;
    }

    /// Whether it has memory that is worth keeping.
    pub fn has_memory(&self) -> bool {
        self.bytes.capacity() > 0
    }

    /// Bytes of all frames so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many frames got their place when they were sealed last.
    pub(super) fn frame_count(&self) -> u64 {
        self.sealed
    }

    /// Whether nothing was begun.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Starts a transaction on `head`, which stands at `base`.
    pub fn begin(&mut self, head: HeadId, base: CommitId) -> Result<()> {
        if self.state != State::Empty {
            return Err(out_of_order("begins a second transaction"));
        }
        self.state = State::Open;
        self.open_frame(FLAG_FIRST);
        Operation::Begin { head, base }.encode(&mut self.bytes);
        Ok(())
    }

    /// Adds an operation on `tree`.
    pub fn push(&mut self, tree: TreeId, operation: &Operation<'_>) -> Result<()> {
        if self.state != State::Open {
            return Err(out_of_order("adds an operation outside of a transaction"));
        }
        if u32::try_from(tree.0).is_err() {
            let message = format!("tree {} has a number beyond 32 bits", tree.0);
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let length = operation.max_len();
        if length > FRAME_MAX_LEN - FRAME_TARGET_LEN as u64 - 64 {
            return Err(too_long(length));
        }
        if self.bytes.len() - self.frame >= FRAME_TARGET_LEN {
            self.close_frame()?;
            self.tree = tree;
            self.open_frame(0);
        }
        if self.tree != tree {
            Entry::encode_switch(tree, &mut self.bytes);
            self.tree = tree;
        }
        operation.encode(&mut self.bytes);
        Ok(())
    }

    /// Ends the transaction: the frames can be appended to the log now.
    pub fn finish(&mut self, info: &CommitInfo<'_>) -> Result<()> {
        let tree = self.tree;
        self.push(tree, &Operation::Commit(*info))?;
        if let Some(flags) = self.bytes.get_mut(self.frame + FRAME_HEADER_LEN) {
            *flags |= FLAG_LAST;
        }
        self.bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        self.close_frame()?;
        self.state = State::Finished;
        Ok(())
    }

    /// Where the buffer stands now, before the end of the transaction.
    pub fn mark(&self) -> FrameMark {
        FrameMark { len: self.bytes.len(), frame: self.frame, tree: self.tree, state: self.state }
    }

    /// Forgets what was added after `mark`, which must be one of this transaction.
    pub fn rewind(&mut self, mark: &FrameMark) {
        self.bytes.truncate(mark.len);
        self.frame = mark.frame;
        self.tree = mark.tree;
        self.state = mark.state;
    }

    /// What was added so far, in order, each operation with the tree that it is on.
    pub fn operations(&self) -> impl Iterator<Item = Result<(TreeId, Operation<'_>)>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            let header = self.bytes.get(start..start + FRAME_HEADER_LEN)?;
            let is_open = self.state == State::Open && start == self.frame;
            let (end, tail) = if is_open {
                (self.bytes.len(), 0)
            } else {
                let flags = self.bytes.get(start + FRAME_HEADER_LEN).copied().unwrap_or(0);
                let last = if flags & FLAG_LAST == 0 { 0 } else { UNSYNCED_LEN };
                (start + read_u32(header, 4) as usize, CRC_LEN + last)
            };
            at = end.max(start + FRAME_HEADER_LEN);
            let tree = TreeId(u64::from(read_u32(header, 8)));
            let batch = self.bytes.get(start + FRAME_HEADER_LEN + 1..end - tail)?;
            Some(batch_operations(tree, batch))
        })
        .flatten()
    }

    /// Fills in what is known only when the frames get their place in the log; the bytes are
    /// then as they are stored.
    pub(super) fn seal(
        &mut self,
        commit: CommitId,
        start: Lsn,
        durable: Lsn,
        salt: u64,
    ) -> Result<&[u8]> {
        if self.state != State::Finished {
            return Err(out_of_order("is appended before its end"));
        }
        let mut at = 0;
        self.sealed = 0;
        while at < self.bytes.len() {
            self.sealed += 1;
            let position = start.advanced(at as u64);
            let length = read_u32(&self.bytes, at + 4) as usize;
            let Some(frame) = self.bytes.get_mut(at..at + length).filter(|_| length > 0) else {
                return Err(out_of_order("has a frame that is longer than the rest of it"));
            };
            seal_frame(frame, commit, position, durable, salt);
            at += length;
        }
        Ok(&self.bytes)
    }

    fn open_frame(&mut self, flags: u8) {
        self.frame = self.bytes.len();
        self.bytes.extend_from_slice(&FRAME_MAGIC.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&(self.tree.0 as u32).to_le_bytes());
        self.bytes.extend_from_slice(&[0; 8]);
        self.bytes.push(flags);
    }

    fn close_frame(&mut self) -> Result<()> {
        let length = (self.bytes.len() - self.frame + CRC_LEN) as u64;
        if length > FRAME_MAX_LEN {
            return Err(too_long(length));
        }
        write_u32(&mut self.bytes, self.frame + 4, length as u32);
        self.bytes.extend_from_slice(&[0; CRC_LEN]);
        Ok(())
    }
}

/// The operations of a batch that starts with `tree`.
pub(super) fn batch_operations(
    mut tree: TreeId,
    batch: &[u8],
) -> impl Iterator<Item = Result<(TreeId, Operation<'_>)>> {
    Entries::new(batch).filter_map(move |entry| match entry {
        Ok(Entry::Switch(to)) => {
            tree = to;
            None
        }
        Ok(Entry::Operation(operation)) => Some(Ok((tree, operation))),
        Err(error) => Some(Err(error)),
    })
}

fn seal_frame(frame: &mut [u8], commit: CommitId, position: Lsn, durable: Lsn, salt: u64) {
    let crc_at = frame.len() - CRC_LEN;
    if let Some(field) = frame.get_mut(COMMIT_AT..COMMIT_AT + 8) {
        field.copy_from_slice(&commit.0.to_le_bytes());
    }
    if frame.get(FRAME_HEADER_LEN).is_some_and(|flags| flags & FLAG_LAST != 0) {
        let unsynced = u32::try_from(position.since(durable)).unwrap_or(u32::MAX);
        write_u32(frame, crc_at - UNSYNCED_LEN, unsynced);
    }
    let crc = checksum(&frame[..crc_at], position, salt);
    write_u32(frame, crc_at, crc);
}

/// A verified frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// The tree that the batch starts with.
    pub(super) tree: TreeId,
    pub(super) commit: CommitId,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) batch: &'a [u8],
    /// On a last frame: where the log was known to be durable up to when it was written.
    pub(super) durable: Option<Lsn>,
}

/// The length that a frame claims to have, if `header` looks like the start of one.
pub(super) fn claimed_len(header: &[u8]) -> Option<usize> {
    if header.len() < FRAME_HEADER_LEN || read_u32(header, 0) != FRAME_MAGIC {
        return None;
    }
    let length = read_u32(header, 4);
    let plausible = length as usize >= FRAME_MIN_LEN && u64::from(length) <= FRAME_MAX_LEN;
    plausible.then_some(length as usize)
}

/// The frame in exactly these bytes, if it was written for this place in this segment.
pub(super) fn verify(bytes: &[u8], position: Lsn, salt: u64) -> Option<Frame<'_>> {
    let crc_at = bytes.len().checked_sub(CRC_LEN)?;
    if claimed_len(bytes)? != bytes.len()
        || checksum(&bytes[..crc_at], position, salt) != read_u32(bytes, crc_at)
    {
        return None;
    }
    let flags = *bytes.get(FRAME_HEADER_LEN)?;
    if flags & !(FLAG_FIRST | FLAG_LAST) != 0 {
        return None;
    }
    let is_last = flags & FLAG_LAST != 0;
    let batch_end = if is_last { crc_at.checked_sub(UNSYNCED_LEN)? } else { crc_at };
    let batch = bytes.get(FRAME_HEADER_LEN + 1..batch_end)?;
    let durable = is_last.then(|| read_u32(bytes, batch_end)).and_then(|unsynced| {
        let known = unsynced != u32::MAX;
        known.then_some(Lsn(position.0.saturating_sub(u64::from(unsynced))))
    });
    let commit_bytes = bytes.get(COMMIT_AT..COMMIT_AT + 8)?.try_into().ok()?;
    Some(Frame {
        tree: TreeId(u64::from(read_u32(bytes, 8))),
        commit: CommitId(u64::from_le_bytes(commit_bytes)),
        is_first: flags & FLAG_FIRST != 0,
        is_last,
        batch,
        durable,
    })
}

fn checksum(covered: &[u8], position: Lsn, salt: u64) -> u32 {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&salt.to_le_bytes());
    place[8..].copy_from_slice(&position.0.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place);
    hasher.update(covered);
    hasher.finalize()
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    field.map_or(0, u32::from_le_bytes)
}

fn write_u32(bytes: &mut [u8], at: usize, number: u32) {
    if let Some(field) = bytes.get_mut(at..at + 4) {
        field.copy_from_slice(&number.to_le_bytes());
    }
}

#[cold]
fn out_of_order(what: &str) -> Error {
    Error::new(ErrorKind::Limit, format!("a log buffer {what}"))
}

#[cold]
fn too_long(length: u64) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!("an operation of {length} bytes is too long for the log ({FRAME_MAX_LEN} fit)"),
    )
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use proptest::prelude::*;

    use super::*;

    fn small_transaction() -> FrameBuffer {
        let mut buffer = FrameBuffer::new();
        buffer.begin(HeadId(1), CommitId(4)).unwrap();
        buffer.push(TreeId(7), &Operation::Put { key: b"key", value: b"value" }).unwrap();
        buffer.finish(&CommitInfo::default()).unwrap();
        buffer
    }

    #[test]
    fn the_fields_stand_where_the_seed_puts_them() {
        let mut buffer = small_transaction();
        let bytes = buffer.seal(CommitId(5), Lsn(100), Lsn(40), 9).unwrap();
        assert_eq!(bytes[..4], [0x82, 0x06, 0x7f, 0x37]);
        assert_eq!(read_u32(bytes, 4) as usize, bytes.len());
        assert_eq!(read_u32(bytes, 8), 0, "the transaction starts on no tree");
        assert_eq!(bytes[12..20], 5_u64.to_le_bytes());
        let frame = verify(bytes, Lsn(100), 9).unwrap();
        assert!(frame.is_first && frame.is_last);
        assert_eq!(frame.durable, Some(Lsn(40)));
        assert_eq!(bytes.len(), 50, "a small transaction costs little more than its row");
    }

    #[test]
    fn a_frame_is_valid_only_as_it_is_where_it_is_and_in_its_segments_life() {
        let mut buffer = small_transaction();
        let mut bytes = buffer.seal(CommitId(5), Lsn(100), Lsn(40), 9).unwrap().to_vec();
        assert!(verify(&bytes, Lsn(101), 9).is_none(), "another place");
        assert!(verify(&bytes, Lsn(100), 8).is_none(), "another life of the segment");
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&bytes, Lsn(100), 9).is_none(), "bit {bit} flipped");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(verify(&bytes[..length], Lsn(100), 9).is_none(), "cut to {length}");
        }
    }

    #[test]
    fn rewinding_forgets_even_frames_that_were_closed() {
        let mut buffer = FrameBuffer::new();
        buffer.begin(HeadId(1), CommitId(4)).unwrap();
        buffer.push(TreeId(1), &Operation::Delete { key: b"a" }).unwrap();
        let mark = buffer.mark();
        for _ in 0..5 {
            let value = &vec![0; 50_000];
            buffer.push(TreeId(2), &Operation::Put { key: b"b", value }).unwrap();
        }
        buffer.rewind(&mark);
        buffer.push(TreeId(1), &Operation::Delete { key: b"c" }).unwrap();
        buffer.finish(&CommitInfo::default()).unwrap();
        let bytes = buffer.seal(CommitId(5), Lsn(0), Lsn(0), 0).unwrap();
        let frame = verify(bytes, Lsn(0), 0).unwrap();
        let entries: Result<Vec<_>> = Entries::new(frame.batch).collect();
        assert_eq!(entries.unwrap().len(), 5, "begin, switch, two deletes, commit");
    }

    #[test]
    fn what_was_added_is_read_back_before_and_after_the_end() {
        let mut buffer = FrameBuffer::new();
        buffer.begin(HeadId(1), CommitId(4)).unwrap();
        let value = vec![5; 30_000];
        let mut expected =
            vec![(TreeId(0), Operation::Begin { head: HeadId(1), base: CommitId(4) })];
        for number in 0..8 {
            let operation = Operation::Put { key: b"k", value: &value };
            buffer.push(TreeId(number / 3), &operation).unwrap();
            expected.push((TreeId(number / 3), operation));
            let found: Result<Vec<_>> = buffer.operations().collect();
            assert_eq!(found.unwrap(), expected);
        }
        buffer.finish(&CommitInfo::default()).unwrap();
        let found: Result<Vec<_>> = buffer.operations().collect();
        expected.push((TreeId(2), Operation::Commit(CommitInfo::default())));
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_buffer_used_out_of_order_says_so() {
        let mut buffer = FrameBuffer::new();
        assert!(buffer.push(TreeId(1), &Operation::DropTree).is_err());
        assert!(buffer.seal(CommitId(1), Lsn(0), Lsn(0), 0).is_err());
        buffer.begin(HeadId(1), CommitId(0)).unwrap();
        assert!(buffer.begin(HeadId(1), CommitId(0)).is_err());
        assert!(buffer.seal(CommitId(1), Lsn(0), Lsn(0), 0).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_only_by_their_checksum(
            mut bytes in proptest::collection::vec(any::<u8>(), 25..80),
            fix_checksum: bool,
        ) {
            let length = bytes.len();
            write_u32(&mut bytes, 0, FRAME_MAGIC);
            write_u32(&mut bytes, 4, length as u32);
            if fix_checksum {
                let crc = checksum(&bytes[..length - 4], Lsn(0), 0);
                write_u32(&mut bytes, length - 4, crc);
            }
            if let Some(frame) = verify(&bytes, Lsn(0), 0) {
                prop_assert!(fix_checksum);
                prop_assert!(frame.batch.len() < length);
            }
        }
    }
}
