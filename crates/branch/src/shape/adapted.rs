//! A schema in the ids of another version of it: what is one thing there gets one id.
//!
//! Two branches that add something under one name give it two ids. A merge that makes it one notes
//! the other id ([`Twins`]). Neighbours: `diff` and `merge::schema` know what belongs together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ColumnId, ConstraintShape, KeyColumn, KeyShape, ObjectId, Shape, TableShape, TextShape, Twins,
};

/// Which ids of a version stand for which of another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapted {
    /// Objects: the version's, and the other's that it is.
    pub objects: BTreeMap<ObjectId, ObjectId>,
    /// Columns likewise.
    pub columns: BTreeMap<ColumnId, ColumnId>,
}

impl Adapted {
    /// Whether all ids are the other's already.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.columns.is_empty()
    }

    /// The other's id of an object.
    pub fn object(&self, id: ObjectId) -> ObjectId {
        self.objects.get(&id).copied().unwrap_or(id)
    }

    /// The other's id of a column.
    pub fn column(&self, id: ColumnId) -> ColumnId {
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
        if let Some(index) = &mut table.key_index {
            index.columns = self.key(&index.columns);
        }
        let constraints = table.constraints.iter();
        table.constraints = constraints.map(|constraint| self.constraint(constraint)).collect();
        table
    }

    fn text(&self, text: &TextShape) -> TextShape {
        TextShape {
            id: self.object(text.id),
            objects: text.objects.iter().map(|id| self.object(*id)).collect(),
            columns: text.columns.iter().map(|id| self.column(*id)).collect(),
            hangs_on: text.hangs_on.map(|id| self.object(id)),
            ..text.clone()
        }
    }

    /// A schema in the other's ids.
    pub(crate) fn shape(&self, shape: &Shape) -> Shape {
        let texts = |list: &[TextShape]| list.iter().map(|text| self.text(text)).collect();
        Shape {
            tables: shape.tables.iter().map(|table| self.table(table)).collect(),
            indexes: texts(&shape.indexes),
            views: texts(&shape.views),
            triggers: texts(&shape.triggers),
            settings: shape.settings.clone(),
            twins: Twins::default(),
        }
    }
}

/// The ids of all objects.
pub(crate) fn objects_of(shape: &Shape) -> BTreeSet<ObjectId> {
    let texts = shape.indexes.iter().chain(&shape.views).chain(&shape.triggers);
    shape.tables.iter().map(|table| table.id).chain(texts.map(|text| text.id)).collect()
}

/// The ids of all columns.
pub(crate) fn columns_of(shape: &Shape) -> BTreeSet<ColumnId> {
    shape.tables.iter().flat_map(|table| &table.columns).map(|column| column.id).collect()
}

/// Ids that are those of one thing, each with the one that stands for all.
pub(crate) struct Classes<T> {
    first: BTreeMap<T, T>,
}

impl<T: Copy + Ord> Classes<T> {
    /// By pairs of ids that are of one thing.
    pub(crate) fn of<'t>(pairs: impl Iterator<Item = &'t (T, T)>) -> Self
    where
        T: 't,
    {
        let mut classes = Self { first: BTreeMap::new() };
        for (left, right) in pairs {
            let (left, right) = (classes.first_of(*left), classes.first_of(*right));
            let (one, other) = (left.min(right), left.max(right));
            classes.first.insert(one, one);
            for first in classes.first.values_mut().filter(|first| **first == other) {
                *first = one;
            }
            classes.first.insert(other, one);
        }
        classes
    }

    fn first_of(&self, id: T) -> T {
        self.first.get(&id).copied().unwrap_or(id)
    }

    /// For base and source the ids that stand for theirs: the target's, or the source's where the
    /// target has the thing no more. In one version two ids are two things, whatever was noted.
    pub(crate) fn renumber(&self, [ours, theirs, base]: &[BTreeSet<T>; 3]) -> [BTreeMap<T, T>; 2] {
        let mut chosen: BTreeMap<T, T> = BTreeMap::new();
        for id in ours.iter().chain(theirs).chain(base) {
            if let Some(first) = self.first.get(id) {
                chosen.entry(*first).or_insert(*id);
            }
        }
        [base, theirs].map(|ids| {
            let mut renumbered = BTreeMap::new();
            let mut used = BTreeSet::new();
            for id in ids {
                let Some(to) = self.first.get(id).and_then(|first| chosen.get(first)) else {
                    continue;
                };
                if !ids.contains(to) && used.insert(*to) {
                    renumbered.insert(*id, *to);
                }
            }
            renumbered
        })
    }
}
