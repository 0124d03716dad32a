//! The rules for rows, one by one and in both directions.

use pandodb_ds::record::Value;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::encode_values;
use pandodb_ds::tree::PutMode;

use crate::diff::Version;
use crate::merge::{ConflictKind, MergeOptions, Pick, Policy, RuleScope, Scope, Violation};
use crate::shape::{
    Affinity, ColumnId, ConstraintShape, ForeignKeyShape, GeneratedShape, KeyShape, ObjectId,
    TableShape, Written,
};
use crate::testing::{Merged, Shaped, World, column, int, key_column, pair, table, text};

const T: u64 = 20;

/// `t(id INTEGER PRIMARY KEY, a, b)` with the row (1, 10, 20).
fn base(world: &World) -> Version {
    let shape = table(T, "t", &[("id", "INTEGER"), ("a", ""), ("b", "")]).with_alias();
    let mut version = World::version(vec![shape]);
    world.put(&mut version, T, None, &[int(1), int(10), int(20)]);
    version
}

fn edited(world: &World, base: &Version, edit: impl FnOnce(&World, &mut Version)) -> Version {
    let mut version = base.clone();
    edit(world, &mut version);
    version
}

fn row(world: &World, version: &Version, id: i64) -> Option<Vec<Value>> {
    world.rows(version, T).get(rowid_key(id).as_slice()).cloned()
}

/// Merges in both directions; conflicts must be of one kind in both.
fn both(world: &World, base: &Version, one: &Version, other: &Version) -> (Merged, Merged) {
    let options = MergeOptions::default();
    let first = world.merge(base, one, other, &options);
    let second = world.merge(base, other, one, &options);
    assert_eq!(first.kinds(), second.kinds());
    (first, second)
}

fn change(world: &World, version: &mut Version, cells: [i64; 3]) {
    world.put(version, T, None, &cells.map(int));
}

fn column_mut(version: &mut Version, at: usize) -> &mut crate::shape::ColumnShape {
    &mut version.shape.tables[0].columns[at]
}

#[test]
fn each_pair_of_changes_to_one_row_has_its_outcome_in_both_directions() {
    type Change = Option<[i64; 3]>;
    let same: Change = Some([1, 10, 20]);
    let cases: [(Change, Change, Result<Change, ConflictKind>); 9] = [
        (same, same, Ok(same)),
        (Some([1, 11, 20]), same, Ok(Some([1, 11, 20]))),
        (Some([1, 11, 20]), Some([1, 11, 20]), Ok(Some([1, 11, 20]))),
        (Some([1, 11, 20]), Some([1, 10, 21]), Ok(Some([1, 11, 21]))),
        (Some([1, 11, 20]), Some([1, 12, 20]), Err(ConflictKind::Data)),
        (Some([1, 11, 20]), Some([1, 12, 21]), Err(ConflictKind::Data)),
        (None, same, Ok(None)),
        (None, None, Ok(None)),
        (None, Some([1, 11, 20]), Err(ConflictKind::DeleteModify)),
    ];
    let world = World::new();
    let base = base(&world);
    for (one, other, expected) in cases {
        let side = |cells: Change| {
            edited(&world, &base, |world, version| match cells {
                Some(cells) => change(world, version, cells),
                None => world.delete(version, T, &rowid_key(1)),
            })
        };
        let (left, right) = both(&world, &base, &side(one), &side(other));
        match expected {
            Ok(cells) => {
                let cells = cells.map(|cells| cells.map(int).to_vec());
                assert!(left.conflicts.is_empty(), "{one:?} {other:?}");
                assert_eq!(row(&world, &left.version, 1), cells, "{one:?} {other:?}");
                assert_eq!(row(&world, &right.version, 1), cells, "{one:?} {other:?}");
            }
            Err(kind) => assert_eq!(left.kinds(), [kind], "{one:?} {other:?}"),
        }
    }
}

