//! What each level allows: one test for each anomaly, at every level.
//!
//! Two or three transactions take turns in one thread. A step that would have to wait for a lock
//! fails at once instead (the timeout is zero), and that transaction is rolled back: the level has
//! then kept the anomaly away. The table is that of `docs/transactions.md`. Neighbours:
//! `history_tests` looks for the same in random histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use crate::heads::MAIN;
use crate::transaction::tests::{T, in_memory};
use crate::{BeginOptions, Error, Isolation, Manager, Result, Transaction};

/// A database with `x = 10` and `y = 20`.
fn database() -> Manager {
    let manager = in_memory();
    let mut setup = manager.begin(MAIN, BeginOptions::default()).unwrap();
    write(&mut setup, b"x", 10).unwrap();
    write(&mut setup, b"y", 20).unwrap();
    setup.commit().unwrap();
    manager
}

fn begin(manager: &Manager, level: Isolation) -> Transaction {
    manager.begin(MAIN, BeginOptions::at(level)).unwrap()
}

/// A statement that reads a row.
fn read(transaction: &mut Transaction, key: &[u8]) -> Result<Option<u8>> {
    transaction.refresh()?;
    Ok(transaction.get(T, key)?.map(|value| value[0]))
}

/// A statement that reads all rows whose value `wanted` holds for.
fn select(transaction: &mut Transaction, wanted: impl Fn(u8) -> bool) -> Result<Vec<u8>> {
    transaction.refresh()?;
    let mut cursor = transaction.cursor(T)?;
    let mut found = Vec::new();
    let mut more = cursor.first()?;
    while more {
        found.extend(cursor.value()?.map(|value| value[0]).filter(|value| wanted(*value)));
        more = cursor.next()?;
    }
    Ok(found)
}

/// A statement that writes a row.
fn write(transaction: &mut Transaction, key: &[u8], value: u8) -> Result<()> {
    transaction.prepare_write()?;
    transaction.put(T, key, &[value]).map(drop)
}

fn committed(manager: &Manager, key: &[u8]) -> u8 {
    let reader = begin(manager, Isolation::ReadCommitted);
    reader.get(T, key).unwrap().unwrap()[0]
}

/// Whether an interleaving ended in its anomaly; an error is a transaction that was refused.
fn happens(outcome: Result<bool>) -> bool {
    outcome.unwrap_or_else(|error: Error| {
        assert!(error.is_retryable(), "{error}");
        false
    })
}

/// Tries an interleaving at every level; `allowed` as in the table, weakest level first.
fn check(name: &str, allowed: [bool; 5], attempt: impl Fn(&Manager, Isolation) -> Result<bool>) {
    for (level, allowed) in Isolation::ALL.into_iter().zip(allowed) {
        let manager = database();
        let happened = happens(attempt(&manager, level));
        // The interleaving is made so that an anomaly that is allowed does happen.
        assert_eq!(happened, allowed, "{name} at {level:?}");
        assert_eq!((manager.locks().len(), manager.snapshots().len()), (0, 0));
    }
}

// Columns: READ UNCOMMITTED, READ COMMITTED, SNAPSHOT, CONCURRENT, SERIALIZABLE.
const NEVER: [bool; 5] = [false; 5];
const DIRTY: [bool; 5] = [true, false, false, false, false];
const FUZZY: [bool; 5] = [true, true, false, false, false];
const SKEWED: [bool; 5] = [true, true, true, true, false];

#[test]
fn g0_dirty_writes_never_mix() {
    check("G0", NEVER, |manager, level| {
        let mut first = begin(manager, level);
        let mut second = begin(manager, level);
        write(&mut first, b"x", 11)?;
        write(&mut second, b"x", 12)?;
        write(&mut first, b"y", 21)?;
        first.commit()?;
        write(&mut second, b"y", 22)?;
        second.commit()?;
        Ok((committed(manager, b"x"), committed(manager, b"y")) != (12, 22))
    });
}

#[test]
fn g1a_aborted_writes_are_read_only_uncommitted() {
    check("G1a", DIRTY, |manager, level| {
        let mut reader = begin(manager, level);
        let mut writer = begin(manager, level);
        write(&mut writer, b"x", 11)?;
        let found = read(&mut reader, b"x")?;
        writer.rollback();
        let again = read(&mut reader, b"x")?;
        reader.commit()?;
        Ok(found == Some(11) && again == Some(10))
    });
}

