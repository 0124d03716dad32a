//! Whether a definition of somebody's own fits what is there already: rows, and foreign keys.
//!
//! A definition can be right by itself and wrong beside the rest. Rows that have no value for a
//! column read what every row reads there, which has to be constant; a foreign key has to find a
//! key of its parent, which a side may have dropped. Neighbours: `redefined`, `defined` and
//! `dependents` call this, `verify` looks at rows.

use pandodb_branch::diff::schema::ObjectKind;
use pandodb_branch::merge::{
    Conflict, ConflictKey, ConflictKind, MergedTable, SchemaMerge, SchemaPart, Scope,
};
use pandodb_branch::shape::{ColumnId, ObjectId as ShapeId};

use super::SqlTarget;
use super::defined::{again, of_object};
use crate::catalog::build::constant;
use crate::catalog::{Column, Schema, Table};
use crate::error::{Error, Result};
use crate::modify::{has_parent_key, mismatch};

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

    /// Definitions of tables that leave a foreign key without a key of its parent, which it has on
    /// the branches.
    pub(super) fn parentless_own(&self, merge: &SchemaMerge) -> Result<Vec<Conflict>> {
        let schema = self.main_schema()?;
        let mut found: Vec<Conflict> = Vec::new();
        for child in schema.tables.values() {
            for parent in parentless(schema, child) {
                let ids = [ShapeId(child.id.0), ShapeId(parent.id.0)];
                let own: Vec<_> = ids.into_iter().flat_map(|id| of_object(merge, id)).collect();
                if own.is_empty() || self.was_parentless(ids)? {
                    continue;
                }
                let why = mismatch(&child.name, &parent.name);
                for defined in own {
                    if found.iter().all(|known| known.key != defined.conflict.key) {
                        found.push(again(&defined, &why));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Foreign keys that find no key of their parent any more, since the other side dropped the
    /// index that was one. No side can win: SQL would refuse every change of either table.
    pub(super) fn newly_parentless(&self) -> Result<Vec<Conflict>> {
        let schema = self.main_schema()?;
        let mut found = Vec::new();
        for child in schema.tables.values() {
            for parent in parentless(schema, child) {
                let ids = [ShapeId(child.id.0), ShapeId(parent.id.0)];
                if !self.was_parentless(ids)? {
                    found.push(without_key(child, parent));
                }
            }
        }
        Ok(found)
    }

    /// Whether a foreign key of a child to a parent is such a one on a side already.
    fn was_parentless(&self, [child, parent]: [ShapeId; 2]) -> Result<bool> {
        for side in &self.sides()? {
            let (Some(schema), Some(child)) = (side.schemas.first(), self.table_on(side, child))
            else {
                continue;
            };
            let parent = self.object_on(side, parent.0);
            if parentless(schema, child).any(|table| table.id.0 == parent) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The parents of foreign keys that do not lead to a key of them.
fn parentless<'s>(schema: &'s Schema, child: &'s Table) -> impl Iterator<Item = &'s Table> {
    child.foreign_keys.iter().filter_map(|key| {
        let parent = schema.table(&key.parent)?;
        (!has_parent_key(parent, key)).then_some(&**parent)
    })
}

fn without_key(child: &Table, parent: &Table) -> Conflict {
    let why = mismatch(&child.name, &parent.name);
    Conflict {
        key: ConflictKey {
            object: ShapeId(child.id.0),
            scope: Scope::Schema(SchemaPart::Constraint(format!("REFERENCES {}", parent.name))),
        },
        kind: ConflictKind::Schema,
        object_kind: ObjectKind::Table,
        object_name: child.name.to_string(),
        column_name: None,
        columns: vec!["definition".into()],
        row_key: Vec::new(),
        base: None,
        ours: None,
        theirs: None,
        detail: format!(
            "{why}: the other branch dropped what made its columns unique; a branch has to make \
             a unique index of them again, or drop the foreign key"
        ),
    }
}
