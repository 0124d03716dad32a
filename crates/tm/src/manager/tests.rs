//! Databases that are written, closed, killed, crashed and opened again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;

use pandodb_ds::format::TreeKind;
use pandodb_ds::vfs::SimVfs;

use super::*;
use crate::heads::MAIN;
use crate::ids::TreeId;
use crate::transaction::tests::contents;
use crate::wal::WalOptions;

const T: TreeId = TreeId(1);

fn options() -> Options {
    Options {
        wal: WalOptions { segment_len: 4096, ..WalOptions::default() },
        synchronous: Synchronous::Full,
        has_checkpoint_thread: false,
        checkpoints: None,
        busy_timeout: Duration::ZERO,
        ..Options::default()
    }
}

fn open(disk: &SimVfs, options: &Options) -> Result<Manager> {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    Manager::open(&vfs, Path::new("base.pando"), options)
}

fn put(manager: &Manager, head: HeadId, key: &[u8], value: &[u8]) -> Result<CommitId> {
    let mut transaction = manager.begin(head, BeginOptions::default())?;
    if transaction.tree_kind(T).is_none() {
        transaction.create_tree(T, TreeKind::Slotted)?;
    }
    transaction.put(T, key, value)?;
    transaction.commit()
}

fn all(manager: &Manager, head: HeadId) -> BTreeMap<Vec<u8>, Vec<u8>> {
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
