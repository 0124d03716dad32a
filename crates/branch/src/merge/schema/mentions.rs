//! What mentions a table or column that the other side dropped: columns that are computed from it,
//! constraints, indexes, views and triggers.
//!
//! It cannot be there without that, whichever side is right: a conflict until somebody decides, and
//! then it goes, or is what somebody defines. Neighbours: the module above has merged all else,
//! `kept` knows what a drop took along.

use std::collections::BTreeSet;

use super::{About, DroppedObject, Said, SchemaMerger, TextSource, conflict};
use crate::diff::schema::{ObjectKind, describe_column};
use crate::merge::conflict::SchemaPart;
use crate::shape::{ColumnId, ColumnShape, ObjectId, Shape, TableShape};

impl SchemaMerger<'_, '_> {
    /// What mentions a table or column that the other side dropped.
    pub(super) fn check_mentions(&mut self, ours: &Shape) {
        let mut objects: BTreeSet<ObjectId> = BTreeSet::new();
        let mut columns = std::mem::take(&mut self.undecided);
        for table in &self.merge.tables {
            objects.insert(table.shape.id);
            columns.extend(table.shape.columns.iter().map(|column| column.id));
        }
        for text in self.merge.texts.iter().filter(|text| text.kind == ObjectKind::View) {
            objects.insert(text.shape.id);
        }
        self.check_generated(&mut columns);
        self.check_circles();
        self.check_constraints(&objects, &columns);
        let texts = std::mem::take(&mut self.merge.texts);
        for text in texts {
            let mut text = text;
            let is_given = self.given(text.shape.id, SchemaPart::Mentions).is_some();
            let shape = &text.shape;
            let is_whole = shape.objects.iter().all(|id| objects.contains(id))
                && shape.columns.iter().all(|id| columns.contains(id));
            // One conflict about it is enough.
            let is_left = text.source == TextSource::Defined || self.is_contested(shape.id);
            if is_left || is_whole && !is_given && !self.kept.gives_up(shape) {
                self.merge.texts.push(text);
                continue;
            }
            let about = About { kind: text.kind, id: shape.id, name: &shape.name };
            let mut said = Said::default();
            match text.source {
                TextSource::Theirs => said.theirs = Some(shape.told()),
                _ => said.ours = Some(shape.told()),
            }
            let detail = "it needs a table or column that the other branch dropped";
            if self.disagree(about, SchemaPart::Mentions, None, said, detail).is_none() {
                continue;
            }
            if is_given {
                (text.source, text.is_changed) = (TextSource::Defined, true);
                self.merge.texts.push(text);
                continue;
            }
            // It cannot be there without what it mentions, whoever is right.
            let list = match text.kind {
                ObjectKind::Index => &ours.indexes,
                ObjectKind::View => &ours.views,
                ObjectKind::Trigger | ObjectKind::Table | ObjectKind::Setting => &ours.triggers,
            };
            if list.iter().any(|other| other.id == shape.id) {
                let (kind, id, name) = (text.kind, shape.id, shape.name.clone());
                self.merge.dropped.push(DroppedObject { kind, id, name });
            }
        }
    }

    /// Generated columns of what the other side dropped: they go with it, and what is computed from
    /// them, too.
    fn check_generated(&mut self, columns: &mut BTreeSet<ColumnId>) {
        let mut tables = std::mem::take(&mut self.merge.tables);
        for table in &mut tables {
            while !table.is_blocked {
                let is_lost = |column: &ColumnShape| {
                    let generated = column.generated.as_ref();
                    generated.is_some_and(|it| it.columns.iter().any(|id| !columns.contains(id)))
                        && !self.is_defined(table.shape.id, &SchemaPart::Column(column.id))
                };
                let Some(at) = table.shape.columns.iter().position(is_lost) else { break };
                let column = table.shape.columns[at].clone();
                let name = table.shape.name.clone();
                let about = About { kind: ObjectKind::Table, id: table.shape.id, name: &name };
                let is_ours =
                    table.ours.as_ref().is_some_and(|ours| ours.column(column.id).is_some());
                let text = Some(describe_column(&column));
                let said = if is_ours {
                    Said { ours: text, ..Said::default() }
                } else {
                    Said { theirs: text, ..Said::default() }
                };
                let detail = "the column is computed from one that the other branch dropped";
                let part = SchemaPart::Column(column.id);
                match self.disagree(about, part.clone(), Some(&column.name), said, detail) {
                    None => table.is_blocked = true,
                    Some(_) if self.is_defined(table.shape.id, &part) => {}
                    Some(_) => {
                        table.shape.columns.remove(at);
                        table.is_changed |= is_ours;
                        columns.remove(&column.id);
                    }
                }
            }
        }
        self.merge.tables = tables;
    }

