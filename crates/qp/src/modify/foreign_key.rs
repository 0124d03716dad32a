//! Foreign keys: the child's promise, the parent's actions.
//!
//! As in SQLite, a broken key is counted, not refused: a child without parent adds one, what
//! mends it takes one away, and the count must be zero at the end of the statement (or, for
//! deferred keys, of the transaction). Looking up parents and children and the actions are
//! statements in SQL that the engine writes itself, compiled once. Neighbours: `insert`,
//! `update`, `delete` call this; `session` looks at the counts.

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::{TableWriter, TriggerStatement, checking};
use crate::ast::ForeignKeyAction;
use crate::catalog::{DatabaseIndex, ForeignKey, IndexColumn, Schema, Table};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{Context, Frame, Kept, Outer, Parameters};
use crate::types::{Affinity, BuiltInCollations, compare};

/// The foreign keys of a table, from both sides.
#[derive(Debug, Default)]
pub(super) struct ForeignKeys {
    as_child: Vec<ChildKey>,
    as_parent: Vec<ParentKey>,
}

/// A key in which the table is the child.
#[derive(Debug)]
struct ChildKey {
    /// Positions of its columns in the row.
    positions: Vec<usize>,
    deferred: bool,
    /// Finds the parent; or why there can be none.
    lookup: Result<Box<str>, (ErrorKind, String)>,
    /// In a table that refers to itself.
    own: Option<OwnParent>,
}

/// How a row finds out whether it is its own parent: as in SQLite only if it has the key's very
/// values, while other rows are found by what the parent's columns make of them.
#[derive(Debug)]
struct OwnParent {
    /// Positions of the referenced columns in the row.
    referenced: Vec<usize>,
    /// Finds a parent that is not the row itself.
    others: Box<str>,
    /// Positions of the row's own key; none where that is its rowid.
    key: Vec<usize>,
}

/// A key in which the table is the parent.
#[derive(Debug)]
struct ParentKey {
    /// Positions of the referenced columns in the row; or why there are none.
    positions: Result<Vec<usize>, String>,
    deferred: bool,
    on_delete: ForeignKeyAction,
    on_update: ForeignKeyAction,
    /// Counts the children of a key.
    count: Box<str>,
    /// The same without one row: in a table that refers to itself.
    count_others: Option<(Box<str>, Vec<usize>)>,
    /// Deletes the children.
    cascade_delete: Box<str>,
    /// Gives the children a new key: parameters of the old one behind those of the new one.
    cascade_update: Box<str>,
    /// Sets the children's columns to NULL, to their defaults.
    set_null: Box<str>,
    set_default: Box<str>,
}

impl ForeignKeys {
    /// The keys of a table.
    pub(super) fn of(schema: &Schema, table: &Arc<Table>) -> Self {
        let as_child =
            table.foreign_keys.iter().map(|key| ChildKey::new(schema, table, key)).collect();
        let as_parent = schema
            .children_of(&table.name)
            .iter()
            .map(|(child, number)| ParentKey::new(table, child, &child.foreign_keys[*number]))
            .collect();
        Self { as_child, as_parent }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.as_child.is_empty() && self.as_parent.is_empty()
    }

    /// Whether children refer to what stands at a position of the row.
    pub(super) fn refer_to(&self, position: usize) -> bool {
        let mut keys = self.as_parent.iter().filter_map(|key| key.positions.as_ref().ok());
        keys.any(|positions| positions.contains(&position))
    }

    /// Refuses a change of rows that could not be looked up by one of their keys, because there is
    /// no parent or it has no such key; `sets` tells which columns the change touches. As in
    /// SQLite it does not matter which values they have.
    pub(super) fn broken(&self, table: &Table, sets: impl Fn(usize) -> bool) -> Result<()> {
        for (key, declared) in self.as_child.iter().zip(&table.foreign_keys) {
            if let Err((kind, message)) = &key.lookup
                && declared.columns.iter().any(|column| sets(*column))
            {
                return Err(Error::new(*kind, message.clone()));
            }
        }
        Ok(())
    }

    /// The row in the row slot went in.
    pub(super) fn inserted(
        &self,
        writer: &TableWriter,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let row = frame.slot(writer.row).keep()?;
        for key in &self.as_child {
            key.added(writer, &row, outer)?;
        }
        for key in &self.as_parent {
            key.mended(writer, &row, outer)?;
        }
        Ok(())
    }

