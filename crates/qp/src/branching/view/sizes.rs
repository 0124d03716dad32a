//! `pando_sizes([branch])`: what branches and their tables take, to the byte.
//!
//! The newest state is written out first (a checkpoint), because only what lies in the file has a
//! size. A branch's row counts all of it; rows of tables and indexes count their pages.
//! `freed_bytes` is what the file gets back once the branch is dropped: what it owns, and what only
//! moments hold that are dropped with it (where it left its parent, say). Neighbours: the branch
//! crate walks what a branch owns and remembers what it shares.

use pandodb_branch::registry::{Branch, Point};
use pandodb_branch::sizes::Size;
use pandodb_ds::forest::TreeId;
use pandodb_ds::record::Value;

use super::text_argument;
use crate::branching::show::text;
use crate::branching::{Rows, Work};
use crate::catalog::{DatabaseIndex, Schema, load_forest};
use crate::error::Result;

/// The columns.
pub(super) const COLUMNS: &[&str] = &[
    "branch_name",
    "object_type",
    "object_name",
    "own_bytes",
    "shared_bytes",
    "total_bytes",
    "freed_bytes",
];

pub(super) fn rows(work: &Work<'_>, arguments: &[Value]) -> Result<Rows> {
    let branches = match text_argument(arguments, 0) {
        Some(name) => vec![work.readable_branch(&name)?],
        None => work.readable()?,
    };
    let (database, _) = work.session.database(DatabaseIndex::MAIN)?;
    match database.manager().checkpoint(pandodb_tm::CheckpointMode::Full) {
        // What cannot be written has the sizes that it had.
        Err(error) if error.kind() != pandodb_tm::ErrorKind::ReadOnly => return Err(error.into()),
        _ => {}
    }
    let mut rows = Vec::new();
    for branch in branches {
        branch_rows(work, &branch, &mut rows)?;
    }
    Ok(rows)
}

fn branch_rows(work: &Work<'_>, branch: &Branch, rows: &mut Rows) -> Result<()> {
    let (database, _) = work.session.database(DatabaseIndex::MAIN)?;
    let size = database.sizes().of(&work.branches, &branch.name)?;
    let row = |kind: &str, name: &str, size: Size| {
        vec![
            text(&branch.name),
            text(kind),
            text(name),
            Value::Integer(size.own_bytes as i64),
            Value::Integer(size.shared_bytes as i64),
            Value::Integer(size.total_bytes() as i64),
            Value::Integer(size.freed_bytes as i64),
        ]
    };
    rows.push(row("branch", &branch.name, size.all));
    let view = work.branches.view(&branch.name, &Point::Now)?;
    let pager = work.branches.manager().pager();
    let schema = work.session.with_stored_collations(|find| {
        load_forest(pager, &view.forest(), DatabaseIndex::MAIN, find)
    })?;
    let mut trees: Vec<(&'static str, String, Size)> = Vec::new();
    for (tree, size) in size.trees {
        let (kind, name) = named(&schema, tree);
        trees.push((kind, name, size));
    }
    trees.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    rows.extend(trees.into_iter().map(|(kind, name, size)| row(kind, &name, size)));
    Ok(())
}

/// What a tree is in a schema.
fn named(schema: &Schema, tree: TreeId) -> (&'static str, String) {
    if let Some(table) = schema.tables.values().find(|table| table.tree == tree) {
        return ("table", table.name.to_string());
    }
    if let Some(index) = schema.indexes.values().find(|index| index.tree == tree) {
        return ("index", index.name.to_string());
    }
    if tree == crate::store::CATALOG_TREE {
        return ("catalog", "sqlite_schema".to_owned());
    }
    ("other", format!("#{}", tree.0))
}