    /// Generated columns that are computed from each other: two of different sides may be.
    fn check_circles(&mut self) {
        let mut tables = std::mem::take(&mut self.merge.tables);
        for table in tables.iter_mut().filter(|table| !table.is_blocked) {
            let circle = circle(&table.shape.columns);
            let is_defined =
                |id: &ColumnId| self.is_defined(table.shape.id, &SchemaPart::Column(*id));
            // What somebody defines is looked at where its text is read.
            if circle.iter().any(is_defined) {
                continue;
            }
            table.is_blocked |= !circle.is_empty();
            for id in circle {
                let text = |side: &Option<TableShape>| {
                    side.as_ref().and_then(|side| side.column(id)).map(describe_column)
                };
                let said = Said {
                    base: text(&table.base),
                    ours: text(&table.ours),
                    theirs: text(&table.theirs),
                };
                let (kind, object) = (ObjectKind::Table, table.shape.id);
                let about = About { kind, id: object, name: &table.shape.name };
                let name = table.shape.column(id).map(|column| &*column.name);
                let detail = "the column would be computed from one that is computed from it: \
                              take both from one side";
                let told =
                    conflict(about, SchemaPart::Column(id), (name, "definition"), said, detail);
                self.merge.conflicts.push(told);
            }
        }
        self.merge.tables = tables;
    }

    fn check_constraints(&mut self, objects: &BTreeSet<ObjectId>, columns: &BTreeSet<ColumnId>) {
        let mut tables = std::mem::take(&mut self.merge.tables);
        // One conflict about a table's constraints is enough.
        for table in tables.iter_mut().filter(|table| !table.is_blocked) {
            let kept = std::mem::take(&mut table.shape.constraints);
            for constraint in kept {
                let is_whole = constraint.columns.iter().all(|id| columns.contains(id))
                    && constraint.foreign_key.as_ref().is_none_or(|key| {
                        // SQL lets a foreign key lead to a table that is not there (yet).
                        key.parent.is_none_or(|parent| {
                            !objects.contains(&parent)
                                || key.columns.iter().all(|id| columns.contains(id))
                        })
                    });
                if is_whole {
                    table.shape.constraints.push(constraint);
                    continue;
                }
                let about = About {
                    kind: ObjectKind::Table,
                    id: table.shape.id,
                    name: &table.shape.name.clone(),
                };
                let name = constraint.name.clone().unwrap_or(constraint.definition.clone());
                let text = Some(constraint.told());
                let is_ours =
                    table.ours.as_ref().is_some_and(|ours| ours.constraints.contains(&constraint));
                let said = if is_ours {
                    Said { ours: text, ..Said::default() }
                } else {
                    Said { theirs: text, ..Said::default() }
                };
                let detail = "the constraint needs a column that the other branch dropped";
                let part = SchemaPart::Constraint(name);
                let is_resolved = self.disagree(about, part, None, said, detail).is_some();
                table.is_blocked |= !is_resolved;
                // One that somebody defines anew comes behind the columns.
                table.is_changed |= is_ours || is_resolved;
            }
        }
        self.merge.tables = tables;
    }
}

/// The generated columns that are computed from themselves, by way of others.
fn circle(columns: &[ColumnShape]) -> Vec<ColumnId> {
    let reads = |id: ColumnId| {
        let column = columns.iter().find(|column| column.id == id);
        let generated = column.and_then(|column| column.generated.as_ref());
        generated.into_iter().flat_map(|generated| generated.columns.iter().copied())
    };
    let is_in_circle = |id: &ColumnId| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![*id]);
        while let Some(next) = waiting.pop() {
            waiting.extend(reads(next).filter(|read| seen.insert(*read)));
        }
        seen.contains(id)
    };
    columns.iter().map(|column| column.id).filter(is_in_circle).collect()
}
