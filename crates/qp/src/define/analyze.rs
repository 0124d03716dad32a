//! ANALYZE: how often the keys of each index repeat, written to `sqlite_stat1` as SQLite writes
//! it: the rows, then for each number of leading columns how many rows share them.
//!
//! Neighbours: `catalog::statistics` reads what is written here, `upkeep` has REINDEX.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::{rowid_from_key, rowid_key, skip_column};
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::sync::Arc;

use super::Definer;
use crate::ast;
use crate::catalog::{
    DatabaseIndex, IndexColumn, STATISTICS_SQL, STATISTICS_TABLE, Table, is_reserved_name,
    schema_table,
};
use crate::error::{Error, Result};
use crate::store::TreeId;

/// A row of the statistics table.
struct Line {
    table: Box<str>,
    index: Option<Box<str>>,
    numbers: String,
}

impl Definer<'_> {
    /// Gathers statistics: of everything, of a table, of the table of an index.
    pub(super) fn analyze(&mut self, name: Option<&ast::QualifiedName>) -> Result<()> {
        let (tables, only) = self.analyzed(name)?;
        if self.explains {
            return Ok(());
        }
        if self.schema().table(STATISTICS_TABLE).is_none() {
            self.write_table(STATISTICS_SQL, STATISTICS_TABLE, 3, true)?;
            self.changed()?;
        }
        let mut lines = Vec::new();
        for table in &tables {
            self.forget_statistics(&table.name, only.as_deref())?;
            self.analyze_table(table, only.as_deref(), &mut lines)?;
        }
        self.write_lines(&lines)?;
        self.changed()
    }

    /// The tables that a name means, and the index if it is one's.
    #[allow(clippy::type_complexity, reason = "used at one place")]
    fn analyzed(
        &self,
        name: Option<&ast::QualifiedName>,
    ) -> Result<(Vec<Arc<Table>>, Option<Box<str>>)> {
        let schema = self.schema();
        if let Some(name) = name {
            let wanted = &name.name.text;
            let is_database =
                name.schema.is_none() && self.session.database_named(&name.name).is_ok();
            if is_database {
                return Ok((self.own_tables(), None));
            }
            // What is in the statistics is loaded with the schema: nothing is gathered. The dumps
            // of sqlite3 say it before they fill the table of statistics, which is made by it.
            if schema_table(wanted, DatabaseIndex::MAIN).is_some() {
                return Ok((Vec::new(), None));
            }
            if let Some(table) = schema.table(wanted) {
                return Ok((vec![Arc::clone(table)], None));
            }
            if let Some(index) = schema.index(wanted) {
                let table = schema.table(&index.table).map(Arc::clone);
                return Ok((table.into_iter().collect(), Some(index.name.clone())));
            }
            let error = Error::not_found("table", wanted).at(name.span());
            let known = schema.tables.values().map(|table| &*table.name);
            return Err(crate::suggest::hinting(error, wanted, known));
        }
        Ok((self.own_tables(), None))
    }

    /// The tables that are not the engine's, in the order in which they were made.
    fn own_tables(&self) -> Vec<Arc<Table>> {
        let schema = self.schema();
        let mut tables: Vec<Arc<Table>> = schema
            .tables
            .values()
            .filter(|table| !is_reserved_name(&table.name))
            .cloned()
            .collect();
        tables.sort_by_key(|table| table.id);
        tables
    }

    fn analyze_table(
        &self,
        table: &Table,
        only: Option<&str>,
        lines: &mut Vec<Line>,
    ) -> Result<()> {
        let name = &table.name;
        let mut line = |index: Option<&str>, numbers: String| {
            let index = index.map(Box::from);
            lines.push(Line { table: name.clone(), index, numbers });
        };
        let mut has_full_index = false;
        if !table.has_rowid() && only.is_none() {
            has_full_index = true;
            if let Some(numbers) = self.numbers(table.tree, table.key_columns())? {
                line(Some(name), numbers);
            }
        }
        for index in &table.indexes {
            if only.is_some_and(|only| !index.name.eq_ignore_ascii_case(only)) {
                continue;
            }
            has_full_index |= index.filter.is_none();
            if let Some(numbers) = self.numbers(index.tree, &index.columns)? {
                line(Some(&index.name), numbers);
            }
        }
        let rows = self.transaction()?.borrow().len(table.tree)?;
        if !has_full_index && only.is_none() && rows > 0 {
            line(None, rows.to_string());
        }
        Ok(())
    }

    /// The rows of an index, and how many of them share its first columns on average.
    fn numbers(&self, tree: TreeId, columns: &[IndexColumn]) -> Result<Option<String>> {
        let mut cursor = self.transaction()?.borrow().cursor(tree)?;
        let mut distinct = vec![0_u64; columns.len()];
        let mut rows = 0_u64;
        let mut last: Vec<u8> = Vec::new();
        let mut found = cursor.first()?;
        while found {
            let key = cursor.key();
            rows += 1;
            let same = key.iter().zip(&last).take_while(|(left, right)| left == right).count();
            let mut end = 0;
            let mut differs = rows == 1;
            for (column, count) in columns.iter().zip(&mut distinct) {
                let rest = key.get(end..).unwrap_or(&[]);
                end += skip_column(rest, column.descending)?;
                differs = differs || end > same;
                *count += u64::from(differs);
            }
            last.clear();
            last.extend_from_slice(key);
            found = cursor.next()?;
        }
        if rows == 0 {
            return Ok(None);
        }
        let mut text = rows.to_string();
        for distinct in distinct {
            let mut each = rows.div_ceil(distinct.max(1));
            if each == 2 && rows * 10 <= distinct * 11 {
                each = 1;
            }
            text.push(' ');
            text.push_str(&each.to_string());
        }
        Ok(Some(text))
    }

    /// Removes what was known of a table, or of one of its indexes.
    fn forget_statistics(&self, table: &str, index: Option<&str>) -> Result<()> {
        let Some(known) = self.schema().table(STATISTICS_TABLE) else { return Ok(()) };
        let mut transaction = self.transaction()?.borrow_mut();
        let mut cursor = transaction.cursor(known.tree)?;
        let mut stale = Vec::new();
        let mut found = cursor.first()?;
        while found {
            let row = RowView::new(cursor.value()?)?;
            let is = |column, wanted: &str| -> Result<bool> {
                Ok(match row.column(column)? {
                    Some(ValueRef::Text(text)) => text.eq_ignore_ascii_case(wanted.as_bytes()),
                    _ => false,
                })
            };
            if is(0, table)? && index.map_or(Ok(true), |index| is(1, index))? {
                stale.push(cursor.key().to_vec());
            }
            found = cursor.next()?;
        }
        for key in stale {
            transaction.delete(known.tree, &key)?;
        }
        Ok(())
    }

    fn write_lines(&self, lines: &[Line]) -> Result<()> {
        let Some(known) = self.schema().table(STATISTICS_TABLE) else { return Ok(()) };
        let mut transaction = self.transaction()?.borrow_mut();
        let mut cursor = transaction.cursor(known.tree)?;
        let mut rowid = if cursor.last()? { rowid_from_key(cursor.key())? } else { 0 };
        for line in lines {
            rowid = rowid.saturating_add(1);
            let index =
                line.index.as_ref().map_or(ValueRef::Null, |name| ValueRef::Text(name.as_bytes()));
            let values = [
                ValueRef::Text(line.table.as_bytes()),
                index,
                ValueRef::Text(line.numbers.as_bytes()),
            ];
            let mut row = Vec::new();
            encode_row(&values, &mut row)?;
            transaction.put(known.tree, &rowid_key(rowid), &row)?;
        }
        Ok(())
    }
}
