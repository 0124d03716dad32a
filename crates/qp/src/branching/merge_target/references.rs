//! Foreign keys after a merge, looked at where something changed.
//!
//! A child that came or changed must have its parent; where a parent went or changed its key, the
//! children of the old key must have another one. So rows are looked at in proportion to what the
//! merge did, but for tables whose definition it changed and children without a rowid. What was
//! broken on either side before is not the merge's fault and not reported: a row that refers to
//! the same missing parent there. Neighbours: `target` notes what was touched, `sides` opens what
//! was before.

use pandodb_branch::merge::{BrokenConstraint, Reference};
use pandodb_branch::shape::{ColumnId, ObjectId};
use pandodb_ds::record::Value;
use pandodb_ds::record::key::push_column;
use pandodb_ds::sync::Arc;

use super::sides::Side;
use super::{SqlTarget, broken};
use crate::branching::options::quoted as literal;
use crate::branching::shape::affinity;
use crate::catalog::{ForeignKey, Schema, Table};
use crate::error::{Constraint, Error, Result};
use crate::modify::{RowKey, quoted};

/// Values in one list of a query.
const LIST_MAX: usize = 500;

/// The columns of a foreign key on both sides; none if the parent has no such columns.
struct Pairs {
    child: Vec<String>,
    parent: Vec<usize>,
}

