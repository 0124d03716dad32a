//! The table of schema changes, each row in both directions.

use pandodb_ds::record::key::rowid_key;

use crate::diff::Version;
use crate::merge::{ConflictKind, MergeOptions, Policy};
use crate::shape::{ColumnId, ConstraintShape, ObjectId, TextShape, Written};
use crate::testing::{Merged, Shaped, World, column, index, int, table};

const T: u64 = 20;

/// `t(id INTEGER PRIMARY KEY, a INT, b INT)` with a row, an index, a view and a check.
fn base(world: &World) -> Version {
    let mut shape = table(T, "t", &[("id", "INTEGER"), ("a", "INT"), ("b", "INT")]).with_alias();
    shape.constraints.push(check("positive", "{c0} > 0", T * 100 + 1));
    let mut version = World::version(vec![shape]);
    world.put(&mut version, T, None, &[1, 10, 20].map(int));
    version.shape.indexes.push(index(50, "t_b", T, T * 100 + 2));
    version.shape.views.push(view(60, "v", "SELECT {c0} FROM {t0}"));
    version
}

fn check(name: &str, definition: &str, column: u64) -> ConstraintShape {
    ConstraintShape {
        name: Some(name.into()),
        definition: definition.into(),
        written: Written::default(),
        columns: vec![ColumnId(column)],
        foreign_key: None,
    }
}

fn view(id: u64, name: &str, definition: &str) -> TextShape {
    TextShape {
        id: ObjectId(id),
        name: name.into(),
        definition: definition.into(),
        written: Written::default(),
        objects: vec![ObjectId(T)],
        columns: vec![ColumnId(T * 100 + 1)],
        hangs_on: None,
    }
}

type Edit = fn(&World, &mut Version);

fn nothing(_: &World, _: &mut Version) {}

/// What a pair of edits leads to: a conflict, or a schema that both directions agree on.
fn run(one: Edit, other: Edit) -> (World, Version, Merged, Merged) {
    let world = World::new();
    let base = base(&world);
    let side = |edit: Edit| {
        let mut version = base.clone();
        edit(&world, &mut version);
        version
    };
    let (ours, theirs) = (side(one), side(other));
    let options = MergeOptions::default();
    let left = world.merge(&base, &ours, &theirs, &options);
    let right = world.merge(&base, &theirs, &ours, &options);
    assert_eq!(left.kinds(), right.kinds(), "{:?} {:?}", left.conflicts, right.conflicts);
    // A policy decides every one of them, and the two mirrored policies agree.
    let wins = world.merge(&base, &ours, &theirs, &MergeOptions::with(Policy::SourceWins));
    let loses = world.merge(&base, &theirs, &ours, &MergeOptions::with(Policy::TargetWins));
    assert_eq!(wins.kinds(), loses.kinds());
    if wins.conflicts.is_empty() {
        assert_eq!(names(&wins.version), names(&loses.version));
        assert_eq!(world.contents(&wins.version), world.contents(&loses.version));
    }
    (world, base, left, right)
}

fn conflict(one: Edit, other: Edit, words: &str) {
    let (_, _, left, _) = run(one, other);
    assert_eq!(left.kinds(), [ConflictKind::Schema], "{words}: {:?}", left.conflicts);
    let detail = &left.conflicts[0].detail;
    assert!(detail.contains(words), "'{words}' is not in '{detail}'");
}

/// Names of everything, sorted.
fn names(version: &Version) -> Vec<String> {
    let shape = &version.shape;
    let mut names: Vec<String> = Vec::new();
    for table in &shape.tables {
        for column in &table.columns {
            let kind = &column.declared_type;
            names.push(format!("{}.{} {kind}", table.name, column.name));
        }
        let constraints = table.constraints.iter();
        names.extend(constraints.map(|it| format!("{}: {}", table.name, it.definition)));
    }
    for text in shape.indexes.iter().chain(&shape.views).chain(&shape.triggers) {
        names.push(format!("{} {}", text.name, text.definition));
    }
    let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    names.sort();
    names
}

fn fine(one: Edit, other: Edit) -> (World, Vec<String>, Merged) {
    let (world, _, left, right) = run(one, other);
    assert!(left.conflicts.is_empty(), "{:?}", left.conflicts);
    assert_eq!(names(&left.version), names(&right.version));
    assert_eq!(world.contents(&left.version), world.contents(&right.version));
    (world, names(&left.version), left)
}

fn has(names: &[String], wanted: &str) -> bool {
    names.iter().any(|name| name.contains(&wanted.to_lowercase()))
}

// What a side can do.

fn add_table(world: &World, version: &mut Version) {
    let id = 30 + version.shape.tables[0].columns.len() as u64;
    World::add_table(version, table(id, "added", &[("id", "INTEGER"), ("x", "")]).with_alias());
    world.put(version, id, None, &[int(1), int(1)]);
}

fn add_table_too(world: &World, version: &mut Version) {
    World::add_table(version, table(40, "Added", &[("id", "INTEGER"), ("x", "")]).with_alias());
    world.put(version, 40, None, &[int(1), int(1)]);
    world.put(version, 40, None, &[int(2), int(2)]);
}

