//! The source's schema in the target's ids: what both sides added under one name is one thing.
//!
//! Two branches that add a table or a column of the same name give it two ids. Whether the two
//! definitions agree is decided later, by whoever compares them; here only the ids are brought
//! together. Neighbours: `mod` merges what comes out.

use std::collections::BTreeMap;

use crate::shape::{
    ColumnId, ConstraintShape, KeyColumn, KeyShape, ObjectId, Shape, TableShape, TextShape,
};

/// Which ids of the source stand for which of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapted {
    /// Objects: the source's, and the target's that it is.
    pub objects: BTreeMap<ObjectId, ObjectId>,
    /// Columns likewise.
    pub columns: BTreeMap<ColumnId, ColumnId>,
}

impl Adapted {
    fn object(&self, id: ObjectId) -> ObjectId {
        self.objects.get(&id).copied().unwrap_or(id)
    }

    fn column(&self, id: ColumnId) -> ColumnId {
        self.columns.get(&id).copied().unwrap_or(id)
    }

    fn key(&self, columns: &[KeyColumn]) -> Vec<KeyColumn> {
        let columns = columns.iter();
        columns.map(|key| KeyColumn { column: self.column(key.column), ..*key }).collect()
    }

    fn constraint(&self, constraint: &ConstraintShape) -> ConstraintShape {
        let mut constraint = constraint.clone();
        for id in &mut constraint.columns {
            *id = self.column(*id);
        }
        if let Some(key) = &mut constraint.foreign_key {
            key.parent = key.parent.map(|parent| self.object(parent));
            for id in &mut key.columns {
                *id = self.column(*id);
            }
        }
        constraint
    }

    fn table(&self, table: &TableShape) -> TableShape {
        let mut table = table.clone();
        table.id = self.object(table.id);
        for column in &mut table.columns {
            column.id = self.column(column.id);
            if let Some(generated) = &mut column.generated {
                for id in &mut generated.columns {
                    *id = self.column(*id);
                }
            }
        }
        table.key = match table.key {
            KeyShape::Rowid { alias, autoincrement } => {
                KeyShape::Rowid { alias: alias.map(|alias| self.column(alias)), autoincrement }
            }
            KeyShape::Columns(columns) => KeyShape::Columns(self.key(&columns)),
        };
        table.primary_key = self.key(&table.primary_key);
        let constraints = table.constraints.iter();
        table.constraints = constraints.map(|constraint| self.constraint(constraint)).collect();
        table
    }

    fn text(&self, text: &TextShape) -> TextShape {
        TextShape {
            id: self.object(text.id),
            objects: text.objects.iter().map(|id| self.object(*id)).collect(),
            columns: text.columns.iter().map(|id| self.column(*id)).collect(),
            ..text.clone()
        }
    }
}

/// Finds what both sides added under one name, and rewrites the source's schema.
pub(super) fn adapt(base: &Shape, ours: &Shape, theirs: &Shape) -> (Adapted, Shape) {
    let mut adapted = Adapted::default();
    for table in &theirs.tables {
        let other = match ours.table(table.id) {
            Some(other) => other,
            None if base.table(table.id).is_none() => {
                let Some(other) = ours.table_named(&table.name) else { continue };
                if base.table(other.id).is_some() {
                    continue;
                }
                adapted.objects.insert(table.id, other.id);
                other
            }
            None => continue,
        };
        let before = base.table(table.id);
        for column in &table.columns {
            let is_new = |id| before.is_none_or(|before| before.index_of(id).is_none());
            if !is_new(column.id) || other.index_of(column.id).is_some() {
                continue;
            }
            let same = other.column_named(&column.name).filter(|same| is_new(same.id));
            if let Some(same) = same {
                adapted.columns.insert(column.id, same.id);
            }
        }
    }
    for (base, ours, theirs) in [
        (&base.indexes, &ours.indexes, &theirs.indexes),
        (&base.views, &ours.views, &theirs.views),
        (&base.triggers, &ours.triggers, &theirs.triggers),
    ] {
        let is_in = |list: &[TextShape], id| list.iter().any(|text| text.id == id);
        for text in theirs {
            if is_in(base, text.id) || is_in(ours, text.id) {
                continue;
            }
            let same = ours.iter().find(|other| {
                other.name.eq_ignore_ascii_case(&text.name) && !is_in(base, other.id)
            });
            if let Some(same) = same {
                adapted.objects.insert(text.id, same.id);
            }
        }
    }
    let texts = |list: &[TextShape]| list.iter().map(|text| adapted.text(text)).collect();
    let shape = Shape {
        tables: theirs.tables.iter().map(|table| adapted.table(table)).collect(),
        indexes: texts(&theirs.indexes),
        views: texts(&theirs.views),
        triggers: texts(&theirs.triggers),
    };
    (adapted, shape)
}
