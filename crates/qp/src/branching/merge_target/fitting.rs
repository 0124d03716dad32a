//! Whether a definition of somebody's own fits what is there already: rows, and foreign keys.
//!
//! A definition can be right by itself and wrong beside the rest. Rows that have no value for a
//! column read what every row reads there, which has to be constant; a foreign key has to find a
//! key of its parent. Neighbours: `redefined` and `defined` call this, `verify` looks at rows.

use pandodb_branch::merge::MergedTable;
use pandodb_branch::shape::ColumnId;

use super::SqlTarget;
use crate::catalog::build::constant;
use crate::catalog::{Column, Table};
use crate::error::{Error, Result};

impl SqlTarget<'_> {
    /// Refuses a default that is computed for a column that rows of a side have no value for. A
    /// column that both sides added counts as one where rows read another default than NULL: they
    /// read that of the definition then.
    pub(super) fn check_filled(&self, merged: &MergedTable, table: &Table) -> Result<()> {
        let is_computed = |default: &crate::ast::Expression| constant(default).is_none();
        let is_new = |id| merged.base.as_ref().is_none_or(|base| base.column(id).is_none());
        let computed = table.columns.iter().filter(|column| {
            column.default.as_ref().is_some_and(is_computed) && is_new(ColumnId(column.id.0))
        });
        let computed: Vec<_> = computed.collect();
        if computed.is_empty() {
            return Ok(());
        }
        for (side, shape) in self.sides()?.iter().zip([&merged.ours, &merged.theirs]) {
            let (Some(shape), Some(own)) = (shape, self.table_on(side, merged.shape.id)) else {
                continue;
            };
            let Some(source) = side.sources.first().and_then(Option::as_ref) else { continue };
            if source.borrow().is_empty(own.tree)? {
                continue;
            }
            let is_read = |column: &&&Column| {
                let known = shape.column(ColumnId(column.id.0));
                known.is_none_or(|known| !known.missing.is_null())
            };
            if let Some(column) = computed.iter().find(is_read) {
                let message = format!(
                    "Cannot add a column with non-constant default: {} is \
                    computed, and there are rows without a value for it",
                    column.name
                );
                return Err(Error::invalid(message));
            }
        }
        Ok(())
    }
}