#[test]
fn inserts_of_one_key_agree_by_cells_or_are_a_conflict() {
    let world = World::new();
    let base = base(&world);
    let one = edited(&world, &base, |world, version| change(world, version, [2, 1, 1]));
    let other = edited(&world, &base, |world, version| change(world, version, [2, 1, 9]));
    let (same, _) = both(&world, &base, &one, &one.clone());
    assert!(same.conflicts.is_empty());
    let (conflict, _) = both(&world, &base, &one, &other);
    assert_eq!(conflict.kinds(), [ConflictKind::Data]);
    let found = &conflict.conflicts[0];
    assert_eq!((&found.base, found.column_name.as_deref()), (&None, Some("b")));
    assert_eq!((&found.ours, &found.theirs), (&Some(vec![int(1)]), &Some(vec![int(9)])));
    assert_eq!(found.row_key, [int(2)]);
}

#[test]
fn a_column_of_one_side_takes_that_sides_value_and_defaults_fill_the_rest() {
    let world = World::new();
    let base = base(&world);
    let with_column = edited(&world, &base, |world, version| {
        let mut added = column(9_001, "c", "", 3);
        (added.default, added.missing) = (Some("7".into()), int(7));
        version.shape.tables[0].columns.push(added);
        version.shape.tables[0].stored_columns = 4;
        world.put(version, T, None, &[int(2), int(1), int(1), int(5)]);
    });
    let without = edited(&world, &base, |world, version| {
        change(world, version, [2, 1, 1]);
        change(world, version, [3, 3, 3]);
        change(world, version, [1, 11, 20]);
    });
    let (left, right) = both(&world, &base, &with_column, &without);
    assert!(left.conflicts.is_empty());
    for merged in [left, right] {
        let row = |id| row(&world, &merged.version, id).unwrap();
        assert_eq!(row(1), [1, 11, 20, 7].map(int));
        assert_eq!(row(2), [2, 1, 1, 5].map(int));
        assert_eq!(row(3), [3, 3, 3, 7].map(int));
    }
}

#[test]
fn columns_that_both_sides_added_are_one_and_get_places_of_their_own() {
    let world = World::new();
    let base = base(&world);
    let add = |version: &mut Version, id: u64, name: &str, position: usize| {
        version.shape.tables[0].columns.push(column(id, name, "", position));
        version.shape.tables[0].stored_columns = position + 1;
    };
    let one = edited(&world, &base, |world, version| {
        add(version, 9_001, "shared", 3);
        add(version, 9_002, "mine", 4);
        world.put(version, T, None, &[1, 10, 20, 100, 200].map(int));
    });
    let other = edited(&world, &base, |world, version| {
        add(version, 9_101, "yours", 3);
        add(version, 9_102, "shared", 4);
        world.put(version, T, None, &[1, 10, 21, 300, 100].map(int));
        world.put(version, T, None, &[5, 5, 5, 301, 101].map(int));
    });
    let (left, right) = both(&world, &base, &one, &other);
    assert!(left.conflicts.is_empty(), "{:?}", left.conflicts);
    assert_eq!(world.contents(&left.version), world.contents(&right.version));
    let names: Vec<&str> =
        left.version.shape.tables[0].columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["id", "a", "b", "shared", "mine", "yours"]);
    assert_eq!(row(&world, &left.version, 1).unwrap(), [1, 10, 21, 100, 200, 300].map(int));
    let added = row(&world, &left.version, 5).unwrap();
    assert_eq!(added[3..], [int(101), Value::Null, int(301)]);
}

#[test]
fn a_change_of_type_alone_changes_no_cell() {
    let world = World::new();
    let base = base(&world);
    let retyped = edited(&world, &base, |world, version| {
        *column_mut(version, 1) = column(T * 100 + 1, "a", "TEXT", 1);
        world.put(version, T, None, &[int(1), text("10"), int(20)]);
    });
    let changed = edited(&world, &base, |world, version| {
        change(world, version, [1, 10, 21]);
        change(world, version, [2, 3, 4]);
    });
    let (left, right) = both(&world, &base, &retyped, &changed);
    assert!(left.conflicts.is_empty(), "{:?}", left.conflicts);
    for merged in [left, right] {
        assert_eq!(merged.version.shape.tables[0].columns[1].affinity, Affinity::Text);
        assert_eq!(row(&world, &merged.version, 1).unwrap(), [int(1), text("10"), int(21)]);
        assert_eq!(row(&world, &merged.version, 2).unwrap(), [int(2), text("3"), int(4)]);
    }
    // Deleted on one side, stored anew on the other: no change, so the row goes.
    let deleted = edited(&world, &base, |world, version| world.delete(version, T, &rowid_key(1)));
    let (left, right) = both(&world, &base, &retyped, &deleted);
    assert!(left.conflicts.is_empty());
    assert_eq!(row(&world, &left.version, 1), None);
    assert_eq!(row(&world, &right.version, 1), None);
}

