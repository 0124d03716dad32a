//! Large transactions whose changes wait, against a map: spilled or not, logged or not, with
//! savepoints, looks in between, and read again after an opening.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use fastrand::Rng;
use pandodb_ds::format::TreeKind;
use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{SimVfs, Vfs};

use super::tests::contents;
use super::*;
use crate::heads::MAIN;
use crate::manager::Manager;
use crate::options::Options;

const TREES: [(TreeId, TreeKind); 2] =
    [(TreeId(1), TreeKind::Fixed), (TreeId(2), TreeKind::Slotted)];

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn key(kind: TreeKind, number: u64) -> Vec<u8> {
    match kind {
        TreeKind::Fixed => number.to_be_bytes().to_vec(),
        TreeKind::Slotted => format!("{}-{number}", number * 7 % 10).into_bytes(),
    }
}

/// A run of changes: new keys at the end, all keys of a part in order, or any keys.
fn change(transaction: &mut Transaction, models: &mut [Model; 2], most: u64, random: &mut Rng) {
    let at = random.usize(0..2);
    let (tree, kind) = TREES[at];
    let model = &mut models[at];
    let count = random.u64(1..most);
    let shape = random.u8(0..4);
    let first = if shape == 0 { 10_000 + model.len() as u64 } else { random.u64(0..3000) };
    for step in 0..count {
        let number = if shape == 3 { random.u64(0..4000) } else { first + step };
        let key = key(kind, number);
        if shape != 0 && random.u8(0..4) == 0 {
            transaction.delete_later(tree, &key).unwrap();
            model.remove(&key);
            continue;
        }
        let value = vec![random.u8(..); random.usize(0..200)];
        transaction.put_later(tree, &key, &value).unwrap();
        model.insert(key, value);
    }
}

fn look(transaction: &Transaction, models: &[Model; 2], random: &mut Rng) {
    let at = random.usize(0..2);
    let (tree, kind) = TREES[at];
    match random.u8(0..4) {
        0 => assert_eq!(transaction.len(tree).unwrap(), models[at].len() as u64),
        1 => assert_eq!(contents(transaction, tree).unwrap(), models[at]),
        _ => {
            let greatest = transaction.greatest_key(tree).unwrap();
            assert_eq!(greatest.as_ref(), models[at].keys().next_back());
            for _ in 0..20 {
                let key = key(kind, random.u64(0..12_000));
                let expected = models[at].get(&key);
                assert_eq!(transaction.contains(tree, &key).unwrap(), expected.is_some());
                assert_eq!(transaction.get(tree, &key).unwrap().as_ref(), expected);
            }
        }
    }
}

/// A statement that fails now and then, with others inside of it.
fn statement(transaction: &mut Transaction, models: &mut [Model; 2], random: &mut Rng) {
    let before = models.clone();
    let mark = transaction.statement_savepoint().unwrap();
    for _ in 0..random.usize(1..5) {
        match random.u8(0..12) {
            0 => look(transaction, models, random),
            1 => statement(transaction, models, random),
            2 => change(transaction, models, 900, random),
            _ => change(transaction, models, 12, random),
        }
    }
    if random.bool() {
        transaction.rollback_to(mark).unwrap();
        models.clone_from(&before);
        if random.u8(0..4) == 0 {
            change(transaction, models, 12, random);
            transaction.rollback_to(mark).unwrap();
            models.clone_from(&before);
        }
    }
    transaction.release(mark).unwrap();
}

fn run(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(seed));
    let options = Options {
        store: StoreOptions { cache_bytes: 40 << 20, ..StoreOptions::default() },
        spill_bytes: [64 << 10, 1 << 20, 64 << 20][random.usize(0..3)],
        large_transaction_bytes: [16 << 10, 256 << 10, 64 << 20][random.usize(0..3)],
        has_checkpoint_thread: false,
        ..Options::default()
    };
    let path = Path::new("database");
    let mut models = [Model::new(), Model::new()];
    let mut manager = Manager::open(&vfs, path, &options).unwrap();
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    for (tree, kind) in TREES {
        transaction.create_tree(tree, kind).unwrap();
    }
    transaction.commit().unwrap();
    for _ in 0..3 {
        let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
        let mut own = models.clone();
        let mut marks = Vec::new();
        for _ in 0..random.usize(1..25) {
            match random.u8(0..14) {
                10.. => statement(&mut transaction, &mut own, &mut random),
                0..6 => change(&mut transaction, &mut own, 900, &mut random),
                6..8 => look(&transaction, &own, &mut random),
                8 => marks.push((transaction.savepoint().unwrap(), own.clone())),
                _ if !marks.is_empty() => {
                    let at = random.usize(0..marks.len());
                    marks.truncate(at + 1);
                    transaction.rollback_to(marks[at].0).unwrap();
                    own.clone_from(&marks[at].1);
                }
                _ => {}
            }
        }
        if random.u8(0..4) > 0 {
            transaction.commit().unwrap();
            models = own;
        } else {
            transaction.rollback();
        }
        if random.bool() {
            drop(manager);
            manager = Manager::open(&vfs, path, &options).unwrap();
        }
        let reader = manager.begin(MAIN, BeginOptions::default()).unwrap();
        for (at, (tree, _)) in TREES.into_iter().enumerate() {
            assert!(contents(&reader, tree).unwrap() == models[at], "seed {seed}");
        }
    }
}

#[test]
fn large_transactions_of_waiting_changes_are_maps() {
    for seed in 0..24 {
        run(seed);
    }
}
