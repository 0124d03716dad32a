//! A key from the parent's side: how many children a row has, and what happens to them.
//!
//! Neighbours: `child` looks the other way round, `statement` runs what is written here.

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::look::Look;
use super::statement::{
    count, has_null, is_key, mismatch, own_key, own_values, positions_of, quoted, referenced, run,
};
use super::{Effect, is_settled, violate};
use crate::ast::ForeignKeyAction;
use crate::catalog::{Column, ForeignKey, IndexColumn, Table};
use crate::error::{Constraint, Error, Result};
use crate::execute::{Kept, Outer};
use crate::modify::TableWriter;
use crate::types::{Affinity, compare};

/// A key in which the table is the parent.
#[derive(Debug)]
pub(super) struct ParentKey {
    /// Positions of the referenced columns in the row, with their collations; or why there are
    /// none.
    columns: Result<Vec<(usize, Collation)>, String>,
    /// Positions of the columns that it names, whether they are a key or not.
    named: Vec<usize>,
    pub(super) deferred: bool,
    on_delete: ForeignKeyAction,
    pub(super) on_update: ForeignKeyAction,
    statements: Statements,
    /// Counts the children without a statement.
    look: Option<Look>,
    child: Arc<Table>,
    /// The child's columns, which actions set.
    set: Vec<usize>,
    /// As `count`, without one row: in a table that refers to itself.
    count_others: Option<(Box<str>, Vec<usize>)>,
}

/// What is asked of the children and done to them; parameters are the parent's values.
#[derive(Debug)]
struct Statements {
    /// Counts the children of a key.
    count: Box<str>,
    /// Deletes the children.
    cascade_delete: Box<str>,
    /// Gives the children a new key: parameters of the old one behind those of the new one.
    cascade_update: Box<str>,
    /// Sets the children's columns to NULL, to their defaults.
    set_null: Box<str>,
    set_default: Box<str>,
}

impl ParentKey {
    pub(super) fn new(parent: &Table, child: &Arc<Table>, key: &ForeignKey) -> Self {
        let statements = Statements::new(parent, child, key);
        let count_others = (child.id == parent.id).then(|| {
            let (own, positions) = own_key(child, key.columns.len() + 1);
            (format!("{} AND NOT ({own})", statements.count).into(), positions)
        });
        Self {
            columns: parent_columns(parent, child, key),
            named: named(parent, key),
            deferred: key.deferred,
            on_delete: key.on_delete,
            on_update: key.on_update,
            statements,
            look: children_look(parent, child, key),
            child: child.clone(),
            set: key.columns.clone(),
            count_others,
        }
    }

    /// Whether a change of the columns at some positions sets it.
    pub(super) fn is_set(&self, assigned: &[usize]) -> bool {
        self.named.iter().any(|position| assigned.contains(position))
    }

    pub(super) fn check_definition(&self) -> Result<()> {
        self.columns
            .as_ref()
            .map_or_else(|message| Err(Error::invalid(message.clone())), |_| Ok(()))
    }

    /// What the action does to the children of a parent that goes, or changes; an error where it
    /// would set what cannot be set.
    pub(super) fn effect(&self, goes: bool) -> Result<Option<Effect>> {
        let effect = |set| Ok(Some(Effect { child: self.child.clone(), set }));
        match if goes { self.on_delete } else { self.on_update } {
            ForeignKeyAction::Restrict | ForeignKeyAction::NoAction => Ok(None),
            ForeignKeyAction::Cascade if goes => effect(None),
            ForeignKeyAction::SetNull
            | ForeignKeyAction::SetDefault
            | ForeignKeyAction::Cascade => {
                let columns = self.set.iter().map(|index| &self.child.columns[*index]);
                let mut generated = columns.clone().filter(|column| column.generated.is_some());
                if let Some(Column { name, .. }) = generated.next() {
                    let message = format!("cannot UPDATE generated column \"{name}\"");
                    let hint = "an action of a foreign key would set it";
                    return Err(Error::invalid(message).with_hint(hint));
                }
                effect(Some(columns.map(|column| column.position).collect()))
            }
        }
    }

    /// A row's values of the key; none where no child can refer to them.
    fn values(&self, row: &Kept) -> Option<Vec<Value>> {
        let columns = self.columns.as_ref().ok()?;
        let positions: Vec<usize> = columns.iter().map(|(position, _)| *position).collect();
        let values = positions_of(row, &positions);
        (!has_null(&values)).then_some(values)
    }

