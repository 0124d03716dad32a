//! What a transaction does by itself, against a model: a map per head.
//!
//! Neighbours: `manager::tests` has many transactions, crashes and recovery.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::ops::Bound;

use pandodb_ds::format::TreeKind;
use pandodb_ds::tree::Tree;
use proptest::prelude::*;

use super::*;
use crate::heads::MAIN;
use crate::manager::Manager;
use crate::options::Options;

pub(crate) const T: TreeId = TreeId(1);

/// A database in memory with one tree.
pub(crate) fn in_memory() -> Manager {
    let options = Options { busy_timeout: Duration::ZERO, ..Options::default() };
    let manager = Manager::open_in_memory(&options).unwrap();
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    transaction.create_tree(T, TreeKind::Slotted).unwrap();
    transaction.commit().unwrap();
    manager
}

/// Everything in a tree, read by a cursor.
pub(crate) fn contents(transaction: &Transaction, tree: TreeId) -> Result<Model> {
    let mut cursor = transaction.cursor(tree)?;
    let mut found = BTreeMap::new();
    let mut more = cursor.first()?;
    while more {
        found.insert(cursor.key(), cursor.value()?.unwrap());
        more = cursor.next()?;
    }
    Ok(found)
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u16),
    Insert(u8, u16),
    Delete(u8),
    DeleteRange(u8, u8),
    /// From a key on in steps, so many: puts of a length, or removals.
    Later(u8, u8, u8, Option<u16>),
    Look(u8),
    Savepoint,
    LightSavepoint,
    RollbackTo(u8),
    Release(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<u8>(), 0_u16..600).prop_map(|(key, len)| Step::Put(key, len)),
        2 => (any::<u8>(), 0_u16..600).prop_map(|(key, len)| Step::Insert(key, len)),
        3 => any::<u8>().prop_map(Step::Delete),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(from, to)| Step::DeleteRange(from, to)),
        5 => (any::<u8>(), any::<u8>(), 0_u8..40, proptest::option::of(0_u16..90))
            .prop_map(|(key, step, count, len)| Step::Later(key, step, count, len)),
        3 => any::<u8>().prop_map(Step::Look),
        2 => Just(Step::Savepoint),
        2 => Just(Step::LightSavepoint),
        1 => any::<u8>().prop_map(Step::RollbackTo),
        1 => any::<u8>().prop_map(Step::Release),
    ]
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A change that may wait, of a key that need not be there.
fn later(transaction: &mut Transaction, model: &mut Model, key: [u8; 1], len: Option<u16>) {
    if let Some(len) = len {
        let value = vec![key[0] ^ 2; len.into()];
        transaction.put_later(T, &key, &value).unwrap();
        model.insert(key.to_vec(), value);
    } else {
        transaction.delete_later(T, &key).unwrap();
        model.remove(&key[..]);
    }
}

enum Mark {
    Whole(Savepoint),
    Light(LightSavepoint),
}