    /// A row is about to go, or to change: RESTRICT speaks up at once.
    pub(super) fn removing(
        &self,
        writer: &TableWriter,
        old: &Kept,
        new: Option<&Kept>,
        _: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        for key in &self.as_parent {
            let action = if new.is_some() { key.on_update } else { key.on_delete };
            if action != ForeignKeyAction::Restrict {
                continue;
            }
            let values = key.values(writer, old)?;
            if new.is_some_and(|new| key.values(writer, new).is_ok_and(|other| other == values)) {
                continue;
            }
            // A row that goes does not stand in its own way.
            let children = || match new {
                Some(_) => count(writer, &key.count, &values, outer),
                None => key.count_others(writer, old, values.clone(), outer),
            };
            if !has_null(&values) && children()? > 0 {
                // In SQLite it is a trigger that says so.
                let message = "FOREIGN KEY constraint failed";
                return Err(Error::constraint(Constraint::Trigger, message));
            }
        }
        Ok(())
    }

    /// A row is gone.
    pub(super) fn removed(&self, writer: &TableWriter, old: &Kept, outer: Outer<'_>) -> Result<()> {
        for key in &self.as_child {
            key.taken(writer, old, outer);
        }
        for key in &self.as_parent {
            let values = key.values(writer, old)?;
            if has_null(&values) {
                continue;
            }
            match key.on_delete {
                ForeignKeyAction::Cascade => run(writer, &key.cascade_delete, &values, outer)?,
                ForeignKeyAction::SetNull => run(writer, &key.set_null, &values, outer)?,
                ForeignKeyAction::SetDefault => run(writer, &key.set_default, &values, outer)?,
                ForeignKeyAction::NoAction | ForeignKeyAction::Restrict => {
                    let children = count(writer, &key.count, &values, outer)?;
                    violate(key.deferred, children, outer.context);
                }
            }
        }
        Ok(())
    }

    /// A row has changed; `assigned` are the positions of the columns that were set. As in
    /// SQLite the parent is looked up even if they were set to what they were: the key may have
    /// been broken while foreign keys were off.
    pub(super) fn updated(
        &self,
        writer: &TableWriter,
        old: &Kept,
        new: &Kept,
        assigned: &[usize],
        outer: Outer<'_>,
    ) -> Result<()> {
        for key in &self.as_child {
            let is_set = key.positions.iter().any(|position| assigned.contains(position));
            if is_set || key.values(old) != key.values(new) {
                key.taken(writer, old, outer);
                key.added(writer, new, outer)?;
            }
        }
        for key in &self.as_parent {
            let (before, after) = (key.values(writer, old)?, key.values(writer, new)?);
            if before == after {
                continue;
            }
            if !has_null(&before) {
                match key.on_update {
                    ForeignKeyAction::Cascade => {
                        let mut values = after.clone();
                        values.extend(before);
                        run(writer, &key.cascade_update, &values, outer)?;
                    }
                    ForeignKeyAction::SetNull => run(writer, &key.set_null, &before, outer)?,
                    ForeignKeyAction::SetDefault => run(writer, &key.set_default, &before, outer)?,
                    ForeignKeyAction::NoAction | ForeignKeyAction::Restrict => {
                        let children = count(writer, &key.count, &before, outer)?;
                        violate(key.deferred, children, outer.context);
                    }
                }
            }
            key.mended(writer, new, outer)?;
        }
        Ok(())
    }
}

impl ChildKey {
    fn new(schema: &Schema, table: &Table, key: &ForeignKey) -> Self {
        let positions = key.columns.iter().map(|index| table.columns[*index].position).collect();
        let lookup = parent_lookup(schema, table, key);
        let own = lookup.as_ref().ok().and_then(|sql| OwnParent::new(table, key, sql));
        Self { positions, deferred: key.deferred, lookup, own }
    }

    fn values(&self, row: &Kept) -> Vec<Value> {
        positions_of(row, &self.positions)
    }

    fn has_parent(&self, writer: &TableWriter, values: &[Value], outer: Outer<'_>) -> Result<bool> {
        match &self.lookup {
            Ok(sql) => Ok(count(writer, sql, values, outer)? > 0),
            Err((kind, message)) => Err(Error::new(*kind, message.clone())),
        }
    }

    /// A child came.
    fn added(&self, writer: &TableWriter, row: &Kept, outer: Outer<'_>) -> Result<()> {
        let values = self.values(row);
        if has_null(&values) {
            return Ok(());
        }
        let is_found = match &self.own {
            Some(own) => {
                own.is_itself(row, &values) || own.has_other(writer, row, &values, outer)?
            }
            None => self.has_parent(writer, &values, outer)?,
        };
        if !is_found {
            violate(self.deferred, 1, outer.context);
        }
        Ok(())
    }

    /// A child went: if it had no parent, that is mended.
    fn taken(&self, writer: &TableWriter, row: &Kept, outer: Outer<'_>) {
        if !any_violation(outer.context) {
            return;
        }
        let values = self.values(row);
        if self.own.as_ref().is_some_and(|own| own.is_itself(row, &values)) {
            return;
        }
        // Where no parent can be looked up none was missed before either.
        if !has_null(&values) && !self.has_parent(writer, &values, outer).unwrap_or(true) {
            violate(self.deferred, -1, outer.context);
        }
    }
}