#[test]
fn g1b_intermediate_writes_are_read_only_uncommitted() {
    check("G1b", DIRTY, |manager, level| {
        let mut reader = begin(manager, level);
        let mut writer = begin(manager, level);
        write(&mut writer, b"x", 11)?;
        let found = read(&mut reader, b"x")?;
        write(&mut writer, b"x", 12)?;
        writer.commit()?;
        reader.commit()?;
        Ok(found == Some(11))
    });
}

#[test]
fn g1c_information_does_not_flow_in_a_circle() {
    check("G1c", DIRTY, |manager, level| {
        let mut first = begin(manager, level);
        let mut second = begin(manager, level);
        write(&mut first, b"x", 11)?;
        let by_second = read(&mut second, b"x")?;
        // The second one writes what the first one reads; at a level with one writer it waits.
        let wrote = write(&mut second, b"y", 22);
        let by_first = read(&mut first, b"y")?;
        if wrote.is_err() {
            // Still a dirty read, the half of the circle that one writer leaves.
            drop(second);
            first.commit()?;
            return Ok(by_second == Some(11));
        }
        first.commit()?;
        second.commit()?;
        Ok(by_first == Some(22) && by_second == Some(11))
    });
}

#[test]
fn otv_an_observed_transaction_does_not_vanish() {
    check("OTV", DIRTY, |manager, level| {
        let mut reader = begin(manager, level);
        let mut first = begin(manager, level);
        write(&mut first, b"x", 11)?;
        write(&mut first, b"y", 21)?;
        let seen = read(&mut reader, b"x")?;
        first.rollback();
        let mut second = begin(manager, level);
        write(&mut second, b"y", 22)?;
        second.commit()?;
        let later = read(&mut reader, b"y")?;
        reader.commit()?;
        Ok(seen == Some(11) && later != Some(21))
    });
}

#[test]
fn pmp_a_predicate_sees_one_moment() {
    check("PMP", FUZZY, |manager, level| {
        let mut reader = begin(manager, level);
        let mut writer = begin(manager, level);
        let before = select(&mut reader, |value| value == 30)?;
        write(&mut writer, b"z", 30)?;
        writer.commit()?;
        let after = select(&mut reader, |value| value == 30)?;
        reader.commit()?;
        Ok(before.is_empty() && after == [30])
    });
}

#[test]
fn p4_updates_are_not_lost_from_snapshot_on() {
    check("P4", FUZZY, |manager, level| {
        let mut first = begin(manager, level);
        let mut second = begin(manager, level);
        let by_first = read(&mut first, b"x")?.unwrap();
        let by_second = read(&mut second, b"x")?.unwrap();
        write(&mut first, b"x", by_first + 1)?;
        first.commit()?;
        write(&mut second, b"x", by_second + 1)?;
        second.commit()?;
        Ok(committed(manager, b"x") == 11)
    });
}

#[test]
fn g_single_reads_are_of_one_moment_from_snapshot_on() {
    check("G-single", FUZZY, |manager, level| {
        let mut reader = begin(manager, level);
        let mut writer = begin(manager, level);
        let x = read(&mut reader, b"x")?;
        write(&mut writer, b"x", 12)?;
        write(&mut writer, b"y", 18)?;
        writer.commit()?;
        let y = read(&mut reader, b"y")?;
        reader.commit()?;
        Ok((x, y) == (Some(10), Some(18)))
    });
}

#[test]
fn g2_item_writes_are_skewed_below_serializable() {
    check("G2-item", SKEWED, |manager, level| {
        let mut first = begin(manager, level);
        let mut second = begin(manager, level);
        let sum = |transaction: &mut Transaction| -> Result<u8> {
            Ok(read(transaction, b"x")?.unwrap() + read(transaction, b"y")?.unwrap())
        };
        let (by_first, by_second) = (sum(&mut first)?, sum(&mut second)?);
        write(&mut first, b"x", 0)?;
        first.commit()?;
        write(&mut second, b"y", 0)?;
        second.commit()?;
        Ok(by_first == 30 && by_second == 30)
    });
}

