//! Answers to broken constraints: which rows they are done to, and what they count as.
//!
//! Neighbours: `row_table` has what breaks constraints, the SQL crate the table of all kinds.

use pandodb_ds::forest::TreeId;
use pandodb_ds::record::Value;

use crate::diff::Version;
use crate::merge::{ConflictKind, MergeOptions, Pick, RuleScope, Violation};
use crate::shape::{ObjectId, TableShape};
use crate::testing::{Shaped, World, int, table};

const T: u64 = 20;

fn shape() -> TableShape {
    table(T, "t", &[("k", "INT"), ("a", "INT"), ("b", "INT")]).with_unique("u", &[T * 100 + 2])
}

fn version(world: &World, shape: TableShape, rows: &[[i64; 3]]) -> Version {
    let mut version = World::version(vec![shape]);
    for row in rows {
        world.put(&mut version, T, None, &row.map(int));
    }
    version
}

fn rows(world: &World, version: &Version) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = world.rows(version, T).into_values().collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

fn said(pick: Pick) -> MergeOptions {
    let mut options = MergeOptions::default();
    options.resolutions.rules.insert(RuleScope::All, pick);
    options
}

/// The source, or the target, has another primary key: its rows are those of the merged keys.
#[test]
fn rows_of_a_side_with_another_key_are_found() {
    let world = World::new();
    let base_rows = [[1, 10, 1], [2, 20, 2], [3, 30, 3]];
    let old = shape().with_key(&[T * 100]);
    let new = TableShape { tree: TreeId(99), ..shape().with_key(&[T * 100 + 1]) };
    let base = version(&world, old.clone(), &base_rows);
    let rekeyed = version(&world, new, &[[1, 10, 9], [2, 20, 2], [3, 30, 3]]);
    let plain = version(&world, old, &[[1, 10, 1], [2, 20, 9], [3, 30, 3]]);
    let (first, second) =
        ([[1, 10, 9], [2, 20, 2], [3, 30, 3]], [[1, 10, 1], [2, 20, 9], [3, 30, 3]]);
    let deleted = [[1, 10, 9], [3, 30, 3]];
    for (ours, theirs, by_theirs, by_ours) in
        [(&plain, &rekeyed, &first, &second), (&rekeyed, &plain, &second, &first)]
    {
        let open = world.merge(&base, ours, theirs, &MergeOptions::default());
        assert_eq!(open.kinds(), [ConflictKind::Constraint(Violation::Unique)]);
        // The row with the greater key.
        let conflict = &open.conflicts[0];
        assert_eq!(conflict.row_key, [int(20)]);
        assert_eq!(conflict.base, Some([2, 20, 2].map(int).to_vec()));
        let sides = [&conflict.ours, &conflict.theirs].map(|row| row.as_ref().unwrap()[2].clone());
        assert_eq!(sides, [by_ours[1][2], by_theirs[1][2]].map(int));
        for (pick, expected) in [
            (Pick::Theirs, &by_theirs[..]),
            (Pick::Ours, &by_ours[..]),
            (Pick::Base, &base_rows[..]),
            (Pick::Delete, &deleted[..]),
        ] {
            let done = world.merge(&base, ours, theirs, &said(pick.clone()));
            assert!(done.conflicts.is_empty(), "{pick:?}: {:?}", done.conflicts);
            let expected: Vec<Vec<Value>> =
                expected.iter().map(|row| row.map(int).to_vec()).collect();
            assert_eq!(rows(&world, &done.version), expected, "{pick:?}");
        }
    }
}

/// The report counts what a merge comes to, not what was put there before it was answered.
#[test]
fn counts_are_those_of_the_rows_that_stay() {
    let world = World::new();
    let shape = shape().with_alias();
    let base = version(&world, shape.clone(), &[[1, 1, 1]]);
    let ours = version(&world, shape.clone(), &[[1, 1, 5], [2, 2, 7]]);
    let theirs = version(&world, shape, &[[1, 8, 1], [3, 3, 7]]);
    for (pick, [inserted, updated, deleted]) in [
        (Pick::Theirs, [1, 1, 1]),
        (Pick::Ours, [0, 1, 0]),
        (Pick::Base, [0, 1, 1]),
        // The row with the greater key is that of the source.
        (Pick::Delete, [0, 1, 0]),
        (Pick::Row(vec![(crate::shape::ColumnId(T * 100 + 2), int(9))]), [1, 1, 0]),
    ] {
        let done = world.merge(&base, &ours, &theirs, &said(pick.clone()));
        assert!(done.conflicts.is_empty(), "{pick:?}: {:?}", done.conflicts);
        let counts = &done.report.tables[&ObjectId(T)];
        let counted = [counts.inserted, counts.updated, counts.deleted];
        assert_eq!((counted, counts.resolved), ([inserted, updated, deleted], 1), "{pick:?}");
        // A value is no answer for a row.
        let vain = world.merge(&base, &ours, &theirs, &said(Pick::Cell(int(1))));
        assert_eq!(vain.kinds(), [ConflictKind::Constraint(Violation::Unique)]);
    }
}

/// A row keeps the key that its conflict is called by: under another one it would be another row.
#[test]
fn cells_of_another_key_are_no_answer() {
    let world = World::new();
    for shape in [shape().with_alias(), shape().with_key(&[T * 100])] {
        let base = version(&world, shape.clone(), &[[1, 1, 1], [2, 2, 2]]);
        let ours = version(&world, shape.clone(), &[[2, 2, 2]]);
        let theirs = version(&world, shape, &[[1, 5, 1], [2, 2, 2]]);
        let cells = |key: i64| {
            let cells = [(T * 100, key), (T * 100 + 1, 9)];
            Pick::Row(cells.map(|(id, value)| (crate::shape::ColumnId(id), int(value))).to_vec())
        };
        let vain = world.merge(&base, &ours, &theirs, &said(cells(7)));
        assert_eq!(vain.kinds(), [ConflictKind::DeleteModify]);
        let done = world.merge(&base, &ours, &theirs, &said(cells(1)));
        assert!(done.conflicts.is_empty());
        assert_eq!(rows(&world, &done.version), [[1, 9, 1], [2, 2, 2]].map(|row| row.map(int)));
    }
}