impl OwnParent {
    fn new(table: &Table, key: &ForeignKey, lookup: &str) -> Option<Self> {
        let referenced = referenced(table, key)?;
        // What is looked up as a rowid is made a number before the row compares it with its own.
        if !key.parent.eq_ignore_ascii_case(&table.name)
            || table.rowid_alias().is_some_and(|alias| referenced == [alias])
        {
            return None;
        }
        let (own, positions) = own_key(table, key.columns.len() + 1);
        Some(Self {
            referenced: referenced.iter().map(|index| table.columns[*index].position).collect(),
            others: format!("{lookup} AND NOT ({own})").into(),
            key: positions,
        })
    }

    fn is_itself(&self, row: &Kept, values: &[Value]) -> bool {
        let own = positions_of(row, &self.referenced);
        own.len() == values.len()
            && own.iter().zip(values).all(|(own, value)| {
                !own.is_null()
                    && compare(own.as_ref(), value.as_ref(), Collation::Binary, &BuiltInCollations)
                        .is_eq()
            })
    }

    fn has_other(
        &self,
        writer: &TableWriter,
        row: &Kept,
        values: &[Value],
        outer: Outer<'_>,
    ) -> Result<bool> {
        let mut values = values.to_vec();
        values.extend(own_values(row, &self.key));
        Ok(count(writer, &self.others, &values, outer)? > 0)
    }
}

impl ParentKey {
    fn new(parent: &Table, child: &Arc<Table>, key: &ForeignKey) -> Self {
        let names: Vec<String> =
            key.columns.iter().map(|index| quoted(&child.columns[*index].name)).collect();
        let table = quoted(&child.name);
        // A number is found by its text, too, where the child's column has no type that makes a
        // number of it.
        let parents = referenced(parent, key).unwrap_or_default();
        let is_loose = |place: usize| {
            let own = child.columns[key.columns[place]].affinity;
            let theirs = parents.get(place).map(|index| parent.columns[*index].affinity);
            own <= Affinity::Blob && theirs.is_some_and(Affinity::is_numeric)
        };
        // Children are found by the parent's collation.
        let collated = |place: usize| {
            let own = child.columns[key.columns[place]].collation;
            let theirs = parents.get(place).map(|index| parent.columns[*index].collation);
            match theirs.filter(|theirs| *theirs != own) {
                Some(Collation::Binary) => " COLLATE BINARY",
                Some(Collation::NoCase) => " COLLATE NOCASE",
                Some(Collation::RTrim) => " COLLATE RTRIM",
                Some(Collation::Custom(_)) | None => "",
            }
        };
        let wheres = |first: usize| -> String {
            let terms = names.iter().enumerate();
            let terms: Vec<String> = terms
                .map(|(place, name)| {
                    let (value, collated) = (first + place, collated(place));
                    if !collated.is_empty() {
                        format!("{name} = ?{value}{collated}")
                    } else if is_loose(place) {
                        format!("{name} IN (?{value}, CAST(?{value} AS TEXT))")
                    } else {
                        format!("{name} = ?{value}")
                    }
                })
                .collect();
            terms.join(" AND ")
        };
        let sets = |value: &dyn Fn(usize) -> String| -> String {
            let terms = names.iter().enumerate();
            let terms: Vec<String> =
                terms.map(|(place, name)| format!("{name} = {}", value(place))).collect();
            terms.join(", ")
        };
        let count = format!("SELECT count(*) FROM {table} WHERE {}", wheres(1));
        let others = (child.id == parent.id).then(|| {
            let (own, positions) = own_key(child, names.len() + 1);
            (format!("{count} AND NOT ({own})").into(), positions)
        });
        let default = |place: usize| {
            let column = &child.columns[key.columns[place]];
            column.default_text.as_ref().map_or("NULL".to_owned(), |text| format!("({text})"))
        };
        Self {
            positions: parent_positions(parent, child, key),
            deferred: key.deferred,
            on_delete: key.on_delete,
            on_update: key.on_update,
            count_others: others,
            count: count.into(),
            cascade_delete: format!("DELETE FROM {table} WHERE {}", wheres(1)).into(),
            cascade_update: format!(
                "UPDATE {table} SET {} WHERE {}",
                sets(&|place| format!("?{}", place + 1)),
                wheres(names.len() + 1)
            )
            .into(),
            set_null: format!(
                "UPDATE {table} SET {} WHERE {}",
                sets(&|_| "NULL".to_owned()),
                wheres(1)
            )
            .into(),
            set_default: format!("UPDATE {table} SET {} WHERE {}", sets(&default), wheres(1))
                .into(),
        }
    }

