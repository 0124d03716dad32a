//! What two versions of a base do not agree on, as addresses of conflicts.
//!
//! Where merges crossed again and again, two bases parted at several moments. Which one of these
//! their merge starts from decides what it makes of them, so it is done from each, and what comes
//! out differently is settled in no way. Neighbours: `registry::merging` finds the moments,
//! `schema` and `rows` ask what is settled.

use std::collections::BTreeSet;

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;

use super::conflict::{ConflictKey, SchemaPart, Scope};
use super::schema::name_of;
use crate::diff::{RowChangeKind, RowDiff, Version};
use crate::error::Result;
use crate::shape::{ConstraintShape, ObjectId, Shape, TableShape, TextShape};

/// Parts of definitions, rows and cells that are not the same in both versions, by the keys that
/// `left` has for rows, and `right` for what `left` has not.
pub fn between(
    pager: &Arc<Pager>,
    left: &Version,
    right: &Version,
) -> Result<BTreeSet<ConflictKey>> {
    let mut apart = Apart::default();
    apart.shapes(&left.shape, &right.shape);
    for table in left.shape.tables.iter().filter(|table| !table.holds_counters) {
        let (Some(old), Some(new)) = (left.table(table.id), right.table(table.id)) else {
            continue;
        };
        let mut diff = RowDiff::new(pager, old, new)?;
        let columns: Vec<_> = diff.columns().iter().map(|column| column.id).collect();
        let look = |apart: &mut Apart, diff: &mut RowDiff| {
            diff.next_with(|row| {
                let key = row.stored_under().to_vec();
                if row.kind != RowChangeKind::Changed {
                    apart.add(table.id, Scope::Row(key));
                    return Ok(());
                }
                let changed = columns.iter().zip(row.changed).filter(|(_, changed)| **changed);
                for (column, _) in changed {
                    apart.add(table.id, Scope::Cell(key.clone(), *column));
                }
                Ok(())
            })
        };
        while look(&mut apart, &mut diff)?.is_some() {}
    }
    Ok(apart.keys)
}

#[derive(Default)]
struct Apart {
    keys: BTreeSet<ConflictKey>,
}

impl Apart {
    fn add(&mut self, object: ObjectId, scope: Scope) {
        self.keys.insert(ConflictKey { object, scope });
    }

    fn add_part(&mut self, object: ObjectId, part: SchemaPart) {
        self.add(object, Scope::Schema(part));
    }

    fn shapes(&mut self, left: &Shape, right: &Shape) {
        for table in &left.tables {
            match right.table(table.id) {
                Some(other) => self.tables(table, other),
                None => self.add_part(table.id, SchemaPart::Whole),
            }
        }
        for table in right.tables.iter().filter(|table| left.table(table.id).is_none()) {
            self.add_part(table.id, SchemaPart::Whole);
        }
        self.texts(&left.indexes, &right.indexes);
        self.texts(&left.views, &right.views);
        self.texts(&left.triggers, &right.triggers);
        for setting in left.settings.iter().chain(&right.settings) {
            if left.setting(setting.id) != right.setting(setting.id) {
                self.add_part(setting.id, SchemaPart::Value);
            }
        }
    }

    fn tables(&mut self, left: &TableShape, right: &TableShape) {
        let id = left.id;
        if left.name != right.name {
            self.add_part(id, SchemaPart::Name);
        }
        if left.key != right.key || left.primary_key != right.primary_key {
            self.add_part(id, SchemaPart::Key);
        }
        if left.options != right.options {
            self.add_part(id, SchemaPart::Options);
        }
        for column in left.columns.iter().chain(&right.columns) {
            let both = left.column(column.id).zip(right.column(column.id));
            if both.is_none_or(|(left, right)| !left.is_declared_as(right)) {
                self.add_part(id, SchemaPart::Column(column.id));
            }
            if both.is_some_and(|(left, right)| left.name != right.name) {
                self.add_part(id, SchemaPart::ColumnName(column.id));
            }
        }
        let sides = [(left, right), (right, left)];
        for (own, other) in sides {
            let lacks = |it: &&ConstraintShape| !other.constraints.contains(it);
            for constraint in own.constraints.iter().filter(lacks) {
                self.add_part(id, SchemaPart::Constraint(name_of(constraint)));
                let definition = constraint.definition.clone();
                self.add_part(id, SchemaPart::Constraint(definition));
            }
        }
    }

    fn texts(&mut self, left: &[TextShape], right: &[TextShape]) {
        for (own, others) in [(left, right), (right, left)] {
            for text in own {
                match others.iter().find(|other| other.id == text.id) {
                    Some(other) if other == text => {}
                    Some(other) if other.name != text.name => {
                        self.add_part(text.id, SchemaPart::Name);
                        if other.definition != text.definition {
                            self.add_part(text.id, SchemaPart::Whole);
                        }
                    }
                    _ => self.add_part(text.id, SchemaPart::Whole),
                }
            }
        }
    }
}
