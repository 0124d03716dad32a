//! The log against a model: what was appended comes back, whatever rolled, was recycled or kept.
//!
//! Neighbours: `crash_tests` does this with the power going at every operation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, OpenMode, SimVfs, Vfs};
use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::error::Result;
use crate::ids::{CommitId, HeadId, Lsn, TreeId};

pub(super) const ID: DatabaseId = DatabaseId([3; 16]);
pub(super) const PATH: &str = "base.pando";

/// What is appended for a commit: its number says everything, so that a reader can check it.
pub(super) fn frames_of(commit: u64) -> FrameBuffer {
    let mut frames = FrameBuffer::new();
    frames.begin(HeadId(commit % 3), CommitId(commit - 1)).unwrap();
    let mut rng = fastrand::Rng::with_seed(commit);
    for row in 0..rng.u32(0..4) {
        let value = vec![commit as u8; rng.usize(0..120)];
        let key = [commit as u8, row as u8];
        frames
            .push(TreeId(u64::from(row % 2 + 1)), &Operation::Put { key: &key, value: &value })
            .unwrap();
    }
    if commit.is_multiple_of(17) {
        // Several frames, and more than a small segment holds.
        for _ in 0..3 {
            let value = vec![7; 70_000];
            frames.push(TreeId(9), &Operation::Put { key: b"large", value: &value }).unwrap();
        }
    }
    let info = CommitInfo { time: commit as i64, author: "ann", message: "why", flags: commit };
    frames.finish(&info).unwrap();
    frames
}

/// Reads everything from `from`, checks each transaction and returns the commits.
pub(super) fn read_all(vfs: &dyn Vfs, from: Lsn) -> Result<(Vec<u64>, LogEnd)> {
    let mut reader = Reader::open(vfs, Path::new(PATH), ID, from)?;
    let mut commits = Vec::new();
    while let Some(transaction) = reader.next_transaction()? {
        check(&transaction);
        commits.push(transaction.commit.0);
    }
    Ok((commits, reader.end()?))
}

pub(super) fn check(transaction: &LoggedTransaction<'_>) {
    let commit = transaction.commit.0;
    assert_eq!((transaction.head, transaction.base), (HeadId(commit % 3), CommitId(commit - 1)));
    assert_eq!(transaction.info().unwrap().flags, commit);
    let found: Vec<_> = transaction.operations().map(Result::unwrap).collect();
    let mut expected = frames_of(commit);
    let bytes = expected.seal(CommitId(commit), Lsn(0), Lsn(0), 0).unwrap();
    assert_eq!(transaction.len(), bytes.len() as u64);
    let mut rng = fastrand::Rng::with_seed(commit);
    let rows = rng.u32(0..4) as usize;
    assert_eq!(found.len(), 2 + rows + if commit.is_multiple_of(17) { 3 } else { 0 });
    for (row, (tree, operation)) in found[1..=rows].iter().enumerate() {
        let value = vec![commit as u8; rng.usize(0..120)];
        let key = [commit as u8, row as u8];
        assert_eq!(*tree, TreeId(row as u64 % 2 + 1));
        assert_eq!(*operation, Operation::Put { key: &key, value: &value });
    }
}

pub(super) fn writer(vfs: &Arc<dyn Vfs>, options: WalOptions, end: &LogEnd) -> Writer {
    Writer::open(Arc::clone(vfs), Path::new(PATH), ID, options, end).unwrap()
}

/// Stages and writes.
pub(super) fn append(
    log: &mut Writer,
    frames: &mut FrameBuffer,
    commit: CommitId,
    durable: Lsn,
) -> Result<Lsn> {
    log.stage(frames, commit, durable)?;
    let plan = log.begin_flush(false);
    let target = plan.target();
    plan.run()?;
    Ok(target)
}

pub(super) fn sync(log: &mut Writer) -> Result<Lsn> {
    let plan = log.begin_flush(true);
    let target = plan.target();
    plan.run()?;
    Ok(target)
}

