//! Definitions as texts that can be compared across branches.
//!
//! A definition is taken apart into tokens: comments and blanks go, keywords become small
//! letters, and a name that is one of the table's columns (or a table of the schema) is replaced
//! by its place in the list of what the text mentions. So renaming a column changes no text that
//! mentions it. Neighbours: `shape` builds shapes of these.

use pandodb_branch::shape::{ColumnId, ObjectId};

use crate::catalog::{Schema, Table};
use crate::parse::tokens;

/// A canonical text and what it mentions.
#[derive(Debug, Default)]
pub(super) struct Canonical {
    pub(super) text: String,
    pub(super) objects: Vec<ObjectId>,
    pub(super) columns: Vec<ColumnId>,
}

/// Makes texts canonical within one schema.
pub(super) struct Canonizer<'a> {
    schema: &'a Schema,
}

impl<'a> Canonizer<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        Self { schema }
    }

    /// The canonical form of `sql`, in which names are looked for among the columns of `tables`
    /// first. `own` is the object's own name, which is left out.
    pub(super) fn text(&self, sql: &str, tables: &[&Table], own: Option<&str>) -> Canonical {
        let mut canonical = Canonical::default();
        let mut is_own_left = own;
        for (word, is_name) in tokens(sql) {
            if !canonical.text.is_empty() {
                canonical.text.push(' ');
            }
            if !is_name {
                canonical.text.push_str(&word);
                continue;
            }
            if is_own_left.is_some_and(|own| own.eq_ignore_ascii_case(&word)) {
                is_own_left = None;
                canonical.text.push_str("{own}");
                continue;
            }
            self.name(&word, tables, &mut canonical);
        }
        canonical
    }

    fn name(&self, word: &str, tables: &[&Table], canonical: &mut Canonical) {
        let column = tables.iter().find_map(|table| {
            table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(word))
        });
        if let Some(column) = column {
            let place = place(&mut canonical.columns, ColumnId(column.id.0));
            canonical.text.push_str(&format!("{{c{place}}}"));
            return;
        }
        let object = self.schema.table(word).map(|table| table.id);
        let object = object.or_else(|| self.schema.view(word).map(|view| view.id));
        if let Some(id) = object {
            let place = place(&mut canonical.objects, ObjectId(id.0));
            canonical.text.push_str(&format!("{{t{place}}}"));
            return;
        }
        canonical.text.push_str(&word.to_ascii_lowercase());
    }

    /// The tables that a text names.
    pub(super) fn tables_in(&self, sql: &str) -> Vec<&'a Table> {
        let mut tables: Vec<&Table> = Vec::new();
        for (word, is_name) in tokens(sql) {
            if is_name
                && let Some(table) = self.schema.table(&word)
                && !tables.iter().any(|known| known.id == table.id)
            {
                tables.push(table);
            }
        }
        tables
    }
}

/// The place of an item in a list, at the end when it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    if let Some(place) = list.iter().position(|known| *known == item) {
        return place;
    }
    list.push(item);
    list.len() - 1
}