fn run(transaction: &mut Transaction, model: &mut Model, steps: &[Step]) {
    let mut marks: Vec<(Mark, Model)> = Vec::new();
    for step in steps {
        match *step {
            Step::Put(key, len) => {
                let value = vec![key; len.into()];
                let existed = transaction.put(T, &[key], &value).unwrap();
                assert_eq!(model.insert(vec![key], value).is_some(), existed);
            }
            Step::Insert(key, len) => {
                let value = vec![key ^ 1; len.into()];
                let added = transaction.insert(T, &[key], &value).unwrap();
                assert_eq!(added, !model.contains_key(&vec![key]));
                model.entry(vec![key]).or_insert(value);
            }
            Step::Delete(key) => {
                let existed = transaction.delete(T, &[key]).unwrap();
                assert_eq!(model.remove(&vec![key]).is_some(), existed);
            }
            Step::DeleteRange(from, to) if from <= to => {
                let removed = transaction.delete_range(T, &[from], Some(&[to])).unwrap();
                let before = model.len();
                model.retain(|key, _| key[0] < from || key[0] >= to);
                assert_eq!(removed, (before - model.len()) as u64);
            }
            Step::DeleteRange(..) => {}
            Step::Later(key, by, count, len) => {
                for number in 0..count {
                    let key = [key.wrapping_add(by.wrapping_mul(number))];
                    // Large values do not wait.
                    let len = len.map(|len| if number == 20 { 9000 } else { len });
                    later(transaction, model, key, len);
                }
                continue;
            }
            Step::Look(key) => {
                let key = [key];
                assert_eq!(transaction.contains(T, &key).unwrap(), model.contains_key(&key[..]));
                let value = transaction.get(T, &key).unwrap();
                assert_eq!(value.as_ref(), model.get(&key[..]));
                let greatest = transaction.greatest_key(T).unwrap();
                assert_eq!(greatest.as_ref(), model.keys().next_back());
                continue;
            }
            Step::Savepoint => {
                marks.push((Mark::Whole(transaction.savepoint().unwrap()), model.clone()));
            }
            Step::LightSavepoint => {
                marks.push((Mark::Light(transaction.light_savepoint().unwrap()), model.clone()));
            }
            Step::RollbackTo(at) if !marks.is_empty() => {
                let at = usize::from(at) % marks.len();
                marks.truncate(at + 1);
                match &marks[at].0 {
                    Mark::Whole(savepoint) => transaction.rollback_to(*savepoint).unwrap(),
                    Mark::Light(savepoint) => transaction.rollback_to_light(savepoint).unwrap(),
                }
                *model = marks[at].1.clone();
            }
            Step::Release(at) if !marks.is_empty() => {
                let at = usize::from(at) % marks.len();
                if let Mark::Whole(savepoint) = marks[at].0 {
                    transaction.release(savepoint).unwrap();
                }
                marks.truncate(at);
            }
            Step::RollbackTo(_) | Step::Release(_) => {}
        }
        assert_eq!(transaction.len(T).unwrap(), model.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_transaction_is_a_map_and_its_commit_or_rollback_is_whole(
        rounds in proptest::collection::vec(
            (proptest::collection::vec(step(), 0..40), any::<bool>(), 0_usize..5),
            1..6,
        ),
    ) {
        let manager = in_memory();
        let mut model = Model::new();
        for (steps, commits, level) in rounds {
            let options = BeginOptions::at(Isolation::ALL[level]);
            let mut transaction = manager.begin(MAIN, options).unwrap();
            let mut own = model.clone();
            run(&mut transaction, &mut own, &steps);
            prop_assert_eq!(&contents(&transaction, T).unwrap(), &own);
            let reader = manager.begin(MAIN, BeginOptions::default()).unwrap();
            prop_assert_eq!(&contents(&reader, T).unwrap(), &model, "nothing is seen before");
            if commits {
                transaction.commit().unwrap();
                model = own;
            }
            let reader = manager.begin(MAIN, BeginOptions::default()).unwrap();
            prop_assert_eq!(&contents(&reader, T).unwrap(), &model);
        }
        prop_assert_eq!(manager.locks().len(), 0);
        prop_assert_eq!(manager.snapshots().len(), 0);
    }
}

#[test]
fn a_transaction_that_is_dropped_or_panics_leaves_nothing() {
    let manager = in_memory();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
        transaction.put(T, b"a", &vec![1; 100_000]).unwrap();
        assert_eq!((manager.locks().len(), manager.snapshots().len()), (1, 1));
        panic!("as a user's function may");
    }));
    outcome.unwrap_err();
    assert_eq!((manager.locks().len(), manager.snapshots().len()), (0, 0));
    let info = manager.store().info().unwrap();
    assert_eq!(info.space.unattached, 0);
    let mut next = manager.begin(MAIN, BeginOptions::default()).unwrap();
    next.put(T, b"a", b"b").unwrap();
    next.commit().unwrap();
}

#[test]
fn cursors_keep_what_they_saw_whatever_their_transaction_does() {
    let manager = in_memory();
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    for key in 0..100_u8 {
        transaction.put(T, &[key], &[key; 300]).unwrap();
    }
    let mut cursor = transaction.cursor(T).unwrap();
    assert!(cursor.first().unwrap());
    transaction.delete_range(T, &[], None).unwrap();
    transaction.commit().unwrap();
    let mut count = 1;
    while cursor.next().unwrap() {
        count += 1;
    }
    assert_eq!((count, manager.snapshots().len()), (100, 1));
    drop(cursor);
    assert_eq!(manager.snapshots().len(), 0);
}

