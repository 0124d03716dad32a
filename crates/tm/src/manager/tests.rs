//! Databases that are written, closed, killed, crashed and opened again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;

use pandodb_ds::format::TreeKind;
use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::thread;
use pandodb_ds::vfs::SimVfs;

use super::checkpointer::Served;
use super::*;
use crate::heads::MAIN;
use crate::ids::TreeId;
use crate::isolation::Isolation;
use crate::transaction::tests::contents;
use crate::wal::WalOptions;

const T: TreeId = TreeId(1);

pub(super) fn options() -> Options {
    Options {
        wal: WalOptions { segment_len: 1500, ..WalOptions::default() },
        history: crate::history::Retention::NOTHING,
        synchronous: Synchronous::Full,
        has_checkpoint_thread: false,
        checkpoints: None,
        busy_timeout: Duration::ZERO,
        ..Options::default()
    }
}

pub(super) fn open(disk: &SimVfs, options: &Options) -> Result<Manager> {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    Manager::open(&vfs, Path::new("base.pando"), options)
}

pub(super) fn put(manager: &Manager, head: HeadId, key: &[u8], value: &[u8]) -> Result<CommitId> {
    let mut transaction = manager.begin(head, BeginOptions::default())?;
    if transaction.tree_kind(T).is_none() {
        transaction.create_tree(T, TreeKind::Slotted)?;
    }
    transaction.put(T, key, value)?;
    transaction.commit()
}

pub(super) fn all(manager: &Manager, head: HeadId) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let reader = manager.begin(head, BeginOptions::read_only()).unwrap();
    match reader.tree_kind(T) {
        Some(_) => contents(&reader, T).unwrap(),
        None => BTreeMap::new(),
    }
}

#[test]
fn a_killed_database_opens_with_all_that_was_committed() {
    let disk = SimVfs::new(1);
    let manager = open(&disk, &options()).unwrap();
    let mut last = CommitId(0);
    for number in 0..50_u32 {
        last = put(&manager, MAIN, &number.to_be_bytes(), b"value").unwrap();
        if number == 20 {
            manager.checkpoint(CheckpointMode::Full).unwrap();
        }
    }
    let fork = manager.create_head(MAIN, b"fork").unwrap();
    put(&manager, fork, b"own", b"fork").unwrap();
    let (main, own) = (all(&manager, MAIN), all(&manager, fork));
    disk.kill_process();
    drop(manager);
    for _ in 0..2 {
        let manager = open(&disk, &options()).unwrap();
        assert_eq!(all(&manager, MAIN), main);
        assert_eq!(all(&manager, fork), own);
        assert_eq!(manager.head(MAIN).unwrap().commit, last);
        assert_eq!(&*manager.head(fork).unwrap().note, b"fork");
        disk.kill_process();
    }
    let manager = open(&disk, &options()).unwrap();
    manager.close().unwrap();
    let manager = open(&disk, &options()).unwrap();
    assert_eq!((all(&manager, MAIN), all(&manager, fork)), (main, own));
    assert_eq!(manager.log_bytes(), 0);
    assert_eq!(manager.head(MAIN).unwrap().commit, last);
    let next = manager.create_head(MAIN, b"").unwrap();
    assert!(next > fork, "numbers are not used again");
}

#[test]
fn a_transaction_outlives_the_checkpoints_that_are_made_meanwhile() {
    for level in Isolation::ALL {
        let disk = SimVfs::new(2);
        let manager = open(&disk, &options()).unwrap();
        put(&manager, MAIN, b"old", b"value").unwrap();
        let mut transaction = manager.begin(MAIN, BeginOptions::at(level)).unwrap();
        transaction.put(T, b"new", b"value").unwrap();
        manager.checkpoint(CheckpointMode::Truncate).unwrap();
        let savepoint = transaction.savepoint().unwrap();
        transaction.put(T, b"lost", b"value").unwrap();
        manager.checkpoint(CheckpointMode::Full).unwrap();
        transaction.rollback_to(savepoint).unwrap();
        transaction.commit().unwrap();
        let expected = all(&manager, MAIN);
        assert_eq!(expected.keys().collect::<Vec<_>>(), [b"new", b"old"], "{level:?}");
        manager.checkpoint(CheckpointMode::Full).unwrap();
        assert_eq!(all(&manager, MAIN), expected);
        disk.kill_process();
        assert_eq!(all(&open(&disk, &options()).unwrap(), MAIN), expected);
    }
}

