//! Tests of moments: heads that a transaction comes to long after its begin.
//! Neighbours: `crate::isolation_tests` has what a level promises of one head.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::format::TreeKind;
use pandodb_testkit::Seeds;

use super::*;
use crate::ids::TreeId;
use crate::isolation::{BeginOptions, Isolation};
use crate::manager::{CheckpointMode, Manager};
use crate::options::Options;
use crate::transaction::Transaction;

const T: TreeId = TreeId(1);

/// A database with so many heads, all of them with a zero under one key.
fn database(count: usize) -> (Manager, Vec<HeadId>) {
    let vfs: Arc<dyn pandodb_ds::vfs::Vfs> = Arc::new(pandodb_ds::vfs::MemoryVfs::new());
    let manager = Manager::open(&vfs, std::path::Path::new("d"), &Options::default()).unwrap();
    let mut writer = manager.begin(MAIN, BeginOptions::default()).unwrap();
    writer.create_tree(T, TreeKind::Slotted).unwrap();
    writer.put(T, b"n", &[0]).unwrap();
    writer.commit().unwrap();
    let mut heads = vec![MAIN];
    while heads.len() < count {
        heads.push(manager.create_head(MAIN, b"").unwrap());
    }
    (manager, heads)
}

/// One commit that writes a value on several heads.
fn set(manager: &Manager, heads: &[HeadId], value: u8) {
    let mut writer = manager.begin(heads[0], BeginOptions::default()).unwrap();
    for head in heads {
        writer.enlist(*head).unwrap();
        writer.prepare_write().unwrap();
        writer.put(T, b"n", &[value]).unwrap();
    }
    writer.commit().unwrap();
}

fn keeping(manager: &Manager, isolation: Isolation) -> Transaction {
    let read_only = isolation == Isolation::Serializable;
    let options = BeginOptions { keeps_moment: true, read_only, ..BeginOptions::at(isolation) };
    manager.begin(MAIN, options).unwrap()
}

fn seen(transaction: &mut Transaction, head: HeadId) -> u8 {
    transaction.enlist_as_begun(head).unwrap();
    transaction.get(T, b"n").unwrap().unwrap()[0]
}

fn kept(manager: &Manager) -> usize {
    manager.kept_versions()
}

#[test]
fn heads_are_seen_at_the_begin_whenever_they_are_asked_for() {
    for isolation in [Isolation::Snapshot, Isolation::Concurrent, Isolation::Serializable] {
        let (manager, heads) = database(4);
        let mut reader = keeping(&manager, isolation);
        set(&manager, &heads, 1);
        manager.checkpoint(CheckpointMode::Full).unwrap();
        set(&manager, &heads[1..], 2);
        manager.drop_head(heads[2]).unwrap();
        manager.checkpoint(CheckpointMode::Full).unwrap();
        for head in &heads[..3] {
            assert_eq!(seen(&mut reader, *head), 0, "{isolation:?} {head:?}");
        }
        assert_eq!(seen(&mut keeping(&manager, isolation), heads[1]), 2, "{isolation:?}");
        let later = manager.create_head(heads[1], b"").unwrap();
        set(&manager, &[later], 7);
        assert_eq!(seen(&mut reader, later), 7, "{isolation:?}: it was not there");
        drop(reader);
        assert_eq!(kept(&manager), 0);
    }
}

#[test]
fn only_what_an_open_moment_needs_is_kept() {
    let (manager, heads) = database(3);
    for value in 0..20 {
        set(&manager, &heads, value);
    }
    assert_eq!(kept(&manager), 0, "no moment is open");
    let first = keeping(&manager, Isolation::Snapshot);
    for value in 0..20 {
        set(&manager, &heads[..2], value);
    }
    assert_eq!(kept(&manager), 2, "once for each head");
    let second = keeping(&manager, Isolation::Snapshot);
    set(&manager, &heads, 30);
    assert_eq!(kept(&manager), 5);
    drop(first);
    assert_eq!(kept(&manager), 3);
    drop(second);
    assert_eq!(kept(&manager), 0);
}

/// A write on the basis of the moment meets whoever came first.
#[test]
fn a_write_to_a_head_of_the_moment_conflicts_with_what_changed_since() {
    let (manager, heads) = database(3);
    for (index, is_dropped) in [(1, false), (2, true)] {
        let mut writer = keeping(&manager, Isolation::Snapshot);
        set(&manager, &heads[index..=index], 5);
        if is_dropped {
            manager.drop_head(heads[index]).unwrap();
        }
        writer.enlist_as_begun(heads[index]).unwrap();
        writer.prepare_write().unwrap();
        writer.put(T, b"n", &[9]).unwrap();
        let error = writer.commit().unwrap_err();
        let expected = if is_dropped { ErrorKind::NotFound } else { ErrorKind::Conflict };
        assert_eq!(error.kind(), expected, "{error}");
    }
}

/// Random commits, checkpoints, begins and reads beside a model that copies everything.
#[test]
fn random_moments_see_what_a_model_saw() {
    Seeds::first(40).run("random_moments_see_what_a_model_saw", |random| {
        let (manager, heads) = database(4);
        let mut model = vec![0_u8; heads.len()];
        let mut open: Vec<(Transaction, Vec<u8>)> = Vec::new();
        for step in 1..60_u8 {
            match random.u8(..6) {
                0 => open.push((keeping(&manager, Isolation::Concurrent), model.clone())),
                1 if !open.is_empty() => {
                    let place = random.usize(..open.len());
                    drop(open.swap_remove(place));
                }
                2 if !open.is_empty() => {
                    let place = random.usize(..open.len());
                    let head = random.usize(..heads.len());
                    let (reader, then) = &mut open[place];
                    assert_eq!(seen(reader, heads[head]), then[head]);
                }
                3 if random.bool() => manager.checkpoint(CheckpointMode::Full).map(drop).unwrap(),
                _ => {
                    let first = random.usize(..heads.len());
                    let end = first + 1 + random.usize(..heads.len() - first);
                    set(&manager, &heads[first..end], step);
                    model[first..end].fill(step);
                }
            }
        }
        for (reader, then) in &mut open {
            for (head, value) in heads.iter().zip(&*then) {
                assert_eq!(seen(reader, *head), *value);
            }
        }
        drop(open);
        assert_eq!(kept(&manager), 0);
    });
}
