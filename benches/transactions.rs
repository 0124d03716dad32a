//! What a commit is made of: frames into the log, locks of rows, the commit as a whole.
//!
//! Neighbours: `sql` for what statements cost above it.
#![allow(missing_docs, reason = "criterion's macros make functions without documentation")]
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark stops where something fails")]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use pandodb_ds::format::TreeKind;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, OsClock, Vfs};
use pandodb_tm::lock::{LockManager, Mode, Resource};
use pandodb_tm::wal::{CommitInfo, DatabaseId, FrameBuffer, LogEnd, Operation, WalOptions, Writer};
use pandodb_tm::{
    BeginOptions, CommitId, HeadId, Lsn, MAIN, Manager, Options, TransactionId, TreeId,
};

const TREE: TreeId = TreeId(100);
const VALUE: [u8; 100] = [7; 100];

/// One transaction of one row into the log and out to its file, which is memory.
fn wal_append(criterion: &mut Criterion) {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let end = LogEnd::empty(Lsn(0));
    // Small segments that are given back at once: memory does not fill up.
    let options = WalOptions { segment_len: 1 << 20, ..WalOptions::default() };
    let path = Path::new("bench.pando");
    let mut log = Writer::open(vfs, path, DatabaseId([3; 16]), options, &end).expect("a log opens");
    let mut frames = FrameBuffer::new();
    let mut commit = 0;
    criterion.bench_function("wal append", |bencher| {
        bencher.iter(|| {
            commit += 1;
            frames.clear();
            frames.begin(HeadId(1), CommitId(commit - 1)).expect("frames begin");
            let operation = Operation::Put { key: &commit.to_be_bytes(), value: &VALUE };
            frames.push(TREE, &operation).expect("a frame has room");
            let info = CommitInfo { time: 0, author: "", message: "", flags: 0 };
            frames.finish(&info).expect("frames end");
            let end = log.stage(&mut frames, CommitId(commit), Lsn(0)).expect("the log has room");
            let written = log.begin_flush(false).run().expect("memory takes writes");
            log.recycle_memory(written);
            log.retire(end).expect("segments go");
        });
    });
}

/// A lock of a row with what it takes above it, and its release.
fn lock_acquire(criterion: &mut Criterion) {
    let locks = LockManager::new(Arc::new(OsClock));
    let mut owner = locks.register(TransactionId(1)).expect("a transaction registers");
    let mut row = 0u64;
    criterion.bench_function("lock acquire and release", |bencher| {
        bencher.iter(|| {
            row = row.wrapping_add(1);
            let resource = Resource::key(MAIN, TREE, &row.to_be_bytes());
            let second = Duration::from_secs(1);
            owner.acquire_within(resource, Mode::Exclusive, second).expect("nobody else has it");
            owner.release_all();
        });
    });
}

/// A row changed and committed, and a row read, each in a transaction of its own.
fn transaction(criterion: &mut Criterion) {
    let manager = Manager::open_in_memory(&Options::default()).expect("memory opens");
    let mut begun = manager.begin(MAIN, BeginOptions::default()).expect("it begins");
    begun.create_tree(TREE, TreeKind::Fixed).expect("a tree is made");
    for key in 0..100_000u64 {
        begun.put(TREE, &key.to_be_bytes(), &VALUE).expect("a row goes in");
    }
    begun.commit().expect("it commits");
    let mut random = fastrand::Rng::with_seed(1);
    criterion.bench_function("commit of one row", |bencher| {
        bencher.iter(|| {
            let mut begun = manager.begin(MAIN, BeginOptions::default()).expect("it begins");
            let key = random.u64(0..100_000).to_be_bytes();
            begun.put(TREE, &key, &random.u128(..).to_be_bytes()).expect("a row goes in");
            begun.commit().expect("it commits")
        });
    });
    criterion.bench_function("read of one row", |bencher| {
        bencher.iter(|| {
            let begun = manager.begin(MAIN, BeginOptions::read_only()).expect("it begins");
            let key = random.u64(0..100_000).to_be_bytes();
            black_box(begun.get_with(TREE, &key, |found| found.map_or(0, |row| row.len())))
        });
    });
}

criterion_group!(benches, wal_append, lock_acquire, transaction);
criterion_main!(benches);