impl SqlTarget<'_> {
    /// Foreign keys that are broken now and were not before.
    pub(super) fn verify_foreign_keys(
        &mut self,
        report: &mut dyn FnMut(BrokenConstraint),
    ) -> Result<()> {
        let schema = Arc::clone(self.main_schema()?);
        let mut sides: Option<[Side; 2]> = None;
        for child in schema.tables.values() {
            for key in &child.foreign_keys {
                let mut rows = self.broken_rows(&schema, child, key)?;
                if rows.is_empty() {
                    continue;
                }
                let sides = match &sides {
                    Some(sides) => sides,
                    None => sides.insert(self.sides()?),
                };
                for side in sides {
                    let before = self.broken_before(side, &schema, child, key)?;
                    rows.retain(|row| !before.contains(row));
                }
                let parent = schema.table(&key.parent).map(|parent| &**parent);
                for row in rows {
                    report(orphan(child, key, parent, &row)?);
                }
            }
        }
        Ok(())
    }

    /// A row of [`orphans`] that a side has, in the merge: with the rowids that it has there, and
    /// those that its cells mean.
    fn row_of_side(
        &self,
        side: &Side,
        child: &Table,
        key: &ForeignKey,
        mut row: Vec<Value>,
    ) -> Vec<Value> {
        let id = ObjectId(child.id.0);
        let mut called: Vec<Option<usize>> = vec![None];
        if child.has_rowid() {
            if let Some(Value::Integer(rowid)) = row.first_mut() {
                *rowid = self.rowid_of(side, id, *rowid);
            }
        } else {
            called = child.key_columns().iter().map(crate::catalog::IndexColumn::column).collect();
        }
        let columns = called.into_iter().chain(key.columns.iter().copied().map(Some));
        for (cell, column) in row.iter_mut().zip(columns) {
            let Some(column) = column.and_then(|index| child.columns.get(index)) else { continue };
            let affinity = affinity(column.affinity);
            if let Some(meant) = self.cell_of(side, (id, ColumnId(column.id.0)), affinity, cell) {
                *cell = meant;
            }
        }
        row
    }

    /// The children of one key that have no parent, among those that the merge may have orphaned.
    fn broken_rows(
        &self,
        schema: &Schema,
        child: &Table,
        key: &ForeignKey,
    ) -> Result<Vec<Vec<Value>>> {
        let parent = schema.table(&key.parent).map(|parent| &**parent);
        let (child_id, parent_id) =
            (ObjectId(child.id.0), parent.map(|parent| ObjectId(parent.id.0)));
        let touched = self.touched.get(&child_id);
        let replaced = parent_id.and_then(|id| self.replaced.get(&id));
        let is_redefined = self.redefined.contains(&child_id)
            || parent_id.is_none_or(|id| self.redefined.contains(&id));
        if touched.is_none() && replaced.is_none() && !is_redefined {
            return Ok(Vec::new());
        }
        let Some(sql) = orphans(child, key, parent) else { return Ok(Vec::new()) };
        let rowids: Option<Vec<i64>> = touched.map_or(Some(Vec::new()), |keys| {
            let rowid = |key: &RowKey| match key {
                RowKey::Rowid(rowid) => Some(*rowid),
                RowKey::Bytes(_) => None,
            };
            keys.iter().map(rowid).collect()
        });
        let pairs = parent.and_then(|parent| pairs(child, key, parent));
        // The old values of a parent find its children only where both compare alike.
        let is_found = replaced.is_none()
            || parent.is_some_and(|parent| are_alike(child, key, parent) == Some(true));
        let (Some(rowids), Some(pairs), true) = (rowids, pairs, is_found && !is_redefined) else {
            return self.session.select_inside(&sql, &self.sources, &self.schemas);
        };
        let mut rows = Vec::new();
        for chunk in rowids.chunks(LIST_MAX) {
            let list: Vec<String> = chunk.iter().map(ToString::to_string).collect();
            self.collect(&format!("{sql} AND c.rowid IN ({})", list.join(",")), &mut rows)?;
        }
        for chunk in replaced.map_or(&[][..], Vec::as_slice).chunks(LIST_MAX) {
            // Children of the first column's old values: the query looks at the others.
            let (Some(column), Some(place)) = (pairs.child.first(), pairs.parent.first()) else {
                break;
            };
            let mut list = Vec::with_capacity(chunk.len());
            for value in chunk.iter().filter_map(|row| row.get(*place)) {
                if *value != Value::Null {
                    list.push(literal(value));
                }
            }
            self.collect(&format!("{sql} AND c.{column} IN ({})", list.join(",")), &mut rows)?;
        }
        Ok(rows)
    }

    fn collect(&self, sql: &str, rows: &mut Vec<Vec<Value>>) -> Result<()> {
        for row in self.session.select_inside(sql, &self.sources, &self.schemas)? {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        Ok(())
    }

    /// The children of a key that had no parent on a side before the merge, as the merge has them.
    fn broken_before(
        &self,
        side: &Side,
        schema: &Schema,
        child: &Table,
        key: &ForeignKey,
    ) -> Result<Vec<Vec<Value>>> {
        let Some(table) = self.table_on(side, ObjectId(child.id.0)) else { return Ok(Vec::new()) };
        let Some(main) = side.schemas.first() else { return Ok(Vec::new()) };
        let ids = |table: &Table, key: &ForeignKey| -> Vec<Option<u64>> {
            let columns = key.columns.iter().map(|column| table.columns.get(*column));
            columns.map(|column| column.map(|column| column.id.0)).collect()
        };
        let columns: Vec<Option<u64>> =
            ids(child, key).into_iter().map(|id| id.map(|id| self.column_on(side, id))).collect();
        let parent = schema.table(&key.parent).map(|parent| self.object_on(side, parent.id.0));
        let known = table.foreign_keys.iter().find(|known| {
            let same_parent = match (main.table(&known.parent), parent) {
                (Some(known), Some(parent)) => known.id.0 == parent,
                // It is gone on one side: then only the name is left.
                _ => known.parent.eq_ignore_ascii_case(&key.parent),
            };
            same_parent && ids(table, known) == columns
        });
        let sql = known.and_then(|known| {
            orphans(table, known, main.table(&known.parent).map(|parent| &**parent))
        });
        let Some(sql) = sql else { return Ok(Vec::new()) };
        let rows = self.session.select_inside(&sql, &side.sources, &side.schemas)?;
        Ok(rows.into_iter().map(|row| self.row_of_side(side, child, key, row)).collect())
    }
}

