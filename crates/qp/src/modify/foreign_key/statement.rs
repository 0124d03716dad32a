//! What both sides of a key share: its columns, and how the engine's own statements run.
//!
//! Neighbours: `child`, `parent`.

use pandodb_ds::record::Value;

use crate::catalog::{DatabaseIndex, ForeignKey, IndexColumn, Table};
use crate::error::{Error, Result};
use crate::execute::{Context, Frame, Kept, Outer, Parameters};
use crate::modify::trigger::NESTED_TOO_DEEP;
use crate::modify::{TableWriter, TriggerStatement, checking};

/// What only a row itself fulfils: of its rowid, parameter `first`, or of its primary key, whose
/// positions are returned.
pub(super) fn own_key(table: &Table, first: usize) -> (String, Vec<usize>) {
    if table.has_rowid() {
        let name = quoted(table.rowid_name().unwrap_or("rowid"));
        return (format!("{name} = ?{first}"), Vec::new());
    }
    let columns: Vec<usize> = table.key_columns().iter().filter_map(IndexColumn::column).collect();
    let term = |(place, index): (usize, &usize)| {
        format!("{} IS ?{}", quoted(&table.columns[*index].name), first + place)
    };
    let terms: Vec<String> = columns.iter().enumerate().map(term).collect();
    let positions = columns.iter().map(|index| table.columns[*index].position).collect();
    (terms.join(" AND "), positions)
}

/// The parameters of a row's [`own_key`].
pub(super) fn own_values(row: &Kept, positions: &[usize]) -> Vec<Value> {
    if !positions.is_empty() {
        return positions_of(row, positions);
    }
    let rowid = match row {
        Kept::Values { rowid, .. } | Kept::Record { rowid, .. } => *rowid,
        Kept::Null => 0,
    };
    vec![Value::Integer(rowid)]
}

/// The referenced columns of a key: as written, or the parent's primary key.
pub(super) fn referenced(parent: &Table, key: &ForeignKey) -> Option<Vec<usize>> {
    if key.parent_columns.is_empty() {
        let primary = parent.primary_key.as_ref()?;
        let columns: Vec<usize> = primary.columns.iter().filter_map(IndexColumn::column).collect();
        return (columns.len() == key.columns.len()).then_some(columns);
    }
    key.parent_columns.iter().map(|name| parent.column_index(name)).collect()
}

/// Whether the columns are a key of the table.
pub(super) fn is_key(parent: &Table, columns: &[usize]) -> bool {
    let same = |known: &[IndexColumn]| {
        known.len() == columns.len()
            && known.iter().all(|column| {
                column.column().is_some_and(|index| {
                    columns.contains(&index) && column.collation == parent.columns[index].collation
                })
            })
    };
    if parent.rowid_alias().is_some_and(|alias| columns == [alias]) {
        return true;
    }
    parent.primary_key.as_ref().is_some_and(|key| same(&key.columns))
        || parent
            .indexes
            .iter()
            .any(|index| index.unique.is_some() && index.filter.is_none() && same(&index.columns))
}

/// Whether a foreign key leads to a key of its parent.
pub(crate) fn has_parent_key(parent: &Table, key: &ForeignKey) -> bool {
    referenced(parent, key).is_some_and(|columns| is_key(parent, &columns))
}

/// What is wrong with one that does not.
pub(crate) fn mismatch(child: &str, parent: &str) -> String {
    format!("foreign key mismatch - \"{child}\" referencing \"{parent}\"")
}

/// A name in double quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn positions_of(row: &Kept, positions: &[usize]) -> Vec<Value> {
    match row {
        Kept::Values { values, .. } => positions
            .iter()
            .map(|position| values.get(*position).cloned().unwrap_or(Value::Null))
            .collect(),
        _ => vec![Value::Null; positions.len()],
    }
}

pub(super) fn has_null(values: &[Value]) -> bool {
    values.iter().any(Value::is_null)
}

/// Runs a counting query of the engine's own.
pub(super) fn count(
    writer: &TableWriter,
    sql: &str,
    values: &[Value],
    outer: Outer<'_>,
) -> Result<i64> {
    let plan = outer.context.compiler.query(home(writer), sql)?;
    let context = Context { parameters: Parameters::Values(values), ..*outer.context };
    let inner = Outer { context: &context, scope: None };
    let mut frame = Frame::new(plan.layout);
    checking(writer, outer, || {
        plan.root.open(&mut frame, inner)?;
        if plan.root.next(&mut frame, inner)?
            && let Some(output) = plan.outputs.first()
            && let Value::Integer(count) = output.evaluate(&frame.scope(inner))?.into_value()
        {
            return Ok(count);
        }
        Ok(0)
    })
}

/// Runs a change of the engine's own.
pub(super) fn run(
    writer: &TableWriter,
    sql: &str,
    values: &[Value],
    outer: Outer<'_>,
) -> Result<()> {
    let run = outer.context.run;
    let depth = run.depth.get();
    if depth >= outer.context.settings.trigger_depth_max {
        return Err(Error::invalid(NESTED_TOO_DEEP));
    }
    let plan = outer.context.compiler.change(home(writer), sql)?;
    let context = Context { parameters: Parameters::Values(values), ..*outer.context };
    let inner = Outer { context: &context, scope: None };
    let mut frame = Frame::new(plan.layout);
    run.depth.set(depth + 1);
    let around = run.conflict.take();
    // The children that it finds must be all that there are at the commit, too.
    let result = checking(writer, outer, || plan.run(&mut frame, inner));
    run.conflict.set(around);
    run.depth.set(depth);
    let changes = result?;
    let counters = outer.context.counters;
    counters.total_changes.set(counters.total_changes.get() + changes.rows as i64);
    Ok(())
}

fn home(writer: &TableWriter) -> DatabaseIndex {
    writer.table.database
}

impl TriggerStatement {
    /// Whether the statement changes anything.
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Modify(_))
    }
}