    /// How many children a key has, without one row, which may be one of them.
    fn count(
        &self,
        writer: &TableWriter,
        mut values: Vec<Value>,
        hidden: Option<&Kept>,
        outer: Outer<'_>,
    ) -> Result<i64> {
        match (&self.count_others, hidden) {
            (Some((sql, positions)), Some(hidden)) => {
                values.extend(own_values(hidden, positions));
                count(writer, sql, &values, outer)
            }
            _ => self.count_all(writer, &values, outer),
        }
    }

    fn count_all(&self, writer: &TableWriter, values: &[Value], outer: Outer<'_>) -> Result<i64> {
        match &self.look {
            Some(look) => look.count(writer, values, outer),
            None => count(writer, &self.statements.count, values, outer),
        }
    }

    /// A parent goes: its children miss it, until an action says what becomes of them. Tells
    /// whether there are none: the row itself, which is left out, may be one that is meant.
    pub(super) fn missed(
        &self,
        writer: &TableWriter,
        row: &Kept,
        outer: Outer<'_>,
    ) -> Result<bool> {
        let Some(values) = self.values(row) else { return Ok(true) };
        let children = self.count(writer, values, Some(row), outer)?;
        violate(self.deferred, children, outer.context);
        Ok(children == 0 && self.count_others.is_none())
    }

    /// A parent comes: children that waited for it are whole again.
    pub(super) fn mended(
        &self,
        writer: &TableWriter,
        row: &Kept,
        hidden: Option<&Kept>,
        outer: Outer<'_>,
    ) -> Result<()> {
        if is_settled(self.deferred, outer.context) {
            return Ok(());
        }
        if let Some(values) = self.values(row) {
            let children = self.count(writer, values, hidden, outer)?;
            violate(self.deferred, -children, outer.context);
        }
        Ok(())
    }