    fn values(&self, _: &TableWriter, row: &Kept) -> Result<Vec<Value>> {
        match &self.positions {
            Ok(positions) => Ok(positions_of(row, positions)),
            Err(message) => Err(Error::invalid(message.clone())),
        }
    }

    /// How many children a key has without the row itself, which may be one of them.
    fn count_others(
        &self,
        writer: &TableWriter,
        row: &Kept,
        mut values: Vec<Value>,
        outer: Outer<'_>,
    ) -> Result<i64> {
        let Some((sql, positions)) = &self.count_others else {
            return count(writer, &self.count, &values, outer);
        };
        values.extend(own_values(row, positions));
        count(writer, sql, &values, outer)
    }

    /// A parent came: children that waited for it are whole again.
    fn mended(&self, writer: &TableWriter, row: &Kept, outer: Outer<'_>) -> Result<()> {
        if !any_violation(outer.context) {
            return Ok(());
        }
        let values = self.values(writer, row)?;
        if has_null(&values) {
            return Ok(());
        }
        let children = self.count_others(writer, row, values, outer)?;
        violate(self.deferred, -children, outer.context);
        Ok(())
    }
}

/// What only a row itself fulfils: of its rowid, parameter `first`, or of its primary key, whose
/// positions are returned.
fn own_key(table: &Table, first: usize) -> (String, Vec<usize>) {
    if table.has_rowid() {
        return (format!("rowid = ?{first}"), Vec::new());
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
fn own_values(row: &Kept, positions: &[usize]) -> Vec<Value> {
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
fn referenced(parent: &Table, key: &ForeignKey) -> Option<Vec<usize>> {
    if key.parent_columns.is_empty() {
        let primary = parent.primary_key.as_ref()?;
        let columns: Vec<usize> = primary.columns.iter().filter_map(IndexColumn::column).collect();
        return (columns.len() == key.columns.len()).then_some(columns);
    }
    key.parent_columns.iter().map(|name| parent.column_index(name)).collect()
}

/// Whether the columns are a key of the table.
fn is_key(parent: &Table, columns: &[usize]) -> bool {
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

fn mismatch(child: &str, parent: &str) -> String {
    format!("foreign key mismatch - \"{child}\" referencing \"{parent}\"")
}

fn parent_positions(parent: &Table, child: &Table, key: &ForeignKey) -> Result<Vec<usize>, String> {
    match referenced(parent, key) {
        Some(columns) if is_key(parent, &columns) => {
            Ok(columns.into_iter().map(|index| parent.columns[index].position).collect())
        }
        _ => Err(mismatch(&child.name, &parent.name)),
    }
}

/// The statement that finds the parent.
fn parent_lookup(
    schema: &Schema,
    child: &Table,
    key: &ForeignKey,
) -> Result<Box<str>, (ErrorKind, String)> {
    let Some(parent) = schema.table(&key.parent) else {
        return Err((ErrorKind::NotFound, format!("no such table: main.{}", key.parent)));
    };
    let columns = referenced(parent, key).filter(|columns| is_key(parent, columns));
    let Some(columns) = columns else {
        return Err((ErrorKind::Invalid, mismatch(&child.name, &key.parent)));
    };
    let terms: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, index)| format!("{} = ?{}", quoted(&parent.columns[*index].name), place + 1))
        .collect();
    let table = quoted(&parent.name);
    Ok(format!("SELECT count(*) FROM {table} WHERE {}", terms.join(" AND ")).into())
}

/// A name in double quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn positions_of(row: &Kept, positions: &[usize]) -> Vec<Value> {
    match row {
        Kept::Values { values, .. } => positions
            .iter()
            .map(|position| values.get(*position).cloned().unwrap_or(Value::Null))
            .collect(),
        _ => vec![Value::Null; positions.len()],
    }
}

fn has_null(values: &[Value]) -> bool {
    values.iter().any(Value::is_null)
}

fn any_violation(context: &Context<'_>) -> bool {
    let counters = context.counters;
    counters.immediate_violations.get() != 0 || counters.deferred_violations.get() != 0
}

fn violate(deferred: bool, by: i64, context: &Context<'_>) {
    let counters = context.counters;
    let counter = if deferred || context.settings.defer_foreign_keys {
        &counters.deferred_violations
    } else {
        &counters.immediate_violations
    };
    counter.set(counter.get() + by);
}

/// Runs a counting query of the engine's own.
fn count(writer: &TableWriter, sql: &str, values: &[Value], outer: Outer<'_>) -> Result<i64> {
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
fn run(writer: &TableWriter, sql: &str, values: &[Value], outer: Outer<'_>) -> Result<()> {
    let run = outer.context.run;
    let depth = run.depth.get();
    if depth >= outer.context.settings.trigger_depth_max {
        return Err(Error::invalid("too many levels of trigger recursion"));
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