fn add_other_table(world: &World, version: &mut Version) {
    World::add_table(version, table(41, "added", &[("name", "TEXT")]));
    world.put(version, 41, Some(1), &[crate::testing::text("7")]);
}

fn drop_table(_: &World, version: &mut Version) {
    let table = version.shape.tables.remove(0);
    version.forest.drop_tree(table.tree);
    version.shape.indexes.clear();
    version.shape.views.clear();
}

fn drop_and_add_again(world: &World, version: &mut Version) {
    drop_table(world, version);
    World::add_table(version, table(45, "t", &[("id", "INTEGER"), ("z", "")]).with_alias());
}

fn change_row(world: &World, version: &mut Version) {
    world.put(version, T, None, &[1, 11, 20].map(int));
}

fn rename_table(_: &World, version: &mut Version) {
    version.shape.tables[0].name = "renamed".into();
}

fn rename_table_otherwise(_: &World, version: &mut Version) {
    version.shape.tables[0].name = "other".into();
}

fn add_column(world: &World, version: &mut Version) {
    let at = version.shape.tables[0].stored_columns;
    version.shape.tables[0].columns.push(column(7_000, "c", "INT", at));
    version.shape.tables[0].stored_columns += 1;
    world.put(version, T, None, &[1, 10, 20, 30].map(int));
}

fn add_same_column(_: &World, version: &mut Version) {
    let at = version.shape.tables[0].stored_columns;
    version.shape.tables[0].columns.push(column(7_001, "C", "int", at));
    version.shape.tables[0].stored_columns += 1;
}

fn add_other_column(_: &World, version: &mut Version) {
    let at = version.shape.tables[0].stored_columns;
    version.shape.tables[0].columns.push(column(7_002, "c", "TEXT", at));
    version.shape.tables[0].stored_columns += 1;
}

fn drop_column(_: &World, version: &mut Version) {
    version.shape.tables[0].columns.remove(2);
    version.shape.indexes.clear();
}

fn rename_column(_: &World, version: &mut Version) {
    version.shape.tables[0].columns[2].name = "renamed".into();
}

fn rename_column_otherwise(_: &World, version: &mut Version) {
    version.shape.tables[0].columns[2].name = "other".into();
}

fn change_column(_: &World, version: &mut Version) {
    version.shape.tables[0].columns[2].default = Some("1".into());
}

fn change_column_otherwise(_: &World, version: &mut Version) {
    version.shape.tables[0].columns[2].default = Some("2".into());
}

fn widen_column(_: &World, version: &mut Version) {
    version.shape.tables[0].columns[2].declared_type = "BIGINT".into();
}

fn shorten_column(_: &World, version: &mut Version) {
    version.shape.tables[0].columns[2].declared_type = "SMALLINT".into();
}

fn text_column(_: &World, version: &mut Version) {
    let at = version.shape.tables[0].columns[2].position;
    version.shape.tables[0].columns[2] = column(T * 100 + 2, "b", "TEXT", at);
}

fn edit_data_of_column(world: &World, version: &mut Version) {
    world.put(version, T, None, &[1, 10, 21].map(int));
}

fn reorder(_: &World, version: &mut Version) {
    version.shape.tables[0].columns.swap(1, 2);
}

fn add_index(_: &World, version: &mut Version) {
    version.shape.indexes.push(index(51, "new", T, T * 100 + 2));
}

fn add_same_index(_: &World, version: &mut Version) {
    version.shape.indexes.push(index(52, "NEW", T, T * 100 + 2));
}

fn add_other_index(_: &World, version: &mut Version) {
    version.shape.indexes.push(index(53, "new", T, T * 100 + 1));
}

fn drop_index(_: &World, version: &mut Version) {
    version.shape.indexes.clear();
}

fn change_view(_: &World, version: &mut Version) {
    version.shape.views[0].definition = "SELECT {c0} + 1 FROM {t0}".into();
}

fn change_view_otherwise(_: &World, version: &mut Version) {
    version.shape.views[0].definition = "SELECT {c0} + 2 FROM {t0}".into();
}

fn drop_view(_: &World, version: &mut Version) {
    version.shape.views.clear();
}

fn add_trigger(_: &World, version: &mut Version) {
    let trigger = view(70, "new_trigger", "AFTER INSERT ON {t0} SELECT {c0}");
    version.shape.triggers.push(TextShape { hangs_on: Some(ObjectId(T)), ..trigger });
}

fn change_check(_: &World, version: &mut Version) {
    version.shape.tables[0].constraints[0].definition = "{c0} > 1".into();
}

fn change_check_otherwise(_: &World, version: &mut Version) {
    version.shape.tables[0].constraints[0].definition = "{c0} > 2".into();
}

fn drop_check(_: &World, version: &mut Version) {
    version.shape.tables[0].constraints.clear();
}

fn add_check_on_b(_: &World, version: &mut Version) {
    version.shape.tables[0].constraints.push(check("b_small", "{c0} < 100", T * 100 + 2));
}