#[test]
fn a_dropped_column_meets_an_edit_of_its_cell() {
    let world = World::new();
    let base = base(&world);
    let dropped = edited(&world, &base, |_, version| {
        version.shape.tables[0].columns.remove(2);
    });
    let edit_it = edited(&world, &base, |world, version| change(world, version, [1, 10, 99]));
    let (left, right) = both(&world, &base, &dropped, &edit_it);
    for merged in [&left, &right] {
        assert_eq!(merged.kinds(), [ConflictKind::DeleteModify]);
        assert_eq!(merged.conflicts[0].column_name.as_deref(), Some("b"));
    }
    let other = edited(&world, &base, |world, version| {
        change(world, version, [1, 11, 20]);
        change(world, version, [5, 5, 5]);
    });
    let (left, right) = both(&world, &base, &dropped, &other);
    assert!(left.conflicts.is_empty());
    assert_eq!(row(&world, &left.version, 5).unwrap(), [int(5), int(5)]);
    assert_eq!(row(&world, &right.version, 5).unwrap(), [int(5), int(5)]);
    assert_eq!(row(&world, &left.version, 1).unwrap(), [int(1), int(11)]);
    assert_eq!(row(&world, &right.version, 1).unwrap(), [int(1), int(11)]);
}

#[test]
fn json_cells_are_merged_by_key_path_unless_that_is_turned_off() {
    let world = World::new();
    let shape = table(T, "t", &[("id", "INTEGER"), ("j", "JSON")]).with_alias();
    let mut base = World::version(vec![shape]);
    let put = |version: &mut Version, json: &str| {
        world.put(version, T, None, &[int(1), text(json)]);
    };
    put(&mut base, r#"{"a":1,"b":1}"#);
    let one = edited(&world, &base, |_, version| put(version, r#"{"a":2,"b":1}"#));
    let other = edited(&world, &base, |_, version| put(version, r#"{"a":1,"b":2}"#));
    let (left, _) = both(&world, &base, &one, &other);
    assert!(left.conflicts.is_empty());
    assert_eq!(row(&world, &left.version, 1).unwrap()[1], text(r#"{"a":2,"b":2}"#));
    let off = MergeOptions { merges_json: false, ..MergeOptions::default() };
    assert_eq!(world.merge(&base, &one, &other, &off).kinds(), [ConflictKind::Data]);
    let clash = edited(&world, &base, |_, version| put(version, r#"{"a":3,"b":1}"#));
    let (left, _) = both(&world, &base, &one, &clash);
    assert_eq!(left.kinds(), [ConflictKind::Data]);
}

#[test]
fn generated_columns_never_conflict() {
    let world = World::new();
    let mut base = base(&world);
    column_mut(&mut base, 2).generated = Some(GeneratedShape {
        expression: "{c0} * 2".into(),
        written: Written::default(),
        columns: vec![ColumnId(T * 100 + 1)],
        is_stored: true,
    });
    let one = edited(&world, &base, |world, version| change(world, version, [2, 1, 50]));
    let other = edited(&world, &base, |world, version| change(world, version, [2, 1, 60]));
    let (left, _) = both(&world, &base, &one, &other);
    assert!(left.conflicts.is_empty());
}

#[test]
fn undeclared_rowids_are_renumbered_and_declared_ones_on_request() {
    let world = World::new();
    let log = table(21, "log", &[("x", "")]);
    let mut base = base(&world);
    World::add_table(&mut base, log);
    world.put(&mut base, 21, Some(1), &[int(0)]);
    let side = |x: i64, a: i64| {
        edited(&world, &base, |world, version| {
            world.put(version, 21, Some(2), &[int(x)]);
            world.put(version, 21, Some(3), &[int(77)]);
            change(world, version, [2, a, 0]);
        })
    };
    let (one, other) = (side(1, 5), side(2, 6));
    let (left, right) = both(&world, &base, &one, &other);
    assert_eq!(left.kinds(), [ConflictKind::Data]);
    assert_eq!(left.report.tables[&ObjectId(21)].renumbered, 1);
    let log = |merged: &Merged| world.contents(&merged.version)["log"].clone();
    assert_eq!(log(&left).len(), 4);
    assert_eq!(log(&left), log(&right));
    let options = MergeOptions { renumber: true, ..MergeOptions::default() };
    let merged = world.merge(&base, &one, &other, &options);
    assert!(merged.conflicts.is_empty());
    assert_eq!(row(&world, &merged.version, 2).unwrap(), [2, 5, 0].map(int));
    assert_eq!(row(&world, &merged.version, 3).unwrap(), [3, 6, 0].map(int));
}

#[test]
fn renumbered_rows_are_followed_by_declared_foreign_keys() {
    let world = World::new();
    let mut child = table(21, "child", &[("id", "INTEGER"), ("parent", "INT")]).with_alias();
    child.constraints.push(ConstraintShape {
        name: None,
        definition: "FOREIGN KEY ({c0}) REFERENCES {t0}".into(),
        written: Written::default(),
        columns: vec![ColumnId(2_101)],
        foreign_key: Some(ForeignKeyShape {
            parent: Some(ObjectId(T)),
            columns: vec![ColumnId(T * 100)],
        }),
    });
    let mut base = base(&world);
    World::add_table(&mut base, child);
    world.put(&mut base, 21, None, &[int(1), int(1)]);
    let side = |a: i64, id: i64| {
        edited(&world, &base, |world, version| {
            change(world, version, [2, a, 0]);
            world.put(version, 21, None, &[int(id), int(2)]);
        })
    };
    let options = MergeOptions { renumber: true, ..MergeOptions::default() };
    let merged = world.merge(&base, &side(5, 10), &side(6, 20), &options);
    assert!(merged.conflicts.is_empty());
    let children = world.rows(&merged.version, 21);
    let parent_of = |id: i64| children[rowid_key(id).as_slice()][1].clone();
    assert_eq!((parent_of(1), parent_of(10), parent_of(20)), (int(1), int(2), int(3)));
    assert_eq!(row(&world, &merged.version, 3).unwrap()[1], int(6));
}

#[test]
fn rows_with_a_declared_key_beside_their_rowid_are_matched_by_it() {
    let world = World::new();
    let mut shape = table(T, "t", &[("name", "TEXT"), ("v", "")]);
    shape.primary_key = vec![key_column(T * 100)];
    let shape = shape.with_unique("pk", &[T * 100]);
    let base = World::version(vec![shape]);
    let side = |rows: &[(i64, &str, i64)]| {
        edited(&world, &base, |world, version| {
            for (rowid, name, v) in rows {
                world.put(version, T, Some(*rowid), &[text(name), int(*v)]);
            }
        })
    };
    let one = side(&[(1, "ann", 1), (2, "bob", 2)]);
    let other = side(&[(1, "cid", 3), (2, "ann", 1), (3, "bob", 2)]);
    let (left, right) = both(&world, &base, &one, &other);
    assert!(left.conflicts.is_empty(), "{:?}", left.conflicts);
    assert_eq!(world.contents(&left.version)["t"].len(), 3);
    assert_eq!(world.contents(&left.version), world.contents(&right.version));
    let clash = side(&[(7, "ann", 9)]);
    let (left, _) = both(&world, &base, &one, &clash);
    assert_eq!(left.kinds(), [ConflictKind::Data]);
}

#[test]
fn counters_of_autoincrement_become_the_larger() {
    let world = World::new();
    let mut counted = table(T, "t", &[("id", "INTEGER")]);
    counted.key = KeyShape::Rowid { alias: Some(ColumnId(T * 100)), autoincrement: true };
    let mut counters = table(21, "sqlite_sequence", &[("name", ""), ("seq", "")]);
    counters.holds_counters = true;
    let mut base = World::version(vec![counted, counters]);
    world.put(&mut base, 21, Some(1), &[text("t"), int(5)]);
    let side = |seq: i64| {
        edited(&world, &base, |world, version| {
            world.put(version, 21, Some(1), &[text("t"), int(seq)]);
        })
    };
    let (left, right) = both(&world, &base, &side(9), &side(12));
    assert!(left.conflicts.is_empty());
    assert_eq!(left.counters[&ObjectId(T)], 12);
    assert_eq!(right.counters[&ObjectId(T)], 9, "the target's own 12 stays the larger");
}

#[test]
fn constraints_that_only_the_merge_breaks_are_conflicts() {
    let world = World::new();
    let shape = table(T, "t", &[("id", "INTEGER"), ("a", ""), ("b", "")])
        .with_alias()
        .with_unique("u", &[T * 100 + 1]);
    let mut base = World::version(vec![shape]);
    change(&world, &mut base, [1, 10, 20]);
    let one = edited(&world, &base, |world, version| change(world, version, [2, 11, 0]));
    let other = edited(&world, &base, |world, version| change(world, version, [3, 11, 0]));
    let (left, _) = both(&world, &base, &one, &other);
    assert_eq!(left.kinds(), [ConflictKind::Constraint(Violation::Unique)]);
    // No policy makes a broken constraint whole.
    let wins = world.merge(&base, &one, &other, &MergeOptions::with(Policy::SourceWins));
    assert_eq!(wins.kinds(), [ConflictKind::Constraint(Violation::Unique)]);
    assert_eq!(wins.report.conflict_count(), 1);
}

#[test]
fn a_changed_primary_key_takes_the_other_sides_rows_along() {
    let world = World::new();
    let shape = table(T, "t", &[("k", "INT"), ("a", "INT"), ("b", "INT")]).with_key(&[T * 100]);
    let mut base = World::version(vec![shape]);
    for k in 1..=3 {
        world.put(&mut base, T, None, &[int(k), int(k * 10), int(0)]);
    }
    // The rows are stored anew under the other column.
    let shape = base.shape.tables[0].clone().with_key(&[T * 100 + 1]);
    let shape = TableShape { tree: pandodb_ds::forest::TreeId(99), ..shape };
    let mut rekeyed = World::version(vec![shape]);
    for k in 1..=3 {
        world.put(&mut rekeyed, T, None, &[int(k), int(k * 10), int(i64::from(k == 3))]);
    }
    let changed = edited(&world, &base, |world, version| {
        world.put(version, T, None, &[int(1), int(10), int(5)]);
        world.put(version, T, None, &[int(4), int(40), int(4)]);
        let key = version.shape.tables[0].key_of(&[int(2), int(20), int(0)]).unwrap();
        world.delete(version, T, &key);
    });
    let (left, right) = both(&world, &base, &rekeyed, &changed);
    for merged in [&left, &right] {
        assert!(merged.conflicts.is_empty(), "{:?}", merged.conflicts);
        let shape = &merged.version.shape.tables[0];
        assert_eq!(shape.key, KeyShape::Columns(vec![key_column(T * 100 + 1)]));
        let rows: Vec<Vec<Value>> = world.rows(&merged.version, T).into_values().collect();
        assert_eq!(rows, [[1, 10, 5], [3, 30, 1], [4, 40, 4]].map(|row| row.map(int).to_vec()));
    }
    let other = base.shape.tables[0].clone().with_key(&[T * 100 + 2]);
    let both_keys = edited(&world, &base, |_, version| version.shape.tables[0] = other);
    let (left, _) = both(&world, &base, &rekeyed, &both_keys);
    assert_eq!(left.kinds(), [ConflictKind::Schema]);
}

/// Branches that each added columns and then merged have them at other places of the stored rows:
/// there rows of equal bytes are not equal.
#[test]
fn rows_of_equal_bytes_differ_where_their_columns_do() {
    let world = World::new();
    let of = |columns: &[(u64, usize)]| {
        let mut shape = table(T, "t", &[]);
        let columns = columns.iter();
        shape.columns = columns
            .map(|(id, position)| column(T * 100 + id, &format!("c{id}"), "INT", *position))
            .collect();
        shape.stored_columns = shape.columns.len();
        World::version(vec![shape])
    };
    // The base has column 1 behind column 0, the other version column 2, and column 1 behind it.
    let mut base = of(&[(0, 0), (1, 1)]);
    let mut moved = of(&[(0, 0), (2, 1), (1, 2)]);
    for (rowid, cells) in [(1, [10, 5]), (2, [20, 6])] {
        world.put(&mut base, T, Some(rowid), &cells.map(int));
        let (tree, mut bytes) = (moved.shape.tables[0].tree, Vec::new());
        // As an older row is: it has no cell for the last column.
        encode_values(&cells.map(int), &mut bytes).unwrap();
        world.write(&mut moved, |forest, writer| {
            let key = rowid_key(rowid);
            forest.put(writer, tree, &key, &bytes, PutMode::Replace).map(drop)
        });
    }
    let changed = edited(&world, &base, |world, version| {
        world.put(version, T, Some(1), &[int(11), int(5)]);
    });
    let (left, right) = both(&world, &base, &moved, &changed);
    for merged in [&left, &right] {
        assert!(merged.conflicts.is_empty(), "{:?}", merged.conflicts);
        let shape = &merged.version.shape.tables[0];
        let cells = |rowid: i64| {
            let row = &world.rows(&merged.version, T)[rowid_key(rowid).as_slice()];
            [0, 1, 2].map(|id| row[shape.index_of(ColumnId(T * 100 + id)).unwrap()].clone())
        };
        assert_eq!(cells(1), [int(11), Value::Null, int(5)]);
        assert_eq!(cells(2), [int(20), Value::Null, int(6)]);
    }
}

#[test]
fn after_crossed_merges_what_the_ancestors_disagree_on_is_a_conflict() {
    let world = World::new();
    let mut start = base(&world);
    for id in 2..=4 {
        change(&world, &mut start, [id, 10, 20]);
    }
    // Two ancestors: each changed row 1 its way, one deleted row 2, one changed row 3.
    let first = edited(&world, &start, |world, version| {
        change(world, version, [1, 11, 20]);
        world.delete(version, T, &rowid_key(2));
        change(world, version, [3, 33, 20]);
    });
    let second = edited(&world, &start, |world, version| {
        change(world, version, [1, 12, 20]);
        change(world, version, [2, 22, 20]);
    });
    let middle = world.merge(&start, &first, &second, &MergeOptions::default());
    assert_eq!(middle.conflicts.len(), 2);
    let unsettled = middle.keys().into_iter().collect();
    let options = MergeOptions { unsettled, ..MergeOptions::default() };
    // The crossed merges settled it in two ways, and one side took the change of row 3 back.
    let ours = edited(&world, &middle.version, |world, version| {
        change(world, version, [3, 10, 20]);
        change(world, version, [4, 44, 20]);
    });
    let theirs = edited(&world, &middle.version, |world, version| {
        change(world, version, [1, 12, 20]);
        change(world, version, [2, 22, 20]);
    });
    for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
        let merged = world.merge(&middle.version, ours, theirs, &options);
        assert_eq!(merged.kinds(), [ConflictKind::Data, ConflictKind::DeleteModify]);
        assert_eq!(merged.conflicts[0].base, None);
        assert_eq!(row(&world, &merged.version, 3).unwrap(), [3, 10, 20].map(int));
        assert_eq!(row(&world, &merged.version, 4).unwrap(), [4, 44, 20].map(int));
    }
    // Settled in one way by both, it is settled.
    let merged = world.merge(&middle.version, &theirs, &theirs.clone(), &options);
    assert!(merged.conflicts.is_empty());
    assert_eq!(row(&world, &merged.version, 2).unwrap(), [2, 22, 20].map(int));
}

#[test]
fn conflicts_are_resolved_one_by_one_and_by_rule() {
    let world = World::new();
    let mut base = base(&world);
    change(&world, &mut base, [2, 10, 20]);
    let side = |a: i64| {
        edited(&world, &base, |world, version| {
            change(world, version, [1, a, 20]);
            change(world, version, [2, a, a]);
        })
    };
    let deleted = edited(&world, &side(7), |world, version| {
        change(world, version, [3, 0, 0]);
        world.delete(version, T, &rowid_key(2));
    });
    let other = side(8);
    let mut options = MergeOptions::with(Policy::Manual);
    let found = world.merge(&base, &deleted, &other, &options);
    assert_eq!(found.kinds(), [ConflictKind::Data, ConflictKind::DeleteModify]);
    let picks = &mut options.resolutions.picks;
    picks.insert(found.conflicts[0].key.clone(), Pick::Cell(int(99)));
    let some = world.merge(&base, &deleted, &other, &options);
    assert_eq!(some.keys(), [found.conflicts[1].key.clone()]);
    let cells = vec![(ColumnId(T * 100 + 2), int(5))];
    for (pick, expected) in [
        (Pick::Ours, None),
        (Pick::Delete, None),
        (Pick::Theirs, Some([2, 8, 8])),
        (Pick::Base, Some([2, 10, 20])),
        (Pick::Row(cells), Some([2, 8, 5])),
    ] {
        options.resolutions.picks.insert(found.conflicts[1].key.clone(), pick);
        let merged = world.merge(&base, &deleted, &other, &options);
        assert!(merged.conflicts.is_empty());
        assert_eq!(row(&world, &merged.version, 1).unwrap(), [1, 99, 20].map(int));
        let expected = expected.map(|cells| cells.map(int).to_vec());
        assert_eq!(row(&world, &merged.version, 2), expected);
        assert_eq!(merged.report.tables[&ObjectId(T)].resolved, 2);
    }
    let mut options = MergeOptions::default();
    options.resolutions.rules.insert(RuleScope::All, Pick::Ours);
    options
        .resolutions
        .rules
        .insert(RuleScope::Column(ObjectId(T), ColumnId(T * 100 + 1)), Pick::Theirs);
    let merged = world.merge(&base, &deleted, &other, &options);
    assert!(merged.conflicts.is_empty());
    assert_eq!(row(&world, &merged.version, 1).unwrap()[1], int(8));
    assert_eq!(row(&world, &merged.version, 2), None);
}

#[test]
fn differences_follow_renamed_columns_and_skip_what_was_only_stored_anew() {
    let world = World::new();
    let base = base(&world);
    let new = edited(&world, &base, |world, version| {
        column_mut(version, 1).name = "amount".into();
        let mut added = column(9_001, "c", "", 3);
        added.missing = int(7);
        version.shape.tables[0].columns.push(added);
        version.shape.tables[0].stored_columns = 4;
        world.put(version, T, None, &[int(1), int(10), int(20), int(7)]);
        world.put(version, T, None, &[int(2), int(1), int(1), int(1)]);
    });
    let (old, new) = pair(&base, &new, T);
    let mut diff = crate::diff::RowDiff::new(world.pager(), old, new).unwrap();
    let names: Vec<&str> = diff.columns().iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["id", "amount", "b", "c"]);
    let found = diff.next_difference().unwrap().unwrap();
    assert_eq!((found.key, found.old), (vec![int(2)], None));
    assert_eq!(found.new.unwrap(), [2, 1, 1, 1].map(int));
    assert!(diff.next_difference().unwrap().is_none());
    let differences = crate::diff::compare_shapes(&base.shape, &{
        let mut shape = base.shape.clone();
        shape.tables[0].columns[1].name = "amount".into();
        shape
    });
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].part.as_deref(), Some("amount"));
    let key = Scope::Row(Vec::new());
    assert_ne!(key, Scope::Broken(Vec::new(), String::new()));
}