/// What a row of [`orphans`] breaks.
fn orphan(
    child: &Table,
    key: &ForeignKey,
    parent: Option<&Table>,
    row: &[Value],
) -> Result<BrokenConstraint> {
    let (called, values) = row.split_at(row.len().saturating_sub(key.columns.len()));
    let row_key = match called {
        [Value::Integer(rowid)] if child.has_rowid() => RowKey::Rowid(*rowid),
        _ => {
            let mut bytes = Vec::new();
            for (part, value) in child.key_columns().iter().zip(called) {
                push_column(value.as_ref(), part.order(), &mut bytes)?;
            }
            RowKey::Bytes(bytes)
        }
    };
    let error = Error::constraint(Constraint::ForeignKey, "");
    let mut broken = broken(ObjectId(child.id.0), &[row_key], &error);
    let own: Vec<&str> = key
        .columns
        .iter()
        .filter_map(|column| child.columns.get(*column).map(|column| &*column.name))
        .collect();
    // Two keys of a table may lead to one parent.
    broken.constraint = format!("FOREIGN KEY ({}) REFERENCES {}", own.join(", "), key.parent);
    let theirs = parent.and_then(|parent| Some((parent, parent_columns(key, parent)?)));
    let theirs = theirs.filter(|(_, columns)| columns.len() == own.len());
    let (word, names) = match &theirs {
        Some((parent, columns)) => {
            let names = columns.iter().filter_map(|index| parent.columns.get(*index));
            ("with", names.map(|column| &*column.name).collect())
        }
        None => ("by", own),
    };
    let looked: Vec<String> = names
        .iter()
        .zip(values)
        .map(|(name, value)| format!("{name} = {}", literal(value)))
        .collect();
    broken.detail = format!(
        "{}: {} refers to no row of {} {word} {}",
        broken.detail,
        child.name,
        key.parent,
        looked.join(", ")
    );
    broken.reference = theirs.map(|(parent, columns)| {
        let id = |table: &Table, index: usize| {
            ColumnId(table.columns.get(index).map_or(0, |column| column.id.0))
        };
        Reference {
            columns: key.columns.iter().map(|column| id(child, *column)).collect(),
            parent: ObjectId(parent.id.0),
            parent_columns: columns.iter().map(|column| id(parent, *column)).collect(),
        }
    });
    Ok(broken)
}

/// The columns of a key: the child's, quoted, and where the parent's stand in a stored row.
fn pairs(child: &Table, key: &ForeignKey, parent: &Table) -> Option<Pairs> {
    let names = key.columns.iter().map(|column| child.columns.get(*column));
    let own: Option<Vec<String>> =
        names.map(|column| column.map(|column| quoted(&column.name))).collect();
    let places: Option<Vec<usize>> = parent_columns(key, parent)?
        .iter()
        .map(|index| parent.columns.get(*index).map(|column| column.position))
        .collect();
    Some(Pairs { child: own?, parent: places? })
}

/// Whether the columns of a key have the affinities and collations of the parent's.
fn are_alike(child: &Table, key: &ForeignKey, parent: &Table) -> Option<bool> {
    let parents = parent_columns(key, parent)?;
    let mut pairs = key.columns.iter().zip(parents).map(|(own, their)| {
        let (own, their) = (child.columns.get(*own)?, parent.columns.get(their)?);
        Some(own.affinity == their.affinity && own.collation == their.collation)
    });
    pairs.try_fold(true, |all, is_alike| Some(all && is_alike?))
}

/// The parent's columns that a key refers to.
fn parent_columns(key: &ForeignKey, parent: &Table) -> Option<Vec<usize>> {
    if key.parent_columns.is_empty() {
        let declared = parent.primary_key.as_ref()?;
        return Some(
            declared.columns.iter().filter_map(crate::catalog::IndexColumn::column).collect(),
        );
    }
    let find = |name: &str| {
        parent.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    };
    key.parent_columns.iter().map(|name| find(name)).collect()
}

/// The query of the child rows whose parent is missing: what a row is called by, then the columns
/// of the key.
fn orphans(child: &Table, key: &ForeignKey, parent: Option<&Table>) -> Option<String> {
    let name = |column: usize| child.columns.get(column).map(|column| quoted(&column.name));
    let own: Vec<String> = key.columns.iter().filter_map(|column| name(*column)).collect();
    let called: Vec<String> = if child.has_rowid() {
        vec!["c.rowid".to_owned()]
    } else {
        let columns = child.key_columns().iter().filter_map(|part| name(part.column()?));
        columns.map(|column| format!("c.{column}")).collect()
    };
    let shown = called.into_iter().chain(own.iter().map(|column| format!("c.{column}")));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let present: Vec<String> = own.iter().map(|column| format!("c.{column} IS NOT NULL")).collect();
    let mut sql = format!(
        "SELECT {shown} FROM main.{} AS c WHERE {}",
        quoted(&child.name),
        present.join(" AND ")
    );
    let Some(parent) = parent else { return Some(sql) };
    let theirs = parent_columns(key, parent)?;
    let theirs = theirs.iter().filter_map(|index| parent.columns.get(*index));
    let pairs: Vec<String> = own
        .iter()
        .zip(theirs)
        // As foreign keys compare: by the parent's affinity and collation.
        .map(|(own, their)| format!("p.{} = +c.{own}", quoted(&their.name)))
        .collect();
    sql.push_str(&format!(
        " AND NOT EXISTS (SELECT 1 FROM main.{} AS p WHERE {})",
        quoted(&parent.name),
        pairs.join(" AND ")
    ));
    Some(sql)
}
