//! The numbers that AUTOINCREMENT goes on from, where two states differ in them.
//!
//! Neighbours: `anew` builds tables, with which their numbers go.

use pandodb::{SchemaChange, Value};

use super::{Body, Writer, at_revision};
use crate::failure::Outcome;
use crate::output::quote::literal_of;
use crate::shell::Shell;

impl Writer {
    /// The statements that give the tables of the newer state its numbers.
    pub(super) fn counters(
        &self,
        shell: &Shell,
        (from, to): (&str, &str),
        schema: &[&SchemaChange],
        is_wanted: &dyn Fn(&str) -> bool,
        bodies: &[Body],
    ) -> Outcome<Vec<String>> {
        let (old, new) = (numbers(shell, from)?, numbers(shell, to)?);
        let number = |numbers: &[(String, Value)], table: &str| {
            let is_it = |it: &&(String, Value)| it.0.eq_ignore_ascii_case(table);
            numbers.iter().find(is_it).map(|(_, number)| number.clone())
        };
        let mut lines = Vec::new();
        for table in self.new.0.iter().filter(|it| it.kind == "table" && is_wanted(&it.name)) {
            let older = self.older_table(&table.name, schema);
            // With a table that is dropped its number goes.
            let older = older.filter(|_| !self.rebuilt.contains(&table.name));
            let before = older.and_then(|older| number(&old, older));
            let after = number(&new, &table.name);
            // An UPDATE may have given a row a number that the table has not counted to.
            let is_passed = |body: &Body| {
                let counted = after.as_ref().and_then(|it| it.as_ref().as_i64());
                body.table.plain_name == table.name
                    && body.rows.iter().any(|row| row.number() > counted)
            };
            if before == after && !(after.is_some() && bodies.iter().any(is_passed)) {
                continue;
            }
            let name = format!("'{}'", table.name.replace('\'', "''"));
            let Some(after) = after.as_ref().map(literal_of) else {
                lines.push(format!("DELETE FROM sqlite_sequence WHERE name = {name}"));
                continue;
            };
            lines.push(format!("UPDATE sqlite_sequence SET seq = {after} WHERE name = {name}"));
            lines.push(format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT {name}, {after} \
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {name})"
            ));
        }
        Ok(lines)
    }
}

/// The tables that count, and up to where they have counted.
fn numbers(shell: &Shell, revision: &str) -> Outcome<Vec<(String, Value)>> {
    let schema = at_revision("sqlite_schema", revision);
    let sql = format!("SELECT 1 FROM {schema} WHERE name = 'sqlite_sequence'");
    if !shell.connection.prepare(&sql)?.exists(())? {
        return Ok(Vec::new());
    }
    let sequence = at_revision("sqlite_sequence", revision);
    let sql = format!("SELECT name, seq FROM {sequence} WHERE name IS NOT NULL");
    let mut statement = shell.connection.prepare(&sql)?;
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