#[test]
fn counts_ranks_and_positions_are_those_of_the_own_version() {
    let manager = in_memory();
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    for key in 0..100_u8 {
        transaction.put(T, &[key], &[]).unwrap();
    }
    let (lower, upper) = (Bound::Included(&[10][..]), Bound::Excluded(&[20][..]));
    assert_eq!(transaction.count_range(T, lower, upper).unwrap(), 10);
    assert_eq!(transaction.rank(T, &[42]).unwrap(), 42);
    assert_eq!(transaction.nth(T, 7).unwrap(), Some(vec![7]));
    assert_eq!(transaction.nth(T, 100).unwrap(), None);
    assert!(transaction.get_with(T, &[5], |found| found.is_some()).unwrap());
}

#[test]
fn several_heads_change_in_one_commit() {
    let manager = in_memory();
    let other = manager.create_head(MAIN, b"other").unwrap();
    let mut transaction = manager.begin_many(&[MAIN, other], BeginOptions::default()).unwrap();
    transaction.put(T, b"key", b"main").unwrap();
    transaction.use_head(other).unwrap();
    let savepoint = transaction.savepoint().unwrap();
    transaction.put(T, b"key", b"lost").unwrap();
    transaction.rollback_to(savepoint).unwrap();
    transaction.put(T, b"key", b"other").unwrap();
    let third = transaction.create_head(other, b"third").unwrap();
    let commit = transaction.commit().unwrap();
    for (head, expected) in [(MAIN, b"main".as_slice()), (other, b"other"), (third, b"other")] {
        assert_eq!(manager.head(head).unwrap().commit, commit);
        let reader = manager.begin(head, BeginOptions::read_only()).unwrap();
        assert_eq!(reader.get(T, b"key").unwrap().as_deref(), Some(expected));
    }
}