#[test]
fn g2_phantoms_come_in_below_serializable() {
    check("G2", SKEWED, |manager, level| {
        let mut first = begin(manager, level);
        let mut second = begin(manager, level);
        let by_first = select(&mut first, |value| value % 3 == 0)?;
        let by_second = select(&mut second, |value| value % 3 == 0)?;
        write(&mut first, b"a", 30)?;
        first.commit()?;
        write(&mut second, b"b", 42)?;
        second.commit()?;
        Ok(by_first.is_empty() && by_second.is_empty())
    });
}

/// One statement that reads and writes loses nothing at the default level either.
#[test]
fn a_statement_that_prepares_to_write_reads_what_is_newest() {
    let manager = database();
    let mut stale = begin(&manager, Isolation::ReadCommitted);
    assert_eq!(read(&mut stale, b"x").unwrap(), Some(10));
    let mut other = begin(&manager, Isolation::ReadCommitted);
    write(&mut other, b"x", 11).unwrap();
    other.commit().unwrap();
    stale.prepare_write().unwrap();
    let found = stale.get(T, b"x").unwrap().unwrap()[0];
    write(&mut stale, b"x", found + 1).unwrap();
    stale.commit().unwrap();
    assert_eq!(committed(&manager, b"x"), 12);
}

/// Writers of other rows commit while a concurrent transaction is open; it rebases on them.
#[test]
fn concurrent_writers_of_different_rows_both_commit() {
    let manager = database();
    let mut first = begin(&manager, Isolation::Concurrent);
    let mut second = begin(&manager, Isolation::Concurrent);
    write(&mut first, b"x", 11).unwrap();
    write(&mut second, b"y", 21).unwrap();
    let savepoint = second.savepoint().unwrap();
    write(&mut second, b"z", 99).unwrap();
    second.rollback_to(savepoint).unwrap();
    first.commit().unwrap();
    second.commit().unwrap();
    assert_eq!((committed(&manager, b"x"), committed(&manager, b"y")), (11, 21));
    assert!(begin(&manager, Isolation::ReadCommitted).get(T, b"z").unwrap().is_none());
}

/// What a constraint was checked against can be made a part of the conflict check.
#[test]
fn dependencies_make_skewed_writes_conflict() {
    for range in [false, true] {
        let manager = database();
        let mut child = begin(&manager, Isolation::Concurrent);
        assert!(child.contains(T, b"x").unwrap());
        if range {
            child.depend_on_range(T, b"w", Some(b"y"));
        } else {
            child.depend_on(T, b"x");
        }
        write(&mut child, b"child", 1).unwrap();
        let mut parent = begin(&manager, Isolation::Concurrent);
        parent.delete(T, b"x").unwrap();
        parent.commit().unwrap();
        let error = child.commit().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Conflict);
        assert!(error.to_string().contains("0x78"), "names the key: {error}");
        let mut other = begin(&manager, Isolation::Concurrent);
        other.depend_on_range(T, b"a", Some(b"b"));
        write(&mut other, b"other", 1).unwrap();
        let mut unrelated = begin(&manager, Isolation::Concurrent);
        write(&mut unrelated, b"b", 1).unwrap();
        unrelated.commit().unwrap();
        other.commit().unwrap();
    }
}

/// A serializable transaction follows the head: what it locks late is what is newest.
/// A row that a serializable transaction has read stays as it was, also where another lets the
/// head stand elsewhere: what is done with the row would not fit the one that is there then.
#[test]
fn a_reset_waits_for_who_has_read_rows() {
    for resets_at in Isolation::ALL {
        let manager = database();
        let mut setup = begin(&manager, Isolation::ReadCommitted);
        let before = setup.create_head(MAIN, b"").unwrap();
        setup.commit().unwrap();
        let mut later = begin(&manager, Isolation::ReadCommitted);
        write(&mut later, b"x", 11).unwrap();
        later.commit().unwrap();

        let mut reader = begin(&manager, Isolation::Serializable);
        assert_eq!(read(&mut reader, b"x").unwrap(), Some(11));
        let mut mover = begin(&manager, resets_at);
        mover.reset_head(MAIN, before).unwrap();
        let error = mover.commit().unwrap_err();
        assert!(error.is_retryable(), "{resets_at:?}: {error}");
        write(&mut reader, b"y", 21).unwrap();
        assert_eq!(read(&mut reader, b"x").unwrap(), Some(11));
        reader.commit().unwrap();

        let mut mover = begin(&manager, resets_at);
        mover.reset_head(MAIN, before).unwrap();
        mover.commit().unwrap();
        assert_eq!((committed(&manager, b"x"), committed(&manager, b"y")), (10, 20));
        assert_eq!((manager.locks().len(), manager.snapshots().len()), (0, 0));
    }
}

