//! What holds for every merge of rows, and a naive merge that ours must agree with.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::diff::{RowDiff, Version};
use crate::merge::{MergeOptions, Policy, Scope};
use crate::shape::ObjectId;
use crate::testing::{Shaped, World, int, pair, table};

const KEYED: u64 = 20;
const LOG: u64 = 21;
const PAIRS: u64 = 22;

/// One edit: which table, which row, what to put there (none: delete).
type Edit = (u8, i64, Option<(i64, i64)>);

fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let row = prop::option::weighted(0.75, (0..3_i64, 0..3_i64));
    vec((0..3_u8, 0..9_i64, row), 0..most)
}

fn start() -> Version {
    World::version(vec![
        table(KEYED, "keyed", &[("id", "INTEGER"), ("a", "INT"), ("b", "INT")]).with_alias(),
        table(LOG, "log", &[("a", "INT"), ("b", "INT")]),
        table(PAIRS, "pairs", &[("k", "INT"), ("a", "INT"), ("b", "INT")]).with_key(&[PAIRS * 100]),
    ])
}

fn edit(world: &World, version: &Version, edits: &[Edit]) -> Version {
    let mut version = version.clone();
    for (which, id, row) in edits {
        match (which, row) {
            (0, Some((a, b))) => {
                world.put(&mut version, KEYED, None, &[int(*id), int(*a), int(*b)]);
            }
            (0, None) => world.delete(&mut version, KEYED, &rowid_key(*id)),
            (1, Some((a, b))) => world.put(&mut version, LOG, Some(*id), &[int(*a), int(*b)]),
            (1, None) => world.delete(&mut version, LOG, &rowid_key(*id)),
            (_, Some((a, b))) => {
                world.put(&mut version, PAIRS, None, &[int(*id), int(*a), int(*b)]);
            }
            (_, None) => {
                let shape = version.shape.table(ObjectId(PAIRS)).unwrap();
                let key = shape.key_of(&[int(*id), int(0), int(0)]).unwrap();
                world.delete(&mut version, PAIRS, &key);
            }
        }
    }
    version
}

type Naive = BTreeMap<i64, (i64, i64)>;

fn naive_rows(world: &World, version: &Version) -> Naive {
    let rows = world.rows(version, KEYED);
    let row = |(key, row): (Vec<u8>, Vec<pandodb_ds::record::Value>)| {
        let cell = |at: usize| match row[at] {
            pandodb_ds::record::Value::Integer(value) => value,
            _ => panic!("not an integer"),
        };
        (rowid_from_key(&key).unwrap(), (cell(1), cell(2)))
    };
    rows.into_iter().map(row).collect()
}