#[test]
fn commits_that_a_checkpoint_did_not_capture_stay_in_the_log() {
    let disk = SimVfs::new(3);
    let mut expected = 0;
    for round in 0..12_u32 {
        let manager = Arc::new(open(&disk, &options()).unwrap());
        assert_eq!(all(&manager, MAIN).len(), expected, "round {round}");
        let before = manager.progress().commit.0;
        let writer = {
            let manager = Arc::clone(&manager);
            thread::spawn(move || {
                for number in 0..60_u32 {
                    let key = (round * 1000 + number).to_be_bytes();
                    put(&manager, MAIN, &key, &[0; 100]).unwrap();
                }
            })
        };
        // The last checkpoint begins while the writer writes: it cannot have all of it.
        while manager.progress().commit.0 < before + 30 {
            manager.checkpoint(CheckpointMode::Restart).unwrap();
        }
        writer.join().unwrap();
        expected += 60;
        disk.kill_process();
    }
    assert_eq!(all(&open(&disk, &options()).unwrap(), MAIN).len(), expected);
}

#[test]
fn a_large_transaction_writes_its_data_once() {
    let disk = SimVfs::new(4);
    let limits = Options { spill_bytes: 1 << 20, large_transaction_bytes: 200_000, ..options() };
    let manager = open(&disk, &limits).unwrap();
    put(&manager, MAIN, b"first", b"").unwrap();
    manager.checkpoint(CheckpointMode::Full).unwrap();
    let before = manager.store().info().unwrap();
    let log_before = manager.progress().staged;
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    for number in 0..20_000_u32 {
        let mut value = [0; 100];
        rng.fill(&mut value);
        transaction.put(T, &number.to_be_bytes(), &value).unwrap();
    }
    transaction.commit().unwrap();
    let after = manager.store().info().unwrap();
    let written = (after.bytes_written - before.bytes_written) as f64;
    let stored = (after.space.reachable() - before.space.reachable()) as f64 * 512.0;
    assert!(written <= stored * 1.15, "{written} bytes for {stored}");
    assert_eq!(manager.large_transactions(), 1);
    assert!(manager.progress().staged.since(log_before) < 200, "the log names the commit only");
    put(&manager, MAIN, b"last", b"").unwrap();
    let expected = all(&manager, MAIN);
    assert_eq!(expected.len(), 20_002);
    disk.crash();
    disk.restart();
    assert_eq!(all(&open(&disk, &limits).unwrap(), MAIN), expected);
}

#[test]
fn a_few_rows_of_many_pages_are_written_as_deltas() {
    let disk = SimVfs::new(6);
    // Far less than the pages that the change touches, which the cache has, and can lend nothing.
    let store = StoreOptions { cache_bytes: 16 << 20, ..StoreOptions::default() };
    let limits = Options { spill_bytes: 1 << 20, store, ..options() };
    let manager = open(&disk, &limits).unwrap();
    put(&manager, MAIN, b"first", b"").unwrap();
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut value = [0; 100];
    for number in 0..40_000_u32 {
        rng.fill(&mut value);
        transaction.put(T, &number.to_be_bytes(), &value).unwrap();
    }
    transaction.commit().unwrap();
    manager.checkpoint(CheckpointMode::Full).unwrap();
    let stored = manager.store().info().unwrap().space.reachable() * 512;
    let before = manager.store().info().unwrap().bytes_written;
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    for number in (0..40_000_u32).step_by(120) {
        rng.fill(&mut value);
        transaction.put(T, &number.to_be_bytes(), &value).unwrap();
    }
    transaction.commit().unwrap();
    manager.checkpoint(CheckpointMode::Full).unwrap();
    let written = manager.store().info().unwrap().bytes_written - before;
    assert!(stored > 4 << 20 && written < stored / 10, "{written} of {stored} bytes");
}

#[test]
fn the_log_tells_what_was_committed_by_whom() {
    let disk = SimVfs::new(5);
    let manager = open(&disk, &options()).unwrap();
    let base = put(&manager, MAIN, b"a", b"1").unwrap();
    let from = manager.progress().staged;
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    transaction.describe("ann", "because");
    transaction.set_flags(7);
    transaction.note_in_log(3, b"record").unwrap();
    transaction.delete(T, b"a").unwrap();
    let commit = transaction.commit().unwrap();
    put(&manager, MAIN, b"b", b"2").unwrap();
    let mut reader = manager.read_log(from).unwrap();
    let found = reader.next_transaction().unwrap().unwrap();
    assert_eq!((found.commit, found.head, found.base), (commit, MAIN, base));
    let info = found.info().unwrap();
    assert_eq!((info.author, info.message, info.flags), ("ann", "because", 7));
    let operations: Result<Vec<_>> = found.operations().collect();
    assert_eq!(operations.unwrap().len(), 4, "begin, record, delete, commit");
    assert_eq!(reader.next_transaction().unwrap().unwrap().commit, commit.next());
    assert!(reader.next_transaction().unwrap().is_none());
}

