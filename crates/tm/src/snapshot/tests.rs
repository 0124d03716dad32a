//! The table of pins, by one thread and by many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::sync::thread;

use super::*;

#[test]
fn the_oldest_pin_bounds_and_pins_are_reused() {
    let table = Snapshots::new();
    assert_eq!(table.oldest(9), 9);
    let five = table.pin(|| 5).unwrap();
    let seven = table.pin(|| 7).unwrap();
    assert_eq!((table.oldest(9), table.oldest(3), table.count()), (5, 3, 2));
    five.renew(|| 8);
    assert_eq!(table.oldest(9), 7);
    drop(seven);
    assert_eq!(table.oldest(9), 8);
    drop(five);
    assert_eq!((table.oldest(9), table.count()), (9, 0));
}

#[test]
fn a_shared_pin_stays_until_all_have_let_go() {
    let table = Snapshots::new();
    let pin = table.pin(|| 5).unwrap();
    let shared = pin.share();
    assert!(!pin.is_alone());
    drop(pin);
    assert_eq!((table.oldest(9), table.count()), (5, 1));
    assert!(shared.is_alone());
    drop(shared);
    assert_eq!((table.oldest(9), table.count()), (9, 0));
}

#[test]
fn ten_thousand_snapshots_are_open_at_once() {
    let table = Snapshots::new();
    let pins: Vec<_> = (0..10_000).map(|epoch| table.pin(|| epoch + 1).unwrap()).collect();
    assert_eq!((table.count(), table.oldest(20_000)), (10_000, 1));
    for (index, pin) in pins.into_iter().enumerate() {
        assert_eq!(pin.epoch(), index as u64 + 1);
        drop(pin);
    }
    assert_eq!(table.count(), 0);
}

#[test]
fn the_listing_tells_who_reads_what_for_how_long() {
    let table = Snapshots::new();
    let late = table.pin(|| 5).unwrap();
    late.describe(TransactionId(4), HeadId(1), CommitId(8), Some(Duration::from_secs(9)));
    let early = table.pin(|| 5).unwrap();
    early.describe(TransactionId(3), HeadId(2), CommitId(7), Some(Duration::from_secs(2)));
    let view = table.view(Duration::from_secs(10));
    assert_eq!(view.len(), 2);
    assert_eq!((view[0].transaction, view[0].age), (TransactionId(3), Duration::from_secs(8)));
    assert_eq!((view[1].head, view[1].commit), (HeadId(1), CommitId(8)));
}

#[test]
fn a_snapshot_without_a_date_gets_one_when_it_is_looked_at() {
    let ages = |table: &Snapshots, now| -> Vec<u64> {
        let view = table.view(Duration::from_secs(now));
        view.iter().map(|snapshot| snapshot.age.as_secs()).collect()
    };
    let table = Snapshots::new();
    let pin = table.pin(|| 5).unwrap();
    pin.describe(TransactionId(4), HeadId(1), CommitId(8), None);
    assert_eq!(ages(&table, 10), [0]);
    assert_eq!(ages(&table, 13), [3]);
    pin.date(Duration::from_secs(20));
    assert_eq!(ages(&table, 21), [11], "who has a date keeps it");
    pin.describe(TransactionId(5), HeadId(1), CommitId(8), None);
    pin.date(Duration::from_secs(20));
    assert_eq!(ages(&table, 21), [1]);
}

#[test]
fn threads_never_share_a_slot() {
    let table = Snapshots::new();
    let threads: Vec<_> = (0..4_u64)
        .map(|number| {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                for round in 0..2_000 {
                    let epoch = number * 10_000 + round;
                    let pin = table.pin(|| epoch).unwrap();
                    assert!(table.oldest(u64::MAX) <= epoch);
                    assert_eq!(pin.epoch(), epoch);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(table.count(), 0);
}