/// The rules for rows, written the long way: the merged rows and where conflicts are.
fn naive_merge(base: &Naive, ours: &Naive, theirs: &Naive) -> (Naive, BTreeSet<(i64, u8)>) {
    let (mut merged, mut conflicts) = (Naive::new(), BTreeSet::new());
    let keys: BTreeSet<i64> = ours.keys().chain(theirs.keys()).copied().collect();
    for key in keys {
        let outcome = match (base.get(&key), ours.get(&key), theirs.get(&key)) {
            (_, Some(one), Some(other)) if one == other => Some(*one),
            (None, Some(one), None) => Some(*one),
            (None, None, Some(one)) => Some(*one),
            (Some(base), Some(one), None) | (Some(base), None, Some(one)) => {
                if base != one {
                    conflicts.insert((key, 0));
                }
                None
            }
            (base, Some(one), Some(other)) => {
                let mut cell = |base: Option<i64>, one: i64, other: i64, number| {
                    if one == other || base == Some(other) {
                        one
                    } else if base == Some(one) {
                        other
                    } else {
                        conflicts.insert((key, number));
                        one
                    }
                };
                let first = cell(base.map(|row| row.0), one.0, other.0, 1);
                Some((first, cell(base.map(|row| row.1), one.1, other.1, 2)))
            }
            (_, None, None) => None,
        };
        if let Some(row) = outcome {
            merged.insert(key, row);
        }
    }
    (merged, conflicts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn rows_merge_as_the_naive_rules_say(base in edits(24), ours in edits(8), theirs in edits(8)) {
        let world = World::new();
        let base = edit(&world, &start(), &base);
        let (ours, theirs) = (edit(&world, &base, &ours), edit(&world, &base, &theirs));
        let merged = world.merge(&base, &ours, &theirs, &MergeOptions::default());
        let rows = |version: &Version| naive_rows(&world, version);
        let (expected, conflicts) = naive_merge(&rows(&base), &rows(&ours), &rows(&theirs));
        let found: BTreeSet<(i64, u8)> = merged
            .keys()
            .into_iter()
            .filter(|key| key.object == ObjectId(KEYED))
            .map(|key| match key.scope {
                Scope::Row(key) => (rowid_from_key(&key).unwrap(), 0),
                Scope::Cell(key, column) => {
                    (rowid_from_key(&key).unwrap(), (column.0 - KEYED * 100) as u8)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        prop_assert_eq!(&found, &conflicts);
        if merged.conflicts.is_empty() {
            prop_assert_eq!(rows(&merged.version), expected);
        }
        // Undeclared rowids never make a conflict of two inserts: both rows are there.
        let before = world.rows(&base, LOG);
        let is_new = |key: &Vec<u8>| !before.contains_key(key);
        let (one, other) = (world.rows(&ours, LOG), world.rows(&theirs, LOG));
        let same = one.iter().filter(|(key, row)| is_new(key) && other.get(*key) == Some(row));
        let new = one.keys().filter(|key| is_new(key)).count()
            + other.keys().filter(|key| is_new(key)).count()
            - same.count();
        let all = world.rows(&merged.version, LOG);
        prop_assert_eq!(all.keys().filter(|key| is_new(key)).count(), new);
    }

    #[test]
    fn an_unchanged_side_gives_way(base in edits(24), changes in edits(10)) {
        let world = World::new();
        let base = edit(&world, &start(), &base);
        let changed = edit(&world, &base, &changes);
        let nothing = world.merge(&base, &changed, &base, &MergeOptions::default());
        prop_assert_eq!(nothing.report.changed_rows(), 0);
        prop_assert_eq!(nothing.conflicts.len(), 0);
        prop_assert_eq!(world.contents(&nothing.version), world.contents(&changed));
        let all = world.merge(&base, &base, &changed, &MergeOptions::default());
        prop_assert_eq!(world.contents(&all.version), world.contents(&changed));
        prop_assert_eq!(all.conflicts.len(), 0);
    }

    #[test]
    fn merges_commute_repeat_nothing_and_mirror_their_policies(
        base in edits(24), ours in edits(8), theirs in edits(8),
    ) {
        let world = World::new();
        let base = edit(&world, &start(), &base);
        let (ours, theirs) = (edit(&world, &base, &ours), edit(&world, &base, &theirs));
        let options = MergeOptions::default();
        let one = world.merge(&base, &ours, &theirs, &options);
        let other = world.merge(&base, &theirs, &ours, &options);
        prop_assert_eq!(one.keys(), other.keys());
        prop_assert_eq!(one.kinds(), other.kinds());
        if one.conflicts.is_empty() {
            prop_assert_eq!(world.contents(&one.version), world.contents(&other.version));
            // After the merge its source is the base of the next one.
            let again = world.merge(&theirs, &one.version, &theirs, &options);
            prop_assert_eq!(again.report.changed_rows(), 0);
            prop_assert_eq!(again.conflicts.len(), 0);
        }
        let source = MergeOptions::with(Policy::SourceWins);
        let target = MergeOptions::with(Policy::TargetWins);
        let wins = world.merge(&base, &ours, &theirs, &source);
        let mirrored = world.merge(&base, &theirs, &ours, &target);
        prop_assert_eq!(wins.conflicts.len() + mirrored.conflicts.len(), 0);
        prop_assert_eq!(world.contents(&wins.version), world.contents(&mirrored.version));
        // The same merge again (a dry run before it, say) reports the same.
        let repeated = world.merge(&base, &ours, &theirs, &source);
        prop_assert_eq!(repeated.report, wins.report);
    }

    #[test]
    fn differences_are_those_of_a_full_comparison(base in edits(24), changes in edits(12)) {
        let world = World::new();
        let old = edit(&world, &start(), &base);
        let new = edit(&world, &old, &changes);
        for id in [KEYED, LOG, PAIRS] {
            let (before, after) = (world.rows(&old, id), world.rows(&new, id));
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let differ = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).count();
            let (left, right) = pair(&old, &new, id);
            let counts = RowDiff::new(world.pager(), left, right).unwrap().count().unwrap();
            prop_assert_eq!(counts.added + counts.removed + counts.changed, differ as u64);
            let mut diff = RowDiff::new(world.pager(), left, right).unwrap();
            let mut found = 0;
            while let Some(difference) = diff.next_difference().unwrap() {
                prop_assert_eq!(difference.changed.len(), diff.columns().len());
                prop_assert!(difference.old != difference.new);
                found += 1;
            }
            prop_assert_eq!(found, differ);
            // Several threads find the same, in the same order.
            let gather = |helpers| {
                let diff = RowDiff::new(world.pager(), left, right).unwrap();
                let gathered = diff.gather(helpers, |difference, all| {
                    let cells = (0..difference.changed.len())
                        .map(|at| Ok((difference.old_cell(at)?, difference.new_cell(at)?)));
                    let cells: Vec<_> = cells.collect::<crate::Result<_>>()?;
                    all.push((difference.kind, difference.key()?, cells));
                    Ok(())
                });
                gathered.unwrap()
            };
            let alone = gather(0);
            prop_assert_eq!(alone.len(), differ);
            prop_assert_eq!(gather(2), alone);
        }
    }
}

#[test]
fn a_merge_of_a_large_table_looks_at_what_changed_only() {
    let world = World::new();
    let mut base = start();
    for id in 0..3_000 {
        world.put(&mut base, KEYED, None, &[int(id), int(1), int(1)]);
    }
    let (mut ours, mut theirs) = (base.clone(), base.clone());
    world.put(&mut ours, KEYED, None, &[int(10), int(2), int(1)]);
    world.put(&mut theirs, KEYED, None, &[int(10), int(1), int(2)]);
    world.put(&mut theirs, KEYED, None, &[int(2_000), int(5), int(5)]);
    let merged = world.merge(&base, &ours, &theirs, &MergeOptions::default());
    assert_eq!(merged.report.rows, 2);
    assert_eq!(naive_rows(&world, &merged.version)[&10], (2, 2));
    assert_eq!(naive_rows(&world, &merged.version)[&2_000], (5, 5));
}