    /// A parent went, or became `new`.
    pub(super) fn act(
        &self,
        writer: &TableWriter,
        old: &Kept,
        new: Option<&Kept>,
        outer: Outer<'_>,
    ) -> Result<()> {
        let action = if new.is_some() { self.on_update } else { self.on_delete };
        let Some(values) = self.values(old).filter(|_| action != ForeignKeyAction::NoAction) else {
            return Ok(());
        };
        if new.is_some_and(|new| self.is_same(old, new, outer)) {
            return Ok(());
        }
        let statements = &self.statements;
        match (action, new, &self.columns) {
            (ForeignKeyAction::Cascade, Some(new), Ok(columns)) => {
                let positions: Vec<usize> = columns.iter().map(|(position, _)| *position).collect();
                let mut both = positions_of(new, &positions);
                both.extend(values);
                run(writer, &statements.cascade_update, &both, outer)
            }
            (ForeignKeyAction::Cascade, ..) => {
                run(writer, &statements.cascade_delete, &values, outer)
            }
            (ForeignKeyAction::SetNull, ..) => run(writer, &statements.set_null, &values, outer),
            (ForeignKeyAction::SetDefault, ..) => {
                run(writer, &statements.set_default, &values, outer)
            }
            (ForeignKeyAction::Restrict, ..) if !outer.context.settings.defer_foreign_keys => {
                if self.count_all(writer, &values, outer)? == 0 {
                    return Ok(());
                }
                // In SQLite it is a trigger that says so.
                let message = "FOREIGN KEY constraint failed";
                Err(Error::constraint(Constraint::Trigger, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether two rows have the same key, by its collations.
    fn is_same(&self, old: &Kept, new: &Kept, outer: Outer<'_>) -> bool {
        let Ok(columns) = &self.columns else { return true };
        columns.iter().all(|(position, collation)| {
            let both = [old, new].map(|row| positions_of(row, &[*position]));
            match &both {
                [old, new] => match (old.first(), new.first()) {
                    (Some(old), Some(new)) => {
                        let (old, new) = (old.as_ref(), new.as_ref());
                        compare(old, new, *collation, outer.context.collations).is_eq()
                    }
                    _ => false,
                },
            }
        })
    }
}

impl Statements {
    fn new(parent: &Table, child: &Table, key: &ForeignKey) -> Self {
        let names: Vec<String> =
            key.columns.iter().map(|index| quoted(&child.columns[*index].name)).collect();
        let table = quoted(&child.name);
        let counted = wheres(parent, child, key, 1, true);
        let wheres = |first: usize| wheres(parent, child, key, first, false);
        let sets = |value: &dyn Fn(usize) -> String| -> String {
            let terms = names.iter().enumerate();
            let terms: Vec<String> =
                terms.map(|(place, name)| format!("{name} = {}", value(place))).collect();
            terms.join(", ")
        };
        let default = |place: usize| {
            let column = &child.columns[key.columns[place]];
            column.default_text.as_ref().map_or("NULL".to_owned(), |text| format!("({text})"))
        };
        let update = |value: &dyn Fn(usize) -> String, first: usize| {
            format!("UPDATE {table} SET {} WHERE {}", sets(value), wheres(first)).into()
        };
        Self {
            count: format!("SELECT count(*) FROM {table} WHERE {counted}").into(),
            cascade_delete: format!("DELETE FROM {table} WHERE {}", wheres(1)).into(),
            cascade_update: update(&|place| format!("?{}", place + 1), names.len() + 1),
            set_null: update(&|_| "NULL".to_owned(), 1),
            set_default: update(&default, 1),
        }
    }
}

/// Which children refer to a key, whose values are parameters from `first` on: as they are counted,
/// or as actions find them. As in SQLite those see values without the types of the parent's
/// columns, its rowid apart.
fn wheres(
    parent: &Table,
    child: &Table,
    key: &ForeignKey,
    first: usize,
    is_counted: bool,
) -> String {
    let parents = referenced(parent, key).unwrap_or_default();
    let terms = key.columns.iter().enumerate().map(|(place, index)| {
        let (own, value) = (&child.columns[*index], first + place);
        let theirs = parents.get(place).map(|index| &parent.columns[*index]);
        let name = quoted(&own.name);
        let collated = theirs.map_or("", |theirs| collated(own, theirs));
        let is_rowid =
            parent.rowid_alias().is_some() && parent.rowid_alias() == parents.get(place).copied();
        let is_loose =
            (is_counted || is_rowid) && theirs.is_some_and(|theirs| is_loose(own, theirs));
        let is_found = format!("{name} = ?{value}{collated}");
        if is_loose {
            let is_text = format!("{name} >= '' AND {name} < x''");
            let is_number = format!("typeof(?{value}) IN ('integer', 'real')");
            let is_same = format!("CAST(?{value} AS NUMERIC) = {name}");
            format!("({is_found} OR ({is_text} AND {is_number} AND {is_same}))")
        } else {
            is_found
        }
    });
    terms.collect::<Vec<String>>().join(" AND ")
}

/// Whether a number is found by any text that converts to it, too, because the child's column has
/// no type that makes a number of it. Texts are few there, and stand together in an index.
fn is_loose(child: &Column, parent: &Column) -> bool {
    child.affinity <= Affinity::Text && parent.affinity.is_numeric()
}

/// The look that counts children as the statement does.
fn children_look(parent: &Table, child: &Table, key: &ForeignKey) -> Option<Look> {
    let parents = referenced(parent, key).filter(|columns| is_key(parent, columns))?;
    let mut pairs = key.columns.iter().zip(&parents);
    if pairs.any(|(own, theirs)| is_loose(&child.columns[*own], &parent.columns[*theirs])) {
        return None;
    }
    let collations: Vec<Collation> =
        parents.iter().map(|index| parent.columns[*index].collation).collect();
    Look::new(child, &key.columns, &collations)
}

/// How a child's column is compared with its parent's: by the parent's collation.
fn collated(child: &Column, parent: &Column) -> &'static str {
    match parent.collation {
        theirs if theirs == child.collation => "",
        Collation::Binary => " COLLATE BINARY",
        Collation::NoCase => " COLLATE NOCASE",
        Collation::RTrim => " COLLATE RTRIM",
        Collation::Custom(_) => "",
    }
}

fn parent_columns(
    parent: &Table,
    child: &Table,
    key: &ForeignKey,
) -> Result<Vec<(usize, Collation)>, String> {
    let columns = referenced(parent, key).filter(|columns| is_key(parent, columns));
    let columns = columns.ok_or_else(|| mismatch(&child.name, &parent.name))?;
    let column = |index: usize| (parent.columns[index].position, parent.columns[index].collation);
    Ok(columns.into_iter().map(column).collect())
}

/// Positions of the columns that a key names, or of the primary key.
fn named(parent: &Table, key: &ForeignKey) -> Vec<usize> {
    let indexes: Vec<usize> = if key.parent_columns.is_empty() {
        let primary = parent.primary_key.iter().flat_map(|primary| &primary.columns);
        primary.filter_map(IndexColumn::column).collect()
    } else {
        key.parent_columns.iter().filter_map(|name| parent.column_index(name)).collect()
    };
    indexes.into_iter().map(|index| parent.columns[index].position).collect()
}