#[test]
fn serializable_reads_are_of_the_moment_of_their_locks() {
    let manager = database();
    let mut first = begin(&manager, Isolation::Serializable);
    write(&mut first, b"own", 1).unwrap();
    let savepoint = first.savepoint().unwrap();
    let mut other = begin(&manager, Isolation::ReadCommitted);
    write(&mut other, b"x", 11).unwrap();
    other.commit().unwrap();
    assert_eq!(read(&mut first, b"x").unwrap(), Some(11));
    write(&mut first, b"own", 2).unwrap();
    first.rollback_to(savepoint).unwrap();
    assert_eq!(read(&mut first, b"own").unwrap(), Some(1));
    let mut late = begin(&manager, Isolation::ReadCommitted);
    write(&mut late, b"x", 12).unwrap();
    let error = late.commit().unwrap_err();
    assert!(error.is_retryable(), "what was read stays as it was: {error}");
    first.commit().unwrap();
    assert_eq!((committed(&manager, b"x"), committed(&manager, b"own")), (11, 1));
}

/// Reads a range in ways of all kinds.
fn read_range(transaction: &Transaction, way: u8, from: &[u8], to: &[u8]) -> Result<()> {
    let mut cursor = transaction.cursor(T)?;
    match way {
        0 => {
            cursor.limit(from, Some(to));
            let mut more = cursor.seek(from)?;
            while more && cursor.key().as_slice() < to {
                more = cursor.next()?;
            }
        }
        1 => {
            cursor.limit(from, Some(to));
            let mut more = cursor.seek_before(Some(to))?;
            while more && cursor.key().as_slice() >= from {
                more = cursor.previous()?;
            }
        }
        2 => {
            let (from, to) = (std::ops::Bound::Included(from), std::ops::Bound::Excluded(to));
            transaction.count_range(T, from, to)?;
        }
        _ => {
            // Somebody who goes through whole pages, within what was said.
            cursor.limit(from, Some(to));
            let pages: &mut pandodb_ds::tree::Cursor = &mut cursor;
            pages.seek(from)?;
        }
    }
    Ok(())
}

const WAYS: u8 = 4;

/// Whoever reads a range and writes in it does not get in the way of the same in another range.
#[test]
fn serializable_writers_of_disjoint_ranges_both_commit() {
    for way in 0..WAYS {
        let manager = database();
        let mut first = begin(&manager, Isolation::Serializable);
        let mut second = begin(&manager, Isolation::Serializable);
        read_range(&first, way, b"a", b"m").unwrap();
        read_range(&second, way, b"m", b"z").unwrap();
        write(&mut first, b"b", 1).unwrap();
        write(&mut second, b"m", 2).unwrap();
        write(&mut first, b"lz", 3).unwrap();
        write(&mut second, b"x", 4).unwrap();
        first.commit().unwrap();
        read_range(&second, way, b"m", b"y").unwrap();
        second.commit().unwrap();
        assert_eq!((committed(&manager, b"b"), committed(&manager, b"x")), (1, 4));
    }
}

