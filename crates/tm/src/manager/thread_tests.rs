//! Many threads on one database: writers at every level, readers that stay, checkpoints without
//! end and a cache that holds next to nothing, so that every page is read from the file again.
//!
//! Money is moved between accounts; every version that anybody sees has all of it. A page that
//! was reused while a reader needed it is a checksum error or a wrong sum.
//! Neighbours: the loom models show the protocols in every order of steps, on a small scale.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use fastrand::Rng;
use pandodb_ds::format::TreeKind;
use pandodb_ds::sync::atomic::AtomicBool;
use pandodb_ds::sync::thread;
use pandodb_ds::vfs::SimVfs;

use super::*;
use crate::heads::MAIN;
use crate::ids::TreeId;
use crate::isolation::Isolation;

const ACCOUNTS: TreeId = TreeId(1);
const COUNT: u64 = 400;
const EACH: u64 = 1000;

fn open(disk: &SimVfs) -> Manager {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let options = Options {
        store: StoreOptions { page_bytes: 1024, cache_bytes: 16 << 10, ..StoreOptions::default() },
        checkpoints: Some(CheckpointPolicy { log_bytes: 6 << 10, ..CheckpointPolicy::default() }),
        wal: crate::wal::WalOptions { segment_len: 4 << 10, ..Default::default() },
        busy_timeout: Duration::from_secs(20),
        history: crate::history::Retention::NOTHING,
        ..Options::default()
    };
    Manager::open(&vfs, Path::new("bank.pando"), &options).unwrap()
}

fn value(amount: u64) -> Vec<u8> {
    let mut bytes = amount.to_le_bytes().to_vec();
    bytes.resize(40, amount as u8);
    bytes
}

fn amount(bytes: &[u8]) -> u64 {
    let amount = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    assert_eq!(bytes, value(amount), "a row is as it was written");
    amount
}

fn sum(transaction: &Transaction) -> Result<u64> {
    let mut cursor = transaction.cursor(ACCOUNTS)?;
    let mut sum = 0;
    let mut more = cursor.first()?;
    // Behind the accounts are the counters of the writers.
    while more && cursor.fixed_key().is_some_and(|key| key < COUNT) {
        sum += amount(&cursor.value()?.unwrap());
        more = cursor.next()?;
    }
    Ok(sum)
}

fn transfer(transaction: &mut Transaction, rng: &mut Rng) -> Result<()> {
    transaction.refresh()?;
    transaction.prepare_write()?;
    let [from, to] = [rng.u64(..COUNT).to_be_bytes(), rng.u64(..COUNT).to_be_bytes()];
    let balance = amount(&transaction.get(ACCOUNTS, &from)?.unwrap());
    let moved = rng.u64(..=balance.min(50));
    transaction.put(ACCOUNTS, &from, &value(balance - moved))?;
    let balance = amount(&transaction.get(ACCOUNTS, &to)?.unwrap());
    transaction.put(ACCOUNTS, &to, &value(balance + moved))?;
    Ok(())
}

/// Runs transfers until told to stop; returns how many were committed.
fn write(manager: &Manager, number: u64, stop: &AtomicBool) -> u64 {
    let mut rng = Rng::with_seed(number);
    let mut done = 0;
    let mut again = None;
    while !stop.load(Ordering::Relaxed) {
        let isolation = match rng.u8(..10) {
            0 => Isolation::Snapshot,
            1 => Isolation::Serializable,
            2..=5 => Isolation::Concurrent,
            _ => Isolation::ReadCommitted,
        };
        let options = BeginOptions { repeats: again, ..BeginOptions::at(isolation) };
        let mut transaction = manager.begin(MAIN, options).unwrap();
        let id = transaction.id();
        let outcome = (0..rng.u8(1..4))
            .try_for_each(|_| transfer(&mut transaction, &mut rng))
            .and_then(|()| {
                let counter = (COUNT + number).to_be_bytes();
                transaction.put(ACCOUNTS, &counter, &value(done + 1))
            })
            .and_then(|_| transaction.commit());
        match outcome {
            Ok(_) => {
                done += 1;
                again = None;
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                again = Some(again.unwrap_or(id));
            }
        }
    }
    done
}

