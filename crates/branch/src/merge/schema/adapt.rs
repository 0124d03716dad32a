//! The source's and the base's schema in the target's ids: what both sides added is one thing.
//!
//! Two branches that add a table or a column of the same name give it two ids. Whether the two
//! definitions agree is decided later, by whoever compares them; here only the ids are brought
//! together. Once a merge has done so the target's catalog notes it ([`Twins`]): the source's
//! version, which the next merge starts from, has the thing under the other id. Neighbours: `mod`
//! merges what comes out.

use std::collections::{BTreeMap, BTreeSet};

use crate::merge::conflict::{ConflictKey, SchemaPart, Scope};
use crate::shape::{
    ColumnId, ConstraintShape, KeyColumn, KeyShape, ObjectId, Shape, TableShape, TextShape, Twins,
};

/// Which ids of a version stand for which of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapted {
    /// Objects: the version's, and the target's that it is.
    pub objects: BTreeMap<ObjectId, ObjectId>,
    /// Columns likewise.
    pub columns: BTreeMap<ColumnId, ColumnId>,
}

impl Adapted {
    /// Whether all ids are the target's already.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.columns.is_empty()
    }

    /// The target's id of an object.
    pub fn object(&self, id: ObjectId) -> ObjectId {
        self.objects.get(&id).copied().unwrap_or(id)
    }

    /// The target's id of a column.
    pub fn column(&self, id: ColumnId) -> ColumnId {
        self.columns.get(&id).copied().unwrap_or(id)
    }

    /// The address of a conflict in the target's ids.
    pub(crate) fn conflict_key(&self, key: &ConflictKey) -> ConflictKey {
        let scope = match &key.scope {
            Scope::Cell(row, column) => Scope::Cell(row.clone(), self.column(*column)),
            Scope::Schema(SchemaPart::Column(column)) => {
                Scope::Schema(SchemaPart::Column(self.column(*column)))
            }
            Scope::Schema(SchemaPart::ColumnName(column)) => {
                Scope::Schema(SchemaPart::ColumnName(self.column(*column)))
            }
            scope => scope.clone(),
        };
        ConflictKey { object: self.object(key.object), scope }
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

    fn shape(&self, shape: &Shape) -> Shape {
        let texts = |list: &[TextShape]| list.iter().map(|text| self.text(text)).collect();
        Shape {
            tables: shape.tables.iter().map(|table| self.table(table)).collect(),
            indexes: texts(&shape.indexes),
            views: texts(&shape.views),
            triggers: texts(&shape.triggers),
            twins: Twins::default(),
        }
    }
}

/// Base and source in the target's ids.
pub(super) struct InOurIds {
    pub(super) base: Shape,
    pub(super) theirs: Shape,
    pub(super) of_base: Adapted,
    pub(super) of_theirs: Adapted,
}

/// Finds what has several ids, by what earlier merges noted and by the names of what both sides
/// added since, and rewrites the other two schemas.
pub(super) fn adapt(base: &Shape, ours: &Shape, theirs: &Shape) -> InOurIds {
    let [of_base, mut of_theirs] = noted(base, ours, theirs);
    let base = of_base.shape(base);
    let by_name = added_twice(&base, ours, &of_theirs.shape(theirs));
    of_theirs.objects.extend(by_name.objects);
    of_theirs.columns.extend(by_name.columns);
    let theirs = of_theirs.shape(theirs);
    InOurIds { base, theirs, of_base, of_theirs }
}

/// What an earlier merge brought together, for the base and for the source.
fn noted(base: &Shape, ours: &Shape, theirs: &Shape) -> [Adapted; 2] {
    let all = [ours, theirs, base];
    let objects = all.map(objects_of);
    let columns = all.map(columns_of);
    let of_objects =
        Classes::of(all.iter().flat_map(|shape| &shape.twins.objects)).renumber(&objects);
    let of_columns =
        Classes::of(all.iter().flat_map(|shape| &shape.twins.columns)).renumber(&columns);
    let [base_objects, theirs_objects] = of_objects;
    let [base_columns, theirs_columns] = of_columns;
    [
        Adapted { objects: base_objects, columns: base_columns },
        Adapted { objects: theirs_objects, columns: theirs_columns },
    ]
}

fn objects_of(shape: &Shape) -> BTreeSet<ObjectId> {
    let texts = shape.indexes.iter().chain(&shape.views).chain(&shape.triggers);
    shape.tables.iter().map(|table| table.id).chain(texts.map(|text| text.id)).collect()
}

fn columns_of(shape: &Shape) -> BTreeSet<ColumnId> {
    shape.tables.iter().flat_map(|table| &table.columns).map(|column| column.id).collect()
}

/// Ids that are those of one thing, each with the one that stands for all.
struct Classes<T> {
    first: BTreeMap<T, T>,
}

impl<T: Copy + Ord> Classes<T> {
    fn of<'t>(pairs: impl Iterator<Item = &'t (T, T)>) -> Self
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
    fn renumber(&self, [ours, theirs, base]: &[BTreeSet<T>; 3]) -> [BTreeMap<T, T>; 2] {
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

/// What both sides added under one name.
fn added_twice(base: &Shape, ours: &Shape, theirs: &Shape) -> Adapted {
    let mut adapted = Adapted::default();
    for table in &theirs.tables {
        let other = match ours.table(table.id) {
            Some(other) => other,
            None if base.table(table.id).is_none() => {
                let Some(other) = ours.table_named(&table.name) else { continue };
                // One that the source has, too, is no second one.
                if base.table(other.id).is_some() || theirs.table(other.id).is_some() {
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
            let same = other.column_named(&column.name).filter(|same| {
                // One that the source has, too, under another name is no second one.
                is_new(same.id) && table.index_of(same.id).is_none()
            });
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
                other.name.eq_ignore_ascii_case(&text.name)
                    && !is_in(base, other.id)
                    && !is_in(theirs, other.id)
            });
            if let Some(same) = same {
                adapted.objects.insert(text.id, same.id);
            }
        }
    }
    adapted
}