#[test]
fn added_objects_are_one_when_they_are_the_same() {
    let (world, names, merged) = fine(add_table, nothing);
    assert!(has(&names, "added.x"));
    assert_eq!(world.contents(&merged.version)["added"].len(), 1);
    let (world, _, merged) = fine(add_table, add_table_too);
    assert_eq!(world.contents(&merged.version)["added"].len(), 2);
    conflict(add_table, add_other_table, "different definitions");
    let (_, names, _) = fine(add_index, add_same_index);
    assert_eq!(names.iter().filter(|name| name.starts_with("new ")).count(), 1);
    conflict(add_index, add_other_index, "different definitions");
    let (_, names, _) = fine(add_trigger, nothing);
    assert!(has(&names, "new_trigger"));
}

#[test]
fn dropped_objects_go_unless_the_other_side_changed_them() {
    for other in [drop_table, nothing as Edit] {
        let (_, names, _) = fine(drop_table, other);
        assert!(names.is_empty(), "{names:?}");
    }
    conflict(drop_table, change_row, "dropped the table");
    conflict(drop_table, rename_table, "dropped the table");
    conflict(drop_and_add_again, change_row, "another one of the same name");
    let (_, names, _) = fine(drop_and_add_again, nothing);
    assert!(has(&names, "t.z"));
    let (_, names, _) = fine(drop_index, drop_index);
    assert!(!has(&names, "t_b"));
    let (_, names, _) = fine(drop_view, nothing);
    assert!(!has(&names, "SELECT"));
    conflict(drop_view, change_view, "dropped it");
}

#[test]
fn columns_follow_the_table_of_rules() {
    let (world, names, merged) = fine(add_column, add_same_column);
    assert!(has(&names, "t.c INT"));
    assert_eq!(world.rows(&merged.version, T)[rowid_key(1).as_slice()][3], int(30));
    conflict(add_column, add_other_column, "different definitions");
    let (_, names, _) = fine(drop_column, drop_column);
    assert!(!has(&names, "t.b"));
    conflict(change_column, drop_column, "dropped the column");
    conflict(rename_column, drop_column, "dropped the column");
    fine(change_column, change_column);
    conflict(change_column, change_column_otherwise, "different ways");
    conflict(text_column, widen_column, "different ways");
    for other in [shorten_column, nothing as Edit] {
        let (_, names, _) = fine(widen_column, other);
        assert!(has(&names, "t.b BIGINT"), "{names:?}");
    }
    conflict(change_column, widen_column, "different ways");
}

#[test]
fn renames_keep_what_the_other_side_did() {
    let (world, names, merged) = fine(rename_column, edit_data_of_column);
    assert!(has(&names, "t.renamed") && !has(&names, "t.b"));
    assert_eq!(world.rows(&merged.version, T)[rowid_key(1).as_slice()][2], int(21));
    conflict(rename_column, rename_column_otherwise, "different ways");
    fine(rename_column, rename_column);
    let (_, names, _) = fine(rename_column, change_column);
    assert!(has(&names, "t.renamed"));
    let (world, names, merged) = fine(rename_table, change_row);
    assert!(has(&names, "renamed.a"));
    assert_eq!(world.rows(&merged.version, T)[rowid_key(1).as_slice()][1], int(11));
    let (_, names, _) = fine(rename_table, add_column);
    assert!(has(&names, "renamed.c"));
    conflict(rename_table, rename_table_otherwise, "different ways");
}

#[test]
fn two_things_that_get_one_name_are_a_conflict_that_a_rename_solves() {
    fn rename_to_c(_: &World, version: &mut Version) {
        version.shape.tables[0].columns[1].name = "c".into();
    }
    fn rename_to_added(_: &World, version: &mut Version) {
        version.shape.tables[0].name = "added".into();
    }
    conflict(rename_to_c, add_other_column, "rename one");
    conflict(rename_to_added, add_other_table, "rename one");
}

#[test]
fn texts_and_constraints_of_one_name_must_agree() {
    fine(change_view, change_view);
    fine(change_view, nothing);
    conflict(change_view, change_view_otherwise, "different ways");
    fine(change_check, nothing);
    fine(change_check, change_check);
    fine(drop_check, drop_check);
    let (_, names, _) = fine(drop_check, nothing);
    assert!(!has(&names, "{c0} > 0"));
    conflict(change_check, change_check_otherwise, "different ways");
    conflict(change_check, drop_check, "different ways");
}

#[test]
fn what_mentions_a_dropped_thing_is_a_conflict() {
    conflict(add_index, drop_column, "the other branch dropped");
    conflict(add_check_on_b, drop_column, "the other branch dropped");
    conflict(add_trigger, drop_table, "the other branch dropped");
    fine(add_check_on_b, drop_index);
}

#[test]
fn the_order_of_columns_is_nobodys_change() {
    let (_, _, merged) = fine(reorder, add_column);
    let names: Vec<&str> =
        merged.version.shape.tables[0].columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["id", "b", "a", "c"], "the target's order, then the source's new ones");
}