#[test]
fn a_passive_checkpoint_does_not_wait_and_truncate_leaves_no_log() {
    let disk = SimVfs::new(6);
    let history = crate::history::Retention::NOTHING;
    let manager = open(&disk, &Options { history, ..options() }).unwrap();
    put(&manager, MAIN, b"a", b"1").unwrap();
    let report = manager.checkpoint(CheckpointMode::Truncate).unwrap();
    assert_eq!((report.commit, report.log_bytes_left), (CommitId(1), 0));
    assert_eq!(manager.log_bytes(), 0);
    let vfs: &dyn Vfs = &disk;
    let files = vfs.list(Path::new("")).unwrap();
    assert!(files.iter().all(|file| !file.to_string_lossy().contains("-wal-")), "{files:?}");
    let in_memory = Manager::open_in_memory(&Options::default()).unwrap();
    let error = in_memory.checkpoint(CheckpointMode::Full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn a_database_that_is_only_read_shows_its_log_and_changes_nothing() {
    let disk = SimVfs::new(7);
    let manager = open(&disk, &options()).unwrap();
    put(&manager, MAIN, b"a", b"1").unwrap();
    let expected = all(&manager, MAIN);
    disk.kill_process();
    let store = StoreOptions { is_read_only: true, ..StoreOptions::default() };
    let reader = open(&disk, &Options { store, ..options() }).unwrap();
    assert_eq!(all(&reader, MAIN), expected);
    assert_eq!(put(&reader, MAIN, b"b", b"2").unwrap_err().kind(), ErrorKind::ReadOnly);
    let error = reader.checkpoint(CheckpointMode::Full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    disk.kill_process();
    assert_eq!(all(&open(&disk, &options()).unwrap(), MAIN), expected);
}

#[test]
fn a_long_replay_tells_how_far_it_is() {
    let disk = SimVfs::new(8);
    let manager = open(&disk, &options()).unwrap();
    for number in 0..20_u32 {
        put(&manager, MAIN, &number.to_be_bytes(), &vec![7; 400_000]).unwrap();
    }
    disk.kill_process();
    let told = Arc::new(Mutex::new(Vec::new()));
    let callback = {
        let told = Arc::clone(&told);
        Arc::new(move |progress| told.lock().push(progress))
    };
    let manager = open(&disk, &Options { on_recovery: Some(callback), ..options() }).unwrap();
    let told = told.lock();
    assert!(told.len() >= 2, "{told:?}");
    assert!(told.is_sorted_by_key(|progress| progress.bytes));
    assert_eq!(told.last().unwrap().commit, manager.progress().commit);
    assert_eq!(told.last().unwrap().transactions, 20);
}

#[test]
fn background_checkpoints_keep_the_log_short_while_transactions_run() {
    let disk = SimVfs::new(9);
    let policy = CheckpointPolicy { log_bytes: 8 << 10, ..CheckpointPolicy::default() };
    let settings = Options {
        checkpoints: Some(policy),
        has_checkpoint_thread: true,
        synchronous: Synchronous::Normal,
        ..options()
    };
    let manager = open(&disk, &settings).unwrap();
    for number in 0..600_u32 {
        put(&manager, MAIN, &(number % 50).to_be_bytes(), &[7; 150]).unwrap();
        // The thread is quicker than this in the end, however it is scheduled.
        while manager.log_bytes() > 64 << 10 {
            thread::yield_now();
        }
    }
    assert!(manager.store().info().unwrap().checkpoints > 0);
    assert!(manager.background_error().is_none());
    let expected = all(&manager, MAIN);
    manager.close().unwrap();
    assert_eq!(all(&open(&disk, &settings).unwrap(), MAIN), expected);
}

#[test]
fn changed_pages_are_counted_once_however_often_they_change() {
    let disk = SimVfs::new(10);
    let policy =
        CheckpointPolicy { log_bytes: 1 << 40, dirty_bytes: 1 << 20, ..Default::default() };
    let manager = open(&disk, &Options { checkpoints: Some(policy), ..options() }).unwrap();
    for number in 0..500_u32 {
        put(&manager, MAIN, b"same", &[number as u8; 100]).unwrap();
    }
    assert_eq!(manager.store().info().unwrap().checkpoints, 0);
    for number in 0..40_u32 {
        put(&manager, MAIN, &number.to_be_bytes(), &vec![1; 3000]).unwrap();
    }
    assert_eq!(manager.store().info().unwrap().checkpoints, 0, "{} bytes", 40 * 3000);
    let mut number = 40_u32;
    while manager.store().info().unwrap().checkpoints == 0 {
        put(&manager, MAIN, &number.to_be_bytes(), &vec![1; 3000]).unwrap();
        number += 1;
        assert!(number < 2000, "a checkpoint is made when the pages take a megabyte");
    }
}

#[test]
fn forks_count_their_common_pages_once() {
    let disk = SimVfs::new(11);
    let manager = open(&disk, &options()).unwrap();
    for number in 0..50_u32 {
        put(&manager, MAIN, &number.to_be_bytes(), &vec![1; 1000]).unwrap();
    }
    let alone = manager.shared.count_dirty_bytes(usize::MAX);
    assert!(alone > 50_000);
    for _ in 0..5 {
        manager.create_head(MAIN, b"").unwrap();
    }
    assert_eq!(manager.shared.count_dirty_bytes(usize::MAX), alone);
    manager.checkpoint(CheckpointMode::Full).unwrap();
    assert_eq!(manager.shared.count_dirty_bytes(usize::MAX), 0, "all of them are clean");
}

#[test]
fn what_changed_pages_share_counts_where_nobody_else_has_it() {
    let disk = SimVfs::new(13);
    let manager = open(&disk, &options()).unwrap();
    put(&manager, MAIN, b"first", b"").unwrap();
    let change = |step: usize, value: u8| {
        let mut writer = manager.begin(MAIN, BeginOptions::default()).unwrap();
        for number in (0..2000_u32).step_by(step) {
            writer.put(T, &number.to_be_bytes(), &[value; 1000]).unwrap();
        }
        writer.commit().unwrap();
    };
    change(1, 1);
    let all_of_it = manager.shared.count_dirty_bytes(usize::MAX);
    assert!(all_of_it > 2_000_000);
    manager.checkpoint(CheckpointMode::Full).unwrap();
    change(16, 2);
    let changed = manager.shared.count_dirty_bytes(usize::MAX);
    assert!((125_000..600_000).contains(&changed), "{changed}");
    // Without the cache the changed leaves alone hold the pages that they were copied from.
    manager.store().set_cache_bytes(0);
    let alone = manager.shared.count_dirty_bytes(usize::MAX);
    assert!(alone > 1_500_000, "{alone}");
    assert!(alone <= all_of_it + changed, "{alone}");
}

#[test]
fn what_the_cache_lent_makes_a_checkpoint_due() {
    let disk = SimVfs::new(14);
    let wal = WalOptions { segment_len: 8 << 20, ..WalOptions::default() };
    let manager = open(&disk, &Options { wal, ..options() }).unwrap();
    put(&manager, MAIN, b"first", b"").unwrap();
    manager.set_size_limits(64 << 10, usize::MAX);
    let mut writer = manager.begin(MAIN, BeginOptions::default()).unwrap();
    for number in 0..2000_u32 {
        writer.put(T, &number.to_be_bytes(), &[1; 1000]).unwrap();
    }
    writer.commit().unwrap();
    let policy = CheckpointPolicy {
        log_bytes: u64::MAX,
        dirty_bytes: 1 << 30,
        interval: Duration::from_mins(1),
    };
    let position = manager.shared.checkpoints.position();
    assert!(manager.shared.checkpoints.holds_loans());
    assert!(manager.shared.is_due(&policy, 1 << 30, position), "though less is counted");
    manager.checkpoint(CheckpointMode::Full).unwrap();
    assert!(!manager.shared.checkpoints.holds_loans());
    assert!(!manager.shared.is_due(&policy, 1 << 30, position));
}

#[test]
fn commit_times_only_grow() {
    // The simulated clock stands still between two sleeps.
    let disk = SimVfs::new(12);
    let mut newest = i64::MIN;
    for life in 0..3_u32 {
        let manager = open(&disk, &options()).unwrap();
        let from = manager.progress().staged;
        for number in 0..5_u32 {
            put(&manager, MAIN, &(life * 10 + number).to_be_bytes(), b"x").unwrap();
        }
        let mut reader = manager.read_log(from).unwrap();
        while let Some(transaction) = reader.next_transaction().unwrap() {
            let time = transaction.info().unwrap().time;
            assert!(time > newest, "two commits are at different times");
            newest = time;
        }
        if life == 1 {
            manager.checkpoint(CheckpointMode::Truncate).unwrap();
        }
        disk.kill_process();
    }
}