#[test]
fn heads_are_made_reset_described_and_dropped() {
    let manager = in_memory();
    let fork = manager.create_head(MAIN, b"fork").unwrap();
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    transaction.put(T, b"key", b"value").unwrap();
    transaction.commit().unwrap();
    let reader = manager.begin(fork, BeginOptions::default()).unwrap();
    assert_eq!(reader.get(T, b"key").unwrap(), None, "a fork is a version, not a view");
    let mut transaction = manager.begin(MAIN, BeginOptions::default()).unwrap();
    transaction.reset_head(fork, MAIN).unwrap();
    transaction.set_note(fork, b"reset").unwrap();
    transaction.commit().unwrap();
    assert_eq!(reader.get(T, b"key").unwrap(), None);
    let again = manager.begin(fork, BeginOptions::default()).unwrap();
    assert_eq!(again.get(T, b"key").unwrap().as_deref(), Some(b"value".as_slice()));
    assert_eq!(&*again.note(), b"reset");
    manager.drop_head(fork).unwrap();
    assert_eq!(again.len(T).unwrap(), 1, "who reads goes on");
    let error = manager.begin(fork, BeginOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(manager.heads().unwrap().len(), 1);
}

#[test]
fn who_writes_to_a_head_that_was_dropped_is_told_at_the_commit() {
    let manager = in_memory();
    let fork = manager.create_head(MAIN, b"").unwrap();
    let options = BeginOptions::at(Isolation::Concurrent);
    let mut late = manager.begin(fork, options).unwrap();
    late.put(T, b"a", b"b").unwrap();
    let mut holder = manager.begin(fork, BeginOptions::default()).unwrap();
    holder.put(T, b"a", b"c").unwrap();
    let error = manager.drop_head(fork).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "somebody writes to it");
    holder.rollback();
    manager.drop_head(fork).unwrap();
    assert_eq!(late.commit().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_head_in_memory_is_forked_written_and_gone() {
    let manager = in_memory();
    let fork = manager.fork_in_memory(MAIN, b"").unwrap();
    let mut transaction = manager.begin(fork, BeginOptions::default()).unwrap();
    transaction.put(T, b"key", b"value").unwrap();
    transaction.commit().unwrap();
    let reader = manager.begin(MAIN, BeginOptions::default()).unwrap();
    assert_eq!(reader.get(T, b"key").unwrap(), None);
    let reader = manager.begin(fork, BeginOptions::default()).unwrap();
    assert!(reader.contains(T, b"key").unwrap());
    drop(reader);
    manager.drop_head(fork).unwrap();
    assert_eq!(manager.heads().unwrap().len(), 1);
}

#[test]
fn databases_are_shared_and_transactions_are_sent() {
    fn check<T: Send>(_: &T) {}
    fn check_shared<T: Send + Sync>(_: &T) {}
    let manager = in_memory();
    check_shared(&manager);
    check(&manager.begin(MAIN, BeginOptions::default()).unwrap());
}

#[test]
fn a_reader_cannot_write_and_says_so() {
    let manager = in_memory();
    let mut transaction = manager.begin(MAIN, BeginOptions::read_only()).unwrap();
    let error = transaction.put(T, b"a", b"b").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    transaction.commit().unwrap();
}

#[test]
fn a_transaction_that_rests_keeps_nothing_and_sees_the_newest_when_it_goes_on() {
    let manager = in_memory();
    let options = BeginOptions::default();
    let mut reader = manager.begin(MAIN, options.clone()).unwrap();
    for round in 0..3_u8 {
        let cursor = reader.cursor(T).unwrap();
        assert!(!reader.park(), "a cursor is open");
        drop(cursor);
        assert_eq!(manager.snapshots().len(), 1);
        assert!(reader.park());
        assert!(manager.snapshots().is_empty());
        assert!(reader.get(T, &[0]).is_err(), "it sees nothing");
        let mut writer = manager.begin(MAIN, options.clone()).unwrap();
        writer.put(T, &[round], b"x").unwrap();
        assert!(!writer.park(), "there is something to commit");
        writer.commit().unwrap();
        assert!(reader.resume(&options));
        assert_eq!(reader.len(T).unwrap(), u64::from(round) + 1);
        assert_eq!(manager.snapshots().len(), 1);
    }
    assert!(reader.park());
    assert!(!reader.resume(&BeginOptions::at(Isolation::Serializable)));
    let head = manager.create_head(MAIN, &[]).unwrap();
    let mut elsewhere = manager.begin(head, options.clone()).unwrap();
    assert!(elsewhere.park());
    manager.drop_head(head).unwrap();
    assert!(!elsewhere.resume(&options), "the head is gone");
    assert!(manager.snapshots().is_empty());
}

/// Fails if `Held::read` or `Held::get_mut` does not put the calm version in its place.
#[test]
fn a_transaction_that_reads_calmly_is_like_any_other_for_all_else() {
    const SCHEMA: TreeId = TreeId(77);
    let manager = in_memory();
    let options = BeginOptions::default();
    let change = |work: &dyn Fn(&mut Transaction)| {
        let mut writer = manager.begin(MAIN, options.clone()).unwrap();
        work(&mut writer);
        writer.commit().unwrap();
        manager.begin(MAIN, options.clone()).unwrap().tree(SCHEMA).unwrap()
    };
    let mut schema = change(&|writer| {
        writer.create_tree(SCHEMA, TreeKind::Slotted).unwrap();
        writer.put(SCHEMA, b"table", b"t").unwrap();
    });
    let mut reader = manager.begin(MAIN, options.clone()).unwrap();
    let isolation = reader.isolation();
    assert!(reader.park());
    for round in 0..4_u8 {
        schema = change(&|writer| _ = writer.put(T, &[round], b"x").unwrap());
        assert!(reader.resume_reading(MAIN, isolation, SCHEMA, &schema));
        let rows = u64::from(round) + 1;
        assert_eq!(reader.len(T).unwrap(), rows);
        assert!(reader.get(T, &[round]).unwrap().is_some());
        assert!(reader.cursor(T).unwrap().last().unwrap());
        change(&|writer| _ = writer.put(T, &[100 + round], b"x").unwrap());
        change(&|writer| _ = writer.delete(T, &[100 + round]).unwrap());
        if round % 2 == 0 {
            // What knows nothing of calm versions finds it, too, and reads go on.
            assert_eq!(reader.forest().tree(T).unwrap().len(), rows);
            assert_eq!(reader.base_forest().tree(T).unwrap().len(), rows);
            assert_eq!(reader.tree(T).unwrap().len(), rows);
        }
        assert_eq!(reader.count_range(T, Bound::Unbounded, Bound::Unbounded).unwrap(), rows);
        assert_eq!(manager.snapshots().len(), 1);
        let cursor = reader.cursor(T).unwrap();
        if round == 3 {
            assert!(!reader.park(), "a cursor is open");
            drop(cursor);
            assert!(manager.snapshots().len() <= 1);
        } else {
            drop(cursor);
        }
        assert!(reader.park());
        assert!(manager.snapshots().is_empty());
        assert!(reader.len(T).is_err(), "it sees nothing");
    }
    let newer = change(&|writer| _ = writer.put(SCHEMA, b"view", b"v").unwrap());
    assert!(!reader.resume_reading(MAIN, isolation, SCHEMA, &schema), "the schema has changed");
    assert!(manager.snapshots().is_empty());
    assert!(reader.resume_reading(MAIN, isolation, SCHEMA, &newer));
    assert_eq!(reader.len(T).unwrap(), 4);
    reader.put(T, b"own", b"y").unwrap();
    assert_eq!(reader.len(T).unwrap(), 5);
    reader.commit().unwrap();
    assert_eq!(manager.begin(MAIN, options.clone()).unwrap().len(T).unwrap(), 5);
}

#[test]
fn a_transaction_that_rests_counts_what_is_newest_and_rests_on() {
    const SCHEMA: TreeId = TreeId(9);
    let manager = in_memory();
    let options = BeginOptions::default();
    let change = |work: &dyn Fn(&mut Transaction)| {
        let mut writer = manager.begin(MAIN, options.clone()).unwrap();
        work(&mut writer);
        writer.commit().unwrap();
        manager.begin(MAIN, options.clone()).unwrap().tree(SCHEMA).unwrap()
    };
    let schema = change(&|writer| {
        writer.create_tree(SCHEMA, TreeKind::Slotted).unwrap();
    });
    let mut reader = manager.begin(MAIN, options.clone()).unwrap();
    let isolation = reader.isolation();
    let count = |reader: &mut Transaction, head, isolation, schema: &Tree| {
        reader.len_at_rest(head, isolation, (SCHEMA, schema), T)
    };
    assert_eq!(count(&mut reader, MAIN, isolation, &schema), None, "it has only begun");
    assert!(reader.park());
    for round in 0..4_u8 {
        assert_eq!(count(&mut reader, MAIN, isolation, &schema), Some(u64::from(round)));
        change(&|writer| _ = writer.put(T, &[round], b"x").unwrap());
        assert!(manager.snapshots().is_empty(), "nothing is kept for it");
        if round == 1 {
            assert!(reader.resume_reading(MAIN, isolation, SCHEMA, &schema));
            assert_eq!(count(&mut reader, MAIN, isolation, &schema), None, "it reads calmly");
            assert_eq!(reader.len(T).unwrap(), 2);
            assert!(reader.park());
            assert!(reader.resume(&options));
            change(&|writer| _ = writer.put(T, b"more", b"x").unwrap());
            assert_eq!(count(&mut reader, MAIN, isolation, &schema), None, "it goes on");
            assert_eq!(reader.len(T).unwrap(), 2);
            change(&|writer| _ = writer.delete(T, b"more").unwrap());
            assert!(reader.park());
        }
    }
    assert_eq!(count(&mut reader, HeadId(77), isolation, &schema), None);
    assert_eq!(count(&mut reader, MAIN, Isolation::Serializable, &schema), None);
    assert_eq!(reader.len_at_rest(MAIN, isolation, (SCHEMA, &schema), TreeId(99)), None);
    let newer = change(&|writer| _ = writer.put(SCHEMA, b"view", b"v").unwrap());
    assert_eq!(count(&mut reader, MAIN, isolation, &schema), None, "the schema has changed");
    assert_eq!(count(&mut reader, MAIN, isolation, &newer), Some(4));
    let fork = manager.create_head(MAIN, b"").unwrap();
    let mut elsewhere = manager.begin(fork, options.clone()).unwrap();
    assert!(elsewhere.park());
    assert_eq!(count(&mut elsewhere, fork, isolation, &newer), Some(4));
    manager.drop_head(fork).unwrap();
    assert_eq!(count(&mut elsewhere, fork, isolation, &newer), None, "the head is gone");
}
