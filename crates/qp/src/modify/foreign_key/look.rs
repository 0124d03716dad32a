//! Looks for a parent or for children in the tree that has their keys.
//!
//! Nearly every foreign key leads to a rowid or to a unique index, and has an index from the
//! children's side. Then a row's values make the key that is looked for, and no statement need
//! run for each row. Values are converted and compared as `column = ?` would do it; where that
//! takes more than a key says, there is no such look. Neighbours: `child` and `parent` ask here
//! first, `statement` does the rest.

use pandodb_ds::record::key::{ColumnOrder, prefix_successor, push_column, rowid_key};
use pandodb_ds::record::{Collation, Value, ValueRef};

use crate::catalog::{IndexColumn, Table};
use crate::error::Result;
use crate::execute::Outer;
use crate::modify::{TableWriter, checking};
use crate::store::TreeId;
use crate::types::{Affinity, Datum, apply_affinity};

/// Finds the rows of a table with certain values.
#[derive(Debug)]
pub(super) struct Look {
    tree: TreeId,
    by: By,
}

#[derive(Debug)]
enum By {
    /// The value is the rowid.
    Rowid,
    /// The values begin the keys, in the order of these parts.
    Prefix(Vec<Part>),
}

/// A part of a key.
#[derive(Debug)]
struct Part {
    /// Which of the values it is.
    value: usize,
    affinity: Affinity,
    order: ColumnOrder,
}

impl Look {
    /// For rows of `table` whose `columns` have some values, compared by `collations`.
    pub(super) fn new(table: &Table, columns: &[usize], collations: &[Collation]) -> Option<Self> {
        if columns.is_empty() || columns.len() != collations.len() {
            return None;
        }
        if table.rowid_alias().is_some_and(|alias| columns == [alias]) {
            return Some(Self { tree: table.tree, by: By::Rowid });
        }
        let parts = |known: &[IndexColumn]| {
            let first = known.get(..columns.len())?;
            first.iter().map(|part| Part::new(table, part, columns, collations)).collect()
        };
        if !table.has_rowid()
            && let Some(parts) = parts(table.key_columns())
        {
            return Some(Self { tree: table.tree, by: By::Prefix(parts) });
        }
        let mut indexes = table.indexes.iter().filter(|index| index.filter.is_none());
        indexes.find_map(|index| {
            Some(Self { tree: index.tree, by: By::Prefix(parts(&index.columns)?) })
        })
    }

    /// How many rows have the values, none of which is NULL.
    pub(super) fn count(
        &self,
        writer: &TableWriter,
        values: &[Value],
        outer: Outer<'_>,
    ) -> Result<i64> {
        match &self.by {
            By::Rowid => {
                let value = values.first().map_or(Datum::NULL, Datum::from);
                // No other value is equal to a rowid.
                let ValueRef::Integer(rowid) = apply_affinity(value, Affinity::Integer).as_ref()
                else {
                    return Ok(0);
                };
                let is_there = checking(writer, outer, || {
                    let transaction = outer.context.transaction(writer.source)?.borrow();
                    transaction.contains(self.tree, &rowid_key(rowid))
                })?;
                Ok(i64::from(is_there))
            }
            By::Prefix(parts) => {
                let mut key = Vec::with_capacity(32);
                for part in parts {
                    let value = values.get(part.value).map_or(Datum::NULL, Datum::from);
                    let value = apply_affinity(value, part.affinity);
                    push_column(value.as_ref(), part.order, &mut key)?;
                }
                let end = prefix_successor(&key);
                let count = checking(writer, outer, || {
                    outer.context.count_range(writer.source, self.tree, &key, end.as_deref())
                })?;
                Ok(count as i64)
            }
        }
    }
}

impl Part {
    fn new(
        table: &Table,
        part: &IndexColumn,
        columns: &[usize],
        collations: &[Collation],
    ) -> Option<Self> {
        let index = part.column()?;
        let value = columns.iter().position(|column| *column == index)?;
        let affinity = table.columns[index].affinity;
        // Integers beyond what reals can tell are compared as they are.
        let is_exact = affinity != Affinity::Real;
        let is_same = part.collation == collations[value] && !part.is_custom();
        (is_exact && is_same).then(|| Self { value, affinity, order: part.order() })
    }
}
