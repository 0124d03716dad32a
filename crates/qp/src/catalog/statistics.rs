//! What ANALYZE found: the rows of `sqlite_stat1`, read with the schema.
//!
//! They are rows of a table like any other, so branches have their own and merges bring them
//! along; only their share of the table's rows is used, because how many rows there are now the
//! trees know better. Neighbours: `define::analyze` writes them, `plan::estimate` asks.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::row::RowView;
use rustc_hash::{FxHashMap, FxHashSet};

use super::fold;
use crate::error::Result;

/// The table that holds statistics.
pub const STATISTICS_TABLE: &str = "sqlite_stat1";
/// Its definition, as SQLite writes it.
pub const STATISTICS_SQL: &str = "CREATE TABLE sqlite_stat1(tbl,idx,stat)";

/// Statistics of the tables and indexes of a schema.
#[derive(Clone, Debug, Default)]
pub struct SchemaStatistics {
    tables: FxHashSet<Box<str>>,
    /// By table and index: the rows, and how many of them share the first columns.
    indexes: FxHashMap<(Box<str>, Box<str>), Vec<f64>>,
}

impl SchemaStatistics {
    /// Whether a table was analyzed.
    pub fn has_table(&self, table: &str) -> bool {
        !self.tables.is_empty() && self.tables.contains(&fold(table))
    }

    /// How many rows an index had; without a name, the table of an index that has some of them.
    pub fn rows(&self, table: &str, index: &str) -> Option<f64> {
        self.indexes.get(&(fold(table), fold(index)))?.first().copied()
    }

    /// What share of a table's rows has the same first `columns` columns of an index. The key of
    /// a table without rowid goes by the table's name.
    pub fn share(&self, table: &str, index: &str, columns: usize) -> Option<f64> {
        if self.indexes.is_empty() {
            return None;
        }
        let numbers = self.indexes.get(&(fold(table), fold(index)))?;
        let rows = numbers.first().copied()?.max(1.0);
        let each = numbers.get(columns).copied()?;
        Some((each / rows).min(1.0))
    }

    /// Takes a stored row of the statistics table in; what cannot be read is left out, because
    /// anybody may write there.
    pub(super) fn add(&mut self, row: &[u8]) -> Result<()> {
        let row = RowView::new(row)?;
        let text = |column: usize| -> Result<Option<String>> {
            Ok(match row.column(column)? {
                Some(ValueRef::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            })
        };
        let Some(table) = text(0)? else { return Ok(()) };
        let table = fold(&table);
        self.tables.insert(table.clone());
        if let Some(numbers) = text(2)? {
            let index = text(1)?.unwrap_or_default();
            let numbers = numbers.split_ascii_whitespace();
            let numbers = numbers.map_while(|word| word.parse::<u64>().ok());
            self.indexes.insert((table, fold(&index)), numbers.map(|it| it as f64).collect());
        }
        Ok(())
    }
}
