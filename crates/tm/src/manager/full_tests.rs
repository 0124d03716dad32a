//! A disk without room: reading goes on, commits are refused one by one, and once there is room
//! again all of it works, in the same process and in the next.
//!
//! Neighbours: `crash_tests` has a full disk at every single operation; here it stays full.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::vfs::SimVfs;

use super::tests::{all, open, options, put};
use super::*;
use crate::heads::MAIN;

/// More than anything here takes.
const ROOM: u64 = 1 << 20;

fn refused(manager: &Manager) {
    let error = put(manager, MAIN, b"refused", &[1; 3000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(error.to_string().contains("base.pando-wal-"), "it tells which file: {error}");
    assert!(manager.poisoned().is_none(), "nothing is unknown after it");
}

fn assert_is_whole(manager: &Manager) {
    let report = pandodb_ds::check::check(manager.store(), &mut |_| true).unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
}

#[test]
fn a_full_disk_refuses_commits_and_nothing_else() {
    for is_killed in [false, true] {
        let disk = SimVfs::new(1);
        let manager = open(&disk, &options()).unwrap();
        for number in 0..40_u32 {
            put(&manager, MAIN, &number.to_be_bytes(), b"value").unwrap();
        }
        let expected = all(&manager, MAIN);
        if is_killed {
            disk.kill_process();
            drop(manager);
        } else {
            manager.close().unwrap();
        }
        disk.set_capacity(Some(disk.used()));
        for life in 0..3 {
            let manager = open(&disk, &options()).unwrap();
            assert_eq!(all(&manager, MAIN), expected, "life {life}");
            for _ in 0..2 {
                let used = disk.used();
                refused(&manager);
                assert_eq!(all(&manager, MAIN), expected);
                assert!(disk.used() <= used, "what was refused leaves nothing");
            }
            // Somebody makes room, and it is full again after a commit.
            if life == 1 {
                disk.set_capacity(Some(ROOM));
                put(&manager, MAIN, b"refused", b"not any more").unwrap();
                assert_eq!(all(&manager, MAIN).len(), expected.len() + 1);
                let mut again = manager.begin(MAIN, BeginOptions::default()).unwrap();
                again.delete(crate::ids::TreeId(1), b"refused").unwrap();
                again.commit().unwrap();
                manager.checkpoint(CheckpointMode::Truncate).unwrap();
                disk.set_capacity(Some(disk.used()));
            }
            if life == 0 {
                disk.kill_process();
            }
        }
        disk.set_capacity(None);
        let manager = open(&disk, &options()).unwrap();
        put(&manager, MAIN, b"refused", b"not any more").unwrap();
        manager.close().unwrap();
        let manager = open(&disk, &options()).unwrap();
        assert_eq!(all(&manager, MAIN).len(), expected.len() + 1);
        assert_is_whole(&manager);
    }
}

#[test]
fn wherever_the_disk_becomes_full_all_that_was_committed_stays() {
    for free in (0..24_000).step_by(700) {
        let disk = SimVfs::new(free);
        let manager = open(&disk, &options()).unwrap();
        put(&manager, MAIN, b"first", b"value").unwrap();
        let mut expected = all(&manager, MAIN);
        disk.set_capacity(Some(disk.used() + free));
        let (mut refused, mut committed) = (0, 0);
        for number in 0..60_u32 {
            let key = number.to_be_bytes();
            match put(&manager, MAIN, &key, &[3; 200]) {
                Ok(_) => {
                    expected.insert(key.to_vec(), vec![3; 200]);
                    committed += 1;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                    refused += 1;
                }
            }
            if number % 9 == 8
                && let Err(error) = manager.checkpoint(CheckpointMode::Full)
            {
                assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                refused += 1;
            }
            assert_eq!(all(&manager, MAIN), expected, "with {free} at {number}");
        }
        assert!(refused > 0 || committed == 60, "with {free}");
        // Room again: this very process goes on.
        disk.set_capacity(Some(disk.used() + ROOM));
        put(&manager, MAIN, b"last", b"value").unwrap();
        manager.checkpoint(CheckpointMode::Truncate).unwrap();
        expected.insert(b"last".to_vec(), b"value".to_vec());
        assert_eq!(all(&manager, MAIN), expected);
        assert_is_whole(&manager);
        disk.kill_process();
        drop(manager);
        assert_eq!(all(&open(&disk, &options()).unwrap(), MAIN), expected);
    }
}