pub(super) fn small_segments() -> WalOptions {
    WalOptions { segment_len: 1500, spare_segments: 2, archive: false }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Append,
    Sync,
    /// A checkpoint at the position so far.
    Checkpoint,
    Reopen,
    Discard,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => Just(Step::Append),
        3 => Just(Step::Sync),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
        1 => Just(Step::Discard),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_was_appended_after_the_checkpoint_comes_back(
        steps in proptest::collection::vec(step(), 1..120),
        archive: bool,
    ) {
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        let options = WalOptions { archive, ..small_segments() };
        let mut log = writer(&vfs, options, &LogEnd::empty(Lsn::ZERO));
        let (mut commit, mut checkpoint) = (0, (Lsn::ZERO, 0));
        let mut durable = Lsn::ZERO;
        for step in steps {
            match step {
                Step::Append => {
                    commit += 1;
                    let mut frames = frames_of(commit);
                    append(&mut log, &mut frames, CommitId(commit), durable).unwrap();
                }
                Step::Sync => durable = sync(&mut log).unwrap(),
                Step::Checkpoint => {
                    checkpoint = (log.position(), commit);
                    log.retire(log.position()).unwrap();
                }
                Step::Reopen => {
                    let (_, end) = read_all(&*vfs, checkpoint.0).unwrap();
                    log = writer(&vfs, options, &end);
                }
                Step::Discard => log.discard_spares().unwrap(),
            }
            let (found, end) = read_all(&*vfs, checkpoint.0).unwrap();
            prop_assert_eq!(found, (checkpoint.1 + 1..=commit).collect::<Vec<_>>());
            prop_assert_eq!(end.position, log.position());
            if archive && commit > 0 {
                let (found, _) = read_all(&*vfs, Lsn::ZERO).unwrap();
                prop_assert_eq!(found, (1..=commit).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn segments_are_recycled_and_the_log_stays_small() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let mut log = writer(&vfs, small_segments(), &LogEnd::empty(Lsn::ZERO));
    for commit in 1..=400 {
        append(&mut log, &mut frames_of(commit), CommitId(commit), Lsn::ZERO).unwrap();
        log.retire(log.position()).unwrap();
    }
    let files = vfs.list(Path::new("")).unwrap();
    assert!(files.len() <= 4, "one current, one closed, two spare: {files:?}");
    log.close_segment();
    log.retire(log.position()).unwrap();
    log.discard_spares().unwrap();
    assert_eq!(vfs.list(Path::new("")).unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn archived_segments_are_listed_and_pruned_up_to_a_position() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let options = WalOptions { archive: true, ..small_segments() };
    let mut log = writer(&vfs, options, &LogEnd::empty(Lsn::ZERO));
    let mut ends = vec![Lsn::ZERO];
    for commit in 1..=60 {
        let durable = sync(&mut log).unwrap();
        ends.push(append(&mut log, &mut frames_of(commit), CommitId(commit), durable).unwrap());
    }
    log.retire(log.position()).unwrap();
    let path = Path::new(PATH);
    let before = archive::segments(&*vfs, path, ID).unwrap();
    assert!(before.len() > 3);
    let removed = archive::prune(&*vfs, path, ID, ends[30], log.in_hand()).unwrap();
    let after = archive::segments(&*vfs, path, ID).unwrap();
    assert_eq!(after, before[removed..]);
    assert!(after[0].first <= ends[30] && after[0].end.unwrap() > ends[30]);
    let (found, _) = read_all(&*vfs, ends[30]).unwrap();
    assert_eq!(found, (31..=60).collect::<Vec<_>>());
    assert_eq!(read_all(&*vfs, Lsn::ZERO).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Between giving up and pruning the writer may go on to the next segment, so that the one before
/// ends where the checkpoint is. It is the writer's until the next checkpoint.
#[test]
fn a_segment_that_was_closed_meanwhile_is_not_pruned() {
    for archive in [true, false] {
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        let options = WalOptions { archive, ..small_segments() };
        let mut log = writer(&vfs, options, &LogEnd::empty(Lsn::ZERO));
        for commit in 1..=60 {
            let checkpoint = log.position();
            log.retire(checkpoint).unwrap();
            let in_hand = log.in_hand();
            append(&mut log, &mut frames_of(commit), CommitId(commit), Lsn::ZERO).unwrap();
            archive::prune(&*vfs, Path::new(PATH), ID, checkpoint, in_hand).unwrap();
        }
        log.retire(log.position()).unwrap();
        assert_eq!(log.segment_count(), 1, "what was given up is gone");
    }
}

#[test]
fn a_range_is_read_while_the_writer_goes_on() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let mut log = writer(&vfs, small_segments(), &LogEnd::empty(Lsn::ZERO));
    let mut ends = vec![Lsn::ZERO];
    for commit in 1..=20 {
        ends.push(append(&mut log, &mut frames_of(commit), CommitId(commit), Lsn::ZERO).unwrap());
    }
    let path = Path::new(PATH);
    let mut reader = Reader::open_range(&*vfs, path, ID, ends[5], ends[15]).unwrap();
    for commit in 6..=15 {
        append(&mut log, &mut frames_of(commit + 100), CommitId(commit + 100), ends[20]).unwrap();
        let found = reader.next_transaction().unwrap().unwrap();
        check(&found);
        assert_eq!(found.commit.0, commit);
    }
    assert!(reader.next_transaction().unwrap().is_none());
}

#[test]
fn each_flipped_bit_of_durable_bytes_is_damage_and_never_a_shorter_log() {
    let vfs = SimVfs::new(1);
    let shared: Arc<dyn Vfs> = Arc::new(vfs.clone());
    // Little to copy for each of the bits.
    let options = WalOptions { segment_len: 32 << 10, ..WalOptions::default() };
    let mut log = writer(&shared, options, &LogEnd::empty(Lsn::ZERO));
    let mut durable = Lsn::ZERO;
    for commit in 1..=6 {
        append(&mut log, &mut frames_of(commit), CommitId(commit), durable).unwrap();
        durable = sync(&mut log).unwrap();
    }
    let known = durable;
    // The last one says that all before it was durable.
    append(&mut log, &mut frames_of(7), CommitId(7), durable).unwrap();
    let file = Path::new("base.pando-wal-00000001");
    let bytes = vfs.contents(file).unwrap();
    for at in 512..512 + known.0 as usize {
        for bit in [0, 3, 7] {
            vfs.damage(file, at as u64, &[bytes[at] ^ 1 << bit]).unwrap();
            let found = read_all(&*shared, Lsn::ZERO).map(|(commits, _)| commits);
            assert_eq!(found.unwrap_err().kind(), ErrorKind::Corrupt, "bit {bit} of byte {at}");
        }
        vfs.damage(file, at as u64, &bytes[at..=at]).unwrap();
    }
    let (found, _) = read_all(&*shared, Lsn::ZERO).unwrap();
    assert_eq!(found, (1..=7).collect::<Vec<_>>());
}

#[test]
fn a_log_of_another_database_is_refused() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let mut log = writer(&vfs, small_segments(), &LogEnd::empty(Lsn::ZERO));
    append(&mut log, &mut frames_of(1), CommitId(1), Lsn::ZERO).unwrap();
    let other = DatabaseId([4; 16]);
    let error = Reader::open(&*vfs, Path::new(PATH), other, Lsn::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_bytes_in_the_files_end_in_a_log_or_an_error(
        edits in proptest::collection::vec((0_usize..3000, any::<u8>()), 0..40),
        cut in proptest::option::of(0_u64..3000),
    ) {
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        let mut log = writer(&vfs, small_segments(), &LogEnd::empty(Lsn::ZERO));
        for commit in 1..=16 {
            append(&mut log, &mut frames_of(commit), CommitId(commit), Lsn::ZERO).unwrap();
        }
        for path in vfs.list(Path::new("")).unwrap() {
            let file = vfs.open(&path, OpenMode::Write).unwrap();
            for (at, byte) in &edits {
                file.write_at(*at as u64, &[*byte]).unwrap();
            }
            if let Some(cut) = cut {
                file.set_len(cut).unwrap();
            }
        }
        if let Ok((found, end)) = read_all(&*vfs, Lsn::ZERO) {
            prop_assert_eq!(found.last().copied().map(CommitId), end.commit);
        }
    }
}

#[test]
fn a_segment_that_came_back_without_its_successors_is_no_damage() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let options = WalOptions { archive: true, ..small_segments() };
    let mut log = writer(&vfs, options, &LogEnd::empty(Lsn::ZERO));
    for commit in 1..=60 {
        append(&mut log, &mut frames_of(commit), CommitId(commit), Lsn::ZERO).unwrap();
    }
    let found = archive::segments(&*vfs, Path::new(PATH), ID).unwrap();
    let start = found[found.len() - 2].first;
    for gone in &found[1..found.len() - 1] {
        vfs.remove(&gone.path).unwrap();
    }
    let (commits, end) = read_all(&*vfs, start).unwrap();
    assert_eq!((commits, end.position), (Vec::new(), start));
}

/// Syncs write ahead of the frames, each place once, and never over a frame; a recycled file is
/// filled already.
#[test]
fn segments_are_filled_ahead_of_synced_commits() {
    use pandodb_ds::vfs::OperationKind;
    let disk = SimVfs::new(31);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let options = WalOptions { segment_len: 1 << 20, ..WalOptions::default() };
    let path = Path::new("filled.pando");
    let end = LogEnd::empty(Lsn::ZERO);
    let mut writer = Writer::open(vfs, path, ID, options, &end).unwrap();
    // The trace has the newest operations only.
    let mut filled = 0;
    let mut seen = 0;
    let mut count = || {
        for one in disk.trace().iter().filter(|one| one.number > seen) {
            let is_fill = one.kind == OperationKind::Write && one.len >= 1024;
            filled += if is_fill { one.len } else { 0 };
        }
        seen = disk.operations();
        filled
    };
    for number in 1..=2000 {
        let mut frames = FrameBuffer::new();
        frames.begin(HeadId(1), CommitId(0)).unwrap();
        frames.push(TreeId(1), &Operation::Put { key: b"key", value: &[7; 200] }).unwrap();
        frames.finish(&CommitInfo { time: 0, author: "", message: "", flags: 0 }).unwrap();
        writer.stage(&mut frames, CommitId(number), Lsn::ZERO).unwrap();
        drop(writer.begin_flush(number % 2 == 0).run().unwrap());
        if number % 100 == 0 {
            count();
        }
    }
    let bytes = writer.position().0 as usize;
    let once = count();
    assert!((bytes..bytes + (512 << 10)).contains(&once), "{once} for {bytes} bytes of frames");
    writer.close_segment();
    writer.retire(writer.position()).unwrap();
    for number in 2001..=3000 {
        let mut frames = FrameBuffer::new();
        frames.begin(HeadId(1), CommitId(0)).unwrap();
        frames.push(TreeId(1), &Operation::Put { key: b"key", value: &[7; 200] }).unwrap();
        frames.finish(&CommitInfo { time: 0, author: "", message: "", flags: 0 }).unwrap();
        writer.stage(&mut frames, CommitId(number), Lsn::ZERO).unwrap();
        drop(writer.begin_flush(true).run().unwrap());
        if number % 100 == 0 {
            count();
        }
    }
    assert_eq!(count(), once, "a recycled file needs no filling");
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let mut reader = Reader::open(&*vfs, path, ID, Lsn(bytes as u64)).unwrap();
    let mut transactions = 0;
    while reader.next_transaction().unwrap().is_some() {
        transactions += 1;
    }
    assert_eq!(transactions, 1000);
}

#[test]
fn a_replay_that_would_begin_inside_of_a_transaction_is_refused() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let mut log = writer(&vfs, WalOptions::default(), &LogEnd::empty(Lsn::ZERO));
    let mut frames = frames_of(17);
    append(&mut log, &mut frames, CommitId(17), Lsn::ZERO).unwrap();
    let end = log.position();
    assert_eq!(read_all(&*vfs, end).unwrap().0, Vec::<u64>::new());
    // The transaction has several frames: the second one begins where its magic stands.
    let file = vfs.open(&vfs.list(Path::new("")).unwrap()[0], OpenMode::Read).unwrap();
    let mut bytes = vec![0; end.0 as usize];
    assert_eq!(file.read_at(512, &mut bytes).unwrap(), bytes.len());
    let magic = FRAME_MAGIC.to_le_bytes();
    let second = bytes[4..].windows(4).position(|bytes| bytes == magic).unwrap() + 4;
    let error = read_all(&*vfs, Lsn(second as u64)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("inside of a transaction"), "{error}");
}

#[test]
fn a_small_commit_behind_a_large_one_finds_room_that_was_written() {
    use pandodb_ds::vfs::OperationKind;
    let disk = SimVfs::new(9);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let end = LogEnd::empty(Lsn::ZERO);
    let mut log = Writer::open(vfs, Path::new("base"), ID, WalOptions::default(), &end).unwrap();
    let mut commit = 0;
    let mut written = |bytes: usize| {
        let mut frames = FrameBuffer::new();
        frames.begin(HeadId(1), CommitId(commit)).unwrap();
        frames.push(TreeId(1), &Operation::Put { key: b"key", value: &vec![7; bytes] }).unwrap();
        frames.finish(&CommitInfo { time: 0, author: "", message: "", flags: 0 }).unwrap();
        commit += 1;
        let before = disk.operations();
        log.stage(&mut frames, CommitId(commit), Lsn::ZERO).unwrap();
        drop(log.begin_flush(true).run().unwrap());
        let trace = disk.trace();
        let own = trace.iter().filter(|one| one.number > before);
        own.filter(|one| one.kind == OperationKind::Write).map(|one| one.len).sum::<usize>()
    };
    for _ in 0..3 {
        let large = written(1 << 20);
        assert!(large < (1 << 20) + (70 << 10), "{large} bytes for a mebibyte");
        for _ in 0..100 {
            assert!(written(100) < 300, "the zeros are for the large one to write");
        }
    }
}
