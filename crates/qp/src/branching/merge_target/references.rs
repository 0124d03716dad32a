//! Foreign keys after a merge, looked at where something changed.
//!
//! A child that came or changed must have its parent; where a parent went or changed its key, the
//! children of the old key must have another one. So rows are looked at in proportion to what the
//! merge did, but for tables whose definition it changed and children without a rowid. What was
//! broken on the target before is not the merge's fault and not reported. Neighbours: `target`
//! notes what was touched.

use pandodb_branch::merge::Conflict;
use pandodb_branch::shape::ObjectId;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_tm::BeginOptions;

use super::{SqlTarget, broken};
use crate::branching::options::quoted as literal;
use crate::catalog::{DatabaseIndex, ForeignKey, Schema, Table};
use crate::error::{Constraint, Error, Result};
use crate::execute::SharedTransaction;
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
    pub(super) fn verify_foreign_keys(&mut self, report: &mut dyn FnMut(Conflict)) -> Result<()> {
        let schema = Arc::clone(self.main_schema()?);
        for child in schema.tables.values() {
            for key in &child.foreign_keys {
                let rows = self.broken_rows(&schema, child, key)?;
                if rows.is_empty() {
                    continue;
                }
                let before = self.broken_before(child, key)?;
                for row in rows.into_iter().filter(|row| !before.contains(row)) {
                    let detail = format!("{} refers to no row of {}", child.name, key.parent);
                    let error = Error::constraint(Constraint::ForeignKey, detail);
                    let rowid = match row.first() {
                        Some(Value::Integer(rowid)) => *rowid,
                        _ => 0,
                    };
                    let id = ObjectId(child.id.0);
                    let mut conflict = broken(id, &child.name, &RowKey::Rowid(rowid), &error);
                    conflict.row_key = row;
                    let parent = &key.parent;
                    conflict.detail =
                        format!("{}: {} refers to no row of {parent}", conflict.detail, child.name);
                    report(conflict);
                }
            }
        }
        Ok(())
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
        let (Some(rowids), Some(pairs), false) = (rowids, pairs, is_redefined) else {
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

    /// The children of a key that had no parent on the target before the merge.
    fn broken_before(&self, child: &Table, key: &ForeignKey) -> Result<Vec<Vec<Value>>> {
        let Some(schema) = self.schemas_before.first() else { return Ok(Vec::new()) };
        let Some(child) = schema.tables.values().find(|table| table.id == child.id) else {
            return Ok(Vec::new());
        };
        let known = child.foreign_keys.iter().find(|known| {
            known.columns == key.columns && known.parent.eq_ignore_ascii_case(&key.parent)
        });
        let parent = schema.table(&key.parent).map(|parent| &**parent);
        let Some(sql) = known.and_then(|known| orphans(child, known, parent)) else {
            return Ok(Vec::new());
        };
        let (database, head) = self.session.database(DatabaseIndex::MAIN)?;
        // What is committed is what was there before.
        let before = database.begin(head, BeginOptions::read_only())?;
        let mut sources = self.sources.clone();
        if let Some(main) = sources.first_mut() {
            *main = Some(SharedTransaction::new(before));
        }
        self.session.select_inside(&sql, &sources, &self.schemas_before)
    }
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

/// The query of the child rows whose parent is missing.
fn orphans(child: &Table, key: &ForeignKey, parent: Option<&Table>) -> Option<String> {
    let name = |column: usize| child.columns.get(column).map(|column| quoted(&column.name));
    let own: Vec<String> = key.columns.iter().filter_map(|column| name(*column)).collect();
    let shown = if child.has_rowid() { "c.rowid".to_owned() } else { own.join(", ") };
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
        .map(|(own, their)| format!("p.{} = c.{own}", quoted(&their.name)))
        .collect();
    sql.push_str(&format!(
        " AND NOT EXISTS (SELECT 1 FROM main.{} AS p WHERE {})",
        quoted(&parent.name),
        pairs.join(" AND ")
    ));
    Some(sql)
}
