//! Random changes of the schema: ALTER TABLE, DROP, triggers on views, PRAGMAs.
//!
//! The model of the schema follows what a statement would do if it succeeded. Where it fails, on
//! both engines alike, later statements name what is not there and fail on both, too.
//! Neighbours: `change` (rows), `schema` (the model).

use super::change::Changes;
use super::expression::{Expressions, Source, literal_for};
use super::schema::{Column, Table, chance, pick};

impl Changes<'_> {
    /// ALTER TABLE in one of its forms.
    pub(super) fn alter(&mut self) -> String {
        let bases: Vec<usize> =
            (0..self.schema.tables.len()).filter(|at| !self.schema.tables[*at].view).collect();
        let place = bases[self.rng.usize(..bases.len())];
        match self.rng.u8(..10) {
            0..=4 => self.add_column(place),
            5..=6 => self.rename_column(place),
            7..=8 => self.drop_column(place),
            _ => self.rename_table(place),
        }
    }

    fn add_column(&mut self, place: usize) -> String {
        self.schema.objects += 1;
        let name = format!("d{}", self.schema.objects);
        let kind = pick(self.rng, &["INTEGER", "TEXT", "REAL", "", "NUMERIC"]);
        let mut text = format!("{name} {kind}").trim_end().to_owned();
        if chance(self.rng, 40) {
            let default = literal_for(self.rng, kind);
            text.push_str(&format!(" DEFAULT {default}"));
        }
        if chance(self.rng, 15) {
            text.push_str(" COLLATE NOCASE");
        }
        let plain: Vec<&Column> =
            self.schema.tables[place].columns.iter().filter(|column| !column.generated).collect();
        let generated = chance(self.rng, 15) && !plain.is_empty();
        if generated {
            let of = &plain[self.rng.usize(..plain.len())].name;
            let forms = [format!("{of} || 'g'"), format!("length({of})"), format!("-{of}")];
            text = format!("{name} {kind} AS ({})", forms[self.rng.usize(..forms.len())]);
        }
        if chance(self.rng, 10) {
            text.push_str(&format!(" CHECK ({name} IS NULL OR {name} <> 42)"));
        }
        let table = &mut self.schema.tables[place];
        let column = Column { name, kind, generated, unique: false };
        table.columns.push(column);
        format!("ALTER TABLE {} ADD COLUMN {text}", table.name)
    }

    fn rename_column(&mut self, place: usize) -> String {
        self.schema.objects += 1;
        let new = format!("n{}", self.schema.objects);
        let at = self.rng.usize(..self.schema.tables[place].columns.len());
        let table = &mut self.schema.tables[place];
        let old = std::mem::replace(&mut table.columns[at].name, new.clone());
        let keys = table.keys.iter_mut().flatten().chain(&mut table.indexed);
        for key in keys.filter(|key| **key == old) {
            key.clone_from(&new);
        }
        format!("ALTER TABLE {} RENAME COLUMN {old} TO {new}", table.name)
    }

    fn drop_column(&mut self, place: usize) -> String {
        let table = &mut self.schema.tables[place];
        let plain: Vec<usize> = (0..table.columns.len())
            .filter(|at| {
                let column = &table.columns[*at];
                !column.unique && !table.keys.iter().flatten().any(|key| *key == column.name)
            })
            .collect();
        if plain.is_empty() || table.columns.len() < 3 {
            return self.add_column(place);
        }
        let at = plain[self.rng.usize(..plain.len())];
        let column = table.columns.remove(at);
        format!("ALTER TABLE {} DROP COLUMN {}", table.name, column.name)
    }

    fn rename_table(&mut self, place: usize) -> String {
        self.schema.objects += 1;
        let new = format!("r{}", self.schema.objects);
        let old = std::mem::replace(&mut self.schema.tables[place].name, new.clone());
        format!("ALTER TABLE {old} RENAME TO {new}")
    }

    /// DROP of something that is there, or was.
    pub(super) fn drop(&mut self) -> String {
        let number = self.rng.usize(..=self.schema.objects);
        match self.rng.u8(..10) {
            0..=3 => format!("DROP INDEX IF EXISTS i{number}"),
            4..=6 => format!("DROP TRIGGER IF EXISTS g{number}"),
            7..=8 => {
                let views = self.schema.tables.iter().position(|table| table.view);
                match views {
                    Some(place) => {
                        let view = self.schema.tables.remove(place);
                        format!("DROP VIEW {}", view.name)
                    }
                    None => "DROP VIEW IF EXISTS v99".to_owned(),
                }
            }
            _ => format!("DROP INDEX i{number}"),
        }
    }

    /// A switch of the session.
    pub(super) fn switch(&mut self) -> String {
        let name = pick(
            self.rng,
            &["recursive_triggers", "foreign_keys", "defer_foreign_keys", "query_only"],
        );
        // Nothing more would happen.
        let value = if name == "query_only" { "OFF" } else { pick(self.rng, &["ON", "OFF"]) };
        format!("PRAGMA {name} = {value}")
    }

    /// A change of a view, which its triggers make or refuse.
    pub(super) fn change_view(&mut self) -> String {
        let views: Vec<Table> =
            self.schema.tables.iter().filter(|table| table.view).cloned().collect();
        if views.is_empty() {
            return self.schema.create_view(self.rng);
        }
        let view = views[self.rng.usize(..views.len())].clone();
        if chance(self.rng, 40) {
            return self.instead(&view);
        }
        let schema = self.schema.clone();
        let source = Source::of(&view, &view.name);
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 0 };
        let column = view.columns[scope.rng.usize(..view.columns.len())].name.clone();
        match scope.rng.u8(..3) {
            0 => {
                let values: Vec<String> =
                    view.columns.iter().map(|_| literal_for(scope.rng, "")).collect();
                format!("INSERT INTO {} VALUES ({})", view.name, values.join(", "))
            }
            1 => {
                let (value, condition) = (scope.value(1), scope.condition(1));
                format!("UPDATE {} SET {column} = {value} WHERE {condition}", view.name)
            }
            _ => format!("DELETE FROM {} WHERE {}", view.name, scope.condition(1)),
        }
    }

    fn instead(&mut self, view: &Table) -> String {
        self.schema.objects += 1;
        let name = format!("g{}", self.schema.objects);
        let event = pick(self.rng, &["INSERT", "UPDATE", "DELETE"]);
        let row = if event == "DELETE" { "old" } else { "new" };
        let column = &view.columns[self.rng.usize(..view.columns.len())].name;
        format!(
            "CREATE TRIGGER {name} INSTEAD OF {event} ON {} BEGIN INSERT INTO log VALUES \
             ('{name}', quote({row}.{column}), typeof({row}.{column})); END",
            view.name
        )
    }
}
