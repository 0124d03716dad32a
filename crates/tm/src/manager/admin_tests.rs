//! What is told about log and checkpoints, beside what really happened.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use super::tests::{open, options, put};
use super::*;
use crate::heads::MAIN;
use pandodb_ds::vfs::SimVfs;

#[test]
fn frames_are_counted_through_checkpoints_and_openings() {
    let disk = SimVfs::new(51);
    let manager = open(&disk, &options()).unwrap();
    assert_eq!(manager.last_checkpoint(), None);
    for number in 0..7_u32 {
        put(&manager, MAIN, &number.to_be_bytes(), b"value").unwrap();
    }
    assert_eq!(manager.log_frames(), 7, "a small transaction is one frame");
    disk.kill_process();
    drop(manager);
    let manager = open(&disk, &options()).unwrap();
    assert_eq!(manager.log_frames(), 7, "as many as were replayed");
    let told = manager.wal_checkpoint(CheckpointMode::Full).unwrap();
    assert_eq!(told, WalCheckpoint { is_busy: false, log_frames: 7, moved_frames: 7 });
    assert_eq!((manager.log_frames(), manager.log_bytes()), (0, 0));
    let last = manager.last_checkpoint().unwrap();
    assert_eq!((last.report.log_frames, last.report.commit), (7, CommitId(7)));
    put(&manager, MAIN, b"more", b"value").unwrap();
    assert_eq!(manager.log_frames(), 1);
}

#[test]
fn a_passive_checkpoint_beside_another_is_busy_and_moves_nothing() {
    let disk = SimVfs::new(52);
    let manager = open(&disk, &options()).unwrap();
    put(&manager, MAIN, b"key", b"value").unwrap();
    manager.shared.checkpoints.pretend_to_run(true);
    let told = manager.wal_checkpoint(CheckpointMode::Passive).unwrap();
    assert_eq!(told, WalCheckpoint { is_busy: true, log_frames: 1, moved_frames: 0 });
    manager.shared.checkpoints.pretend_to_run(false);
    let told = manager.wal_checkpoint(CheckpointMode::Passive).unwrap();
    assert_eq!(told, WalCheckpoint { is_busy: false, log_frames: 1, moved_frames: 1 });
}

#[test]
fn restart_and_truncate_give_up_segments_and_archive_mode_keeps_them() {
    let disk = SimVfs::new(53);
    let manager = open(&disk, &options()).unwrap();
    let fill = || {
        for number in 0..60_u32 {
            put(&manager, MAIN, &number.to_be_bytes(), &[7; 100]).unwrap();
        }
    };
    fill();
    let files = || manager.log_segments().unwrap().len();
    assert!(files() > 3, "several segments are in use");
    manager.checkpoint(CheckpointMode::Restart).unwrap();
    assert_eq!(files(), 0, "no segment holds anything");
    fill();
    manager.set_archive(true);
    assert!(manager.is_archive());
    let before = files();
    manager.checkpoint(CheckpointMode::Truncate).unwrap();
    assert_eq!(files(), before, "all are kept");
    manager.set_archive(false);
    manager.checkpoint(CheckpointMode::Truncate).unwrap();
    assert_eq!(files(), 0);
}

#[test]
fn checkpoints_by_themselves_follow_the_size_that_is_set() {
    let disk = SimVfs::new(54);
    let manager = open(&disk, &options()).unwrap();
    assert_eq!(manager.auto_checkpoint(), None);
    manager.set_auto_checkpoint(Some(1000));
    assert_eq!(manager.auto_checkpoint(), Some(1000));
    for number in 0..40_u32 {
        put(&manager, MAIN, &number.to_be_bytes(), &[7; 100]).unwrap();
    }
    assert!(manager.log_bytes() < 1200, "{}", manager.log_bytes());
    manager.set_auto_checkpoint(None);
    let before = manager.last_checkpoint().unwrap().report.number;
    for number in 0..40_u32 {
        put(&manager, MAIN, &number.to_be_bytes(), &[7; 100]).unwrap();
    }
    assert_eq!(manager.last_checkpoint().unwrap().report.number, before);
}

#[test]
fn a_database_in_memory_has_nothing_to_move() {
    let manager = Manager::open_in_memory(&Options::default()).unwrap();
    let told = manager.wal_checkpoint(CheckpointMode::Truncate).unwrap();
    assert_eq!(told, WalCheckpoint::default());
    assert!(manager.log_segments().unwrap().is_empty());
}
