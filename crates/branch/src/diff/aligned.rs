//! Two versions in one's ids: what both branches added alike is no difference.
//!
//! It is one thing where a merge noted so, or where a column, index, view or trigger that only one
//! version has is called and defined as one that only the other has. Tables are not found by their
//! names: one that was dropped and made again has none of its rows. Neighbours: `merge::schema`
//! does the same with a base.

use std::collections::{BTreeMap, BTreeSet};

use super::Version;
use crate::shape::adapted::{Adapted, Classes, columns_of, objects_of};
use crate::shape::{ColumnShape, ObjectId, Shape, TableShape, TextShape};

impl Version {
    /// The same version in the ids of another one that it is compared with.
    #[must_use]
    pub fn aligned_to(self, other: &Self) -> Self {
        Self { shape: aligned(self.shape, &other.shape), ..self }
    }
}

/// A schema in the ids of another one.
pub fn aligned(shape: Shape, other: &Shape) -> Shape {
    let mut shape = shape;
    let mut adapted = noted(&shape, other);
    loop {
        if adapted.is_empty() {
            return shape;
        }
        shape = adapted.shape(&shape);
        // What is defined by means of others may be found once they are.
        adapted = added_alike(&shape, other);
    }
}

/// What a merge made one; else what both added alike.
fn noted(shape: &Shape, other: &Shape) -> Adapted {
    let (own, others) = (&shape.twins, &other.twins);
    let objects = [objects_of(other), objects_of(shape), BTreeSet::new()];
    let columns = [columns_of(other), columns_of(shape), BTreeSet::new()];
    let [_, objects] = Classes::of(own.objects.iter().chain(&others.objects)).renumber(&objects);
    let [_, columns] = Classes::of(own.columns.iter().chain(&others.columns)).renumber(&columns);
    let noted = Adapted { objects, columns };
    if noted.is_empty() { added_alike(shape, other) } else { noted }
}

fn added_alike(shape: &Shape, other: &Shape) -> Adapted {
    let mut adapted = Adapted::default();
    for table in &shape.tables {
        let Some(there) = other.table(table.id) else { continue };
        for column in &table.columns {
            if let Some(same) = same_column(column, table, there) {
                adapted.columns.insert(column.id, same.id);
            }
        }
    }
    for (texts, there) in [
        (&shape.indexes, &other.indexes),
        (&shape.views, &other.views),
        (&shape.triggers, &other.triggers),
    ] {
        adapted.objects.extend(same_texts(texts, there));
    }
    adapted
}

/// The column that only the other table has, called and defined as one that only this one has.
fn same_column<'a>(
    column: &ColumnShape,
    table: &TableShape,
    there: &'a TableShape,
) -> Option<&'a ColumnShape> {
    let same = there.column_named(&column.name)?;
    let is_apart = there.index_of(column.id).is_none() && table.index_of(same.id).is_none();
    (is_apart && same.is_declared_as(column)).then_some(same)
}

fn same_texts(texts: &[TextShape], there: &[TextShape]) -> BTreeMap<ObjectId, ObjectId> {
    let has = |list: &[TextShape], id| list.iter().any(|text| text.id == id);
    let mut same = BTreeMap::new();
    for text in texts.iter().filter(|text| !has(there, text.id)) {
        let found = there.iter().find(|other| {
            let own = TextShape { id: text.id, name: text.name.clone(), ..(*other).clone() };
            other.name.eq_ignore_ascii_case(&text.name) && own == *text && !has(texts, other.id)
        });
        same.extend(found.map(|found| (text.id, found.id)));
    }
    same
}
