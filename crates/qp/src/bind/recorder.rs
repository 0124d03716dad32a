//! Where a text names a table or one of its columns: what ALTER TABLE ... RENAME replaces.
//!
//! The binder knows what each name means; with a recorder it notes the places. Neighbours:
//! `scope` and `from` resolve names, `define::alter` edits the texts.

use pandodb_ds::sync::Arc;

use super::{Binder, ScopeTable};
use crate::ast::{ColumnReference, Name};
use crate::catalog::{ObjectId, Table};
use crate::span::Span;

/// Notes the places of one name.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// The text whose places are noted.
    pub(crate) text: Arc<str>,
    /// The table.
    pub(crate) table: ObjectId,
    /// One of its columns; without one the table itself is meant.
    pub(crate) column: Option<usize>,
    /// The places, with quotes.
    pub(crate) places: Vec<Span>,
}

impl Binder<'_> {
    /// Whether names of the current text are noted.
    fn records(&self, table: &Table) -> Option<&Recorder> {
        let recorder = self.recorder.as_ref()?;
        // Another branch keeps its names.
        if table.database.version_place().is_some() {
            return None;
        }
        (recorder.table == table.id && *recorder.text == *self.text).then_some(recorder)
    }

    fn note(&mut self, span: Span) {
        if let Some(recorder) = &mut self.recorder
            && !span.is_empty()
            && !recorder.places.contains(&span)
        {
            recorder.places.push(span);
        }
    }

    /// A table was named.
    pub(crate) fn note_table(&mut self, table: &Table, name: &Name) {
        if self.records(table).is_some_and(|recorder| recorder.column.is_none()) {
            self.note(name.span);
        }
    }

    /// A column of a table was named where only columns of it may stand.
    pub(crate) fn note_column(&mut self, table: &Table, index: usize, name: &Name) {
        if self.records(table).is_some_and(|recorder| recorder.column == Some(index)) {
            self.note(name.span);
        }
    }

    /// A reference was found in a table of a scope.
    pub(crate) fn note_reference(
        &mut self,
        place: (usize, usize, usize),
        reference: &ColumnReference,
    ) {
        if self.recorder.is_none() {
            return;
        }
        let (scope, table, column) = place;
        let Some(found) = self.scopes.get(scope).and_then(|scope| scope.tables.get(table)) else {
            return;
        };
        let Some(known) = found.table.clone() else { return };
        let is_own_name = found.is_own_name();
        self.note_column(&known, column, &reference.column);
        if let (Some(name), true) = (&reference.table, is_own_name) {
            let name = name.clone();
            self.note_table(&known, &name);
        }
    }
}

impl ScopeTable {
    /// Whether it is called by its table's name.
    pub(crate) fn is_own_name(&self) -> bool {
        self.database.is_some_and(|qualifier| qualifier.is_own_name)
    }
}