/// A row that comes into a range, leaves it or changes in it makes the reader's commit fail.
#[test]
fn a_phantom_in_a_serializable_range_is_a_conflict() {
    for way in 0..WAYS {
        for change in 0..3 {
            let manager = database();
            let mut reader = begin(&manager, Isolation::Serializable);
            read_range(&reader, way, b"m", b"y").unwrap();
            let mut other = begin(&manager, Isolation::ReadCommitted);
            match change {
                0 => write(&mut other, b"n", 1).unwrap(),
                1 => write(&mut other, b"x", 1).unwrap(),
                _ => drop(other.delete(T, b"x").unwrap()),
            }
            other.commit().unwrap();
            // Elsewhere in the tree: the transaction moves, and looks at what it has read.
            let outcome = write(&mut reader, b"a", 1).and_then(|()| reader.commit());
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Conflict, "way {way}, change {change}");
        }
        // The ends are as they were said: what lies at them is not meant.
        let manager = database();
        let mut reader = begin(&manager, Isolation::Serializable);
        read_range(&reader, way, b"m", b"x").unwrap();
        let mut other = begin(&manager, Isolation::ReadCommitted);
        write(&mut other, b"x", 1).unwrap();
        write(&mut other, b"lz", 1).unwrap();
        other.commit().unwrap();
        write(&mut reader, b"a", 1).unwrap();
        reader.commit().unwrap();
    }
}

/// A cursor goes on in the version that it was made on, while its transaction has moved.
#[test]
fn what_a_stale_cursor_reads_late_is_looked_at_too() {
    for writes in [false, true] {
        let manager = database();
        let mut reader = begin(&manager, Isolation::Serializable);
        let mut cursor = reader.cursor(T).unwrap();
        assert!(cursor.first().unwrap());
        let mut other = begin(&manager, Isolation::ReadCommitted);
        write(&mut other, b"y", 21).unwrap();
        write(&mut other, b"z", 1).unwrap();
        other.commit().unwrap();
        // Behind what the cursor has read: the transaction sees what is new.
        assert_eq!(read(&mut reader, b"z").unwrap(), Some(1));
        assert!(cursor.next().unwrap());
        assert_eq!(cursor.value().unwrap().unwrap()[0], 20);
        if writes {
            write(&mut reader, b"a", 1).unwrap();
        }
        let error = reader.commit().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Conflict, "writes {writes}");
    }
}

/// Who says that it only reads sees one moment, holds no lock and never fails.
#[test]
fn a_serializable_reader_that_only_reads_is_in_nobodys_way() {
    let manager = database();
    let options = BeginOptions { isolation: Isolation::Serializable, ..BeginOptions::read_only() };
    let reader = manager.begin(MAIN, options).unwrap();
    let sum = |reader: &Transaction| {
        let x = reader.get(T, b"x").unwrap().unwrap()[0];
        read_range(reader, 0, b"a", b"z").unwrap();
        x + reader.get(T, b"y").unwrap().unwrap()[0]
    };
    assert_eq!(sum(&reader), 30);
    assert!(manager.locks().is_empty());
    let mut other = begin(&manager, Isolation::ReadCommitted);
    write(&mut other, b"x", 11).unwrap();
    write(&mut other, b"y", 19).unwrap();
    other.commit().unwrap();
    assert_eq!(sum(&reader), 30);
    reader.commit().unwrap();
}

/// What a constraint was checked against holds at the commit, at all levels that see one moment.
#[test]
fn what_a_check_has_seen_holds_at_the_commit() {
    for level in [Isolation::Snapshot, Isolation::Concurrent, Isolation::Serializable] {
        for (looks_at, changed, conflicts) in
            [(0, b"ka", true), (1, b"ka", true), (0, b"la", false)]
        {
            let manager = database();
            let mut first = begin(&manager, level);
            first.begin_check();
            if looks_at == 0 {
                let mut cursor = first.cursor(T).unwrap();
                cursor.limit(b"k", Some(b"l"));
                assert!(cursor.seek(b"k").unwrap());
            } else {
                assert!(!first.contains(T, b"ka").unwrap());
            }
            first.end_check();
            // What is read for other reasons does not count, but where everything does.
            if level != Isolation::Serializable {
                first.cursor(T).unwrap().first().unwrap();
            }
            let mut second = begin(&manager, Isolation::Concurrent);
            let outcome = write(&mut second, changed, 1).and_then(|()| second.commit().map(drop));
            let outcome = outcome.and_then(|()| write(&mut first, b"a", 1));
            let outcome = outcome.and_then(|()| first.commit());
            assert_eq!(outcome.is_err(), conflicts, "{level:?}, {changed:?}");
            let is_retryable = outcome.err().is_none_or(|error| error.is_retryable());
            assert!(is_retryable);
        }
    }
}
