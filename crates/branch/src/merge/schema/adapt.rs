//! The source's and the base's schema in the target's ids: what both sides added is one thing.
//!
//! Two branches that add a table or a column of the same name give it two ids. Whether the two
//! definitions agree is decided later, by whoever compares them; here only the ids are brought
//! together. Once a merge has done so the target's catalog notes it: the source's
//! version, which the next merge starts from, has the thing under the other id. Neighbours: `mod`
//! merges what comes out.

use crate::merge::conflict::{ConflictKey, SchemaPart, Scope};
use crate::shape::adapted::{Adapted, Classes, columns_of, objects_of};
use crate::shape::{Shape, TextShape};

impl Adapted {
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