#[test]
fn no_version_that_anybody_sees_lacks_anything() {
    let disk = SimVfs::new(5);
    let manager = Arc::new(open(&disk));
    let mut setup = manager.begin(MAIN, BeginOptions::default()).unwrap();
    setup.create_tree(ACCOUNTS, TreeKind::Fixed).unwrap();
    for account in 0..COUNT {
        setup.put(ACCOUNTS, &account.to_be_bytes(), &value(EACH)).unwrap();
    }
    setup.commit().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let (manager, stop) = (Arc::clone(&manager), Arc::clone(&stop));
            thread::spawn(move || write(&manager, number, &stop))
        })
        .collect();
    let forks = {
        let (manager, stop) = (Arc::clone(&manager), Arc::clone(&stop));
        thread::spawn(move || {
            let mut rng = Rng::with_seed(77);
            while !stop.load(Ordering::Relaxed) {
                let fork = if rng.bool() {
                    manager.fork_in_memory(MAIN, b"").unwrap()
                } else {
                    manager.create_head(MAIN, b"").unwrap()
                };
                let mut transaction = manager.begin(fork, BeginOptions::default()).unwrap();
                transfer(&mut transaction, &mut rng).unwrap();
                assert_eq!(sum(&transaction).unwrap(), COUNT * EACH);
                transaction.commit().unwrap();
                let reader = manager.begin(fork, BeginOptions::read_only()).unwrap();
                assert_eq!(sum(&reader).unwrap(), COUNT * EACH);
                manager.drop_head(fork).unwrap();
            }
        })
    };
    let mut rng = Rng::with_seed(9);
    let mut kept: Vec<Transaction> = Vec::new();
    for round in 0..150 {
        let isolation = [Isolation::ReadCommitted, Isolation::Snapshot];
        let options = BeginOptions { read_only: true, ..BeginOptions::at(isolation[round % 2]) };
        kept.push(manager.begin(MAIN, options).unwrap());
        if kept.len() > 6 {
            kept.swap_remove(rng.usize(..6));
        }
        for reader in &mut kept {
            reader.refresh().unwrap();
            assert_eq!(sum(reader).unwrap(), COUNT * EACH);
        }
    }
    stop.store(true, Ordering::Relaxed);
    forks.join().unwrap();
    let done: Vec<u64> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    assert!(done.iter().sum::<u64>() > 50, "{done:?} transactions");
    drop(kept);
    assert!(manager.background_error().is_none(), "{:?}", manager.background_error());
    assert!(manager.store().info().unwrap().checkpoints > 5);
    assert_eq!((manager.locks().len(), manager.snapshots().len()), (0, 0));
    let report = pandodb_ds::check::check(manager.store(), &mut |_| true).unwrap();
    assert!(report.is_clean(), "{report:?}");
    disk.kill_process();
    drop(manager);
    let manager = open(&disk);
    let reader = manager.begin(MAIN, BeginOptions::read_only()).unwrap();
    assert_eq!(sum(&reader).unwrap(), COUNT * EACH);
    for (number, done) in done.into_iter().enumerate() {
        let counter = reader.get(ACCOUNTS, &(COUNT + number as u64).to_be_bytes()).unwrap();
        assert_eq!(counter.map_or(0, |found| amount(&found)), done, "no commit is lost");
    }
}

#[test]
fn space_comes_back_when_the_last_reader_lets_go() {
    let disk = SimVfs::new(6);
    let manager = open(&disk);
    manager.set_checkpoint_policy(None);
    let fill = |byte: u8| {
        let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
        if transaction.tree_kind(ACCOUNTS).is_none() {
            transaction.create_tree(ACCOUNTS, TreeKind::Fixed).unwrap();
        }
        let mut rng = Rng::with_seed(byte.into());
        for account in 0..COUNT {
            let mut bytes = vec![0; 200];
            rng.fill(&mut bytes);
            transaction.put(ACCOUNTS, &account.to_be_bytes(), &bytes).unwrap();
        }
        transaction.commit().unwrap();
        manager.checkpoint(CheckpointMode::Full).unwrap();
    };
    fill(1);
    let reader = manager.begin(MAIN, BeginOptions::at(Isolation::Snapshot)).unwrap();
    let before = manager.store().info().unwrap().space;
    for byte in 2..12 {
        fill(byte);
    }
    let held = manager.store().info().unwrap().space;
    assert!(held.pending > 0, "the reader holds what it sees: {held:?}");
    assert_eq!(reader.len(ACCOUNTS).unwrap(), COUNT);
    drop(reader);
    fill(12);
    fill(13);
    let after = manager.store().info().unwrap().space;
    assert!(after.reachable() <= before.reachable() * 3 / 2, "{before:?} {after:?}");
    assert!(after.pending <= before.reachable() + 64, "{after:?}");
    assert_eq!(after.unattached, 0);
}
