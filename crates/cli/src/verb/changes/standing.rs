//! Views, triggers and indexes: what is put away before tables change, and what comes back.
//!
//! A view or a trigger that names a column follows it where ALTER TABLE renames it. Where the
//! table is built anew nothing tells it the new name, although the states hold it for unchanged:
//! it goes and comes back with its newer text. ALTER TABLE refuses to rename anything while a view
//! lacks what it stands on, so what stands on a view goes with it. So does what names a column that
//! is dropped: it would follow it to the name that the column takes to make room for another one.
//! Neighbours: `plan`, `anew`.

use std::collections::BTreeSet;

use pandodb::{ObjectType, SchemaChange, SchemaChangeKind};

use super::definition::{has_word, is_same};
use super::{Body, Definition, Writer, kind_of, older_name, renaming, tables_of};
use crate::output::quote::identifier;

/// Kinds and names: older ones of what goes, newer ones of what comes back.
#[derive(Default)]
struct Moved {
    away: BTreeSet<(&'static str, String)>,
    back: BTreeSet<(&'static str, String)>,
}

impl Writer {
    /// Drops what is gone or defined otherwise, and what is in the way of tables that change.
    pub(super) fn put_away(&mut self, schema: &[&SchemaChange], bodies: &[Body]) {
        let mut moved = Moved::default();
        for change in schema.iter().filter(|change| change.object != ObjectType::Table) {
            let kind = kind_of(change.object);
            if !matches!(change.change, SchemaChangeKind::Added) {
                moved.away.insert((kind, older_name(change).to_owned()));
            }
            if !matches!(change.change, SchemaChangeKind::Dropped) {
                moved.back.insert((kind, change.name.clone()));
            }
        }
        for body in bodies {
            self.move_of_body(body, schema, &mut moved);
        }
        self.move_left_behind(schema, &mut moved);
        self.move_above(&mut moved);
        let Moved { mut away, back } = moved;
        // What stands on a table goes with it.
        let dropped: BTreeSet<&str> =
            tables_of(schema, |it| matches!(it, SchemaChangeKind::Dropped)).collect();
        away.retain(|(kind, name)| {
            let found = self.old.find(kind, name);
            *kind == "view" || !found.is_some_and(|it| dropped.contains(it.table.as_str()))
        });
        for kind in ["trigger", "view", "index"] {
            for (_, name) in away.iter().filter(|(it, _)| *it == kind) {
                self.line(&format!("DROP {} {}", kind.to_uppercase(), identifier(name)));
            }
        }
        self.later = back.into_iter().collect();
    }

    /// The triggers of a table whose rows change; with one that is built anew its indexes go too.
    fn move_of_body(&self, body: &Body, schema: &[&SchemaChange], moved: &mut Moved) {
        let table = body.table.plain_name.as_str();
        let kinds: &[&'static str] =
            if body.is_rebuilt { &["trigger", "index"] } else { &["trigger"] };
        for kind in kinds {
            if let Some(older) = self.older_table(table, schema) {
                let older = self.old.of_table(kind, older);
                moved.away.extend(older.map(|it| (*kind, it.name.clone())));
            }
            let newer = self.new.of_table(kind, table);
            moved.back.extend(newer.map(|it| (*kind, it.name.clone())));
        }
    }

    /// What would follow a new name if the table were not built anew, and what must not follow one.
    fn move_left_behind(&self, schema: &[&SchemaChange], moved: &mut Moved) {
        let of_columns =
            || schema.iter().filter(|it| it.object == ObjectType::Table && it.column.is_some());
        let is_left =
            of_columns().any(|it| renaming(it).is_some() && self.rebuilt.contains(&it.name));
        let dropped: Vec<&str> = of_columns()
            .filter(|it| it.change == SchemaChangeKind::Dropped)
            .filter_map(|it| it.column.as_deref())
            .collect();
        for older in self.standing() {
            let newer = self.new.find(&older.kind, &older.name);
            let follows = is_left && newer.is_some_and(|newer| !is_same(&older.sql, &newer.sql));
            if follows || dropped.iter().any(|column| has_word(&older.sql, column)) {
                self.move_one(older, moved);
            }
        }
    }

    /// What stands on views that are put away: their triggers, and other views and triggers.
    fn move_above(&self, moved: &mut Moved) {
        loop {
            let known = moved.away.len();
            let views: Vec<String> = moved
                .away
                .iter()
                .filter(|(kind, _)| *kind == "view")
                .map(|(_, name)| name.clone())
                .collect();
            for it in self.standing() {
                if views.iter().any(|view| *view != it.name && has_word(&it.sql, view)) {
                    self.move_one(it, moved);
                }
            }
            if moved.away.len() == known {
                return;
            }
        }
    }

    /// The older views and triggers.
    fn standing(&self) -> impl Iterator<Item = &Definition> {
        self.old.0.iter().filter(|it| matches!(it.kind.as_str(), "view" | "trigger"))
    }

    fn move_one(&self, older: &Definition, moved: &mut Moved) {
        let kind = if older.kind == "view" { "view" } else { "trigger" };
        moved.away.insert((kind, older.name.clone()));
        if let Some(newer) = self.new.find(kind, &older.name) {
            moved.back.insert((kind, newer.name.clone()));
        }
    }

    /// Brings what stands on tables back, in the order in which one may stand on another.
    pub(super) fn put_up(&mut self) {
        for kind in ["index", "view", "trigger"] {
            let names: Vec<String> = self
                .later
                .iter()
                .filter(|(it, _)| *it == kind)
                .map(|(_, name)| name.clone())
                .collect();
            // The order of the schema: a view may stand on another.
            let definitions: Vec<String> = self
                .new
                .0
                .iter()
                .filter(|it| it.kind == kind && names.contains(&it.name))
                .map(|it| it.sql.clone())
                .collect();
            for sql in definitions {
                self.line(&sql);
            }
        }
    }
}
