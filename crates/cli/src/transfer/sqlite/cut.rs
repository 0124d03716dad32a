//! Texts with NUL, which sqlite3's dump cuts there: they are set again behind the dump's rows.
//!
//! sqlite3 writes a row with such a text as if it ended before the NUL, and so does its `quote()`.
//! Therefore the rows are asked for once more, in hexadecimal digits, and found by their number or
//! by their key as the dump wrote it. The triggers that the dump has defined are away meanwhile.
//! All of it runs in the dump's transaction, in the place of its COMMIT. Neighbours: the module
//! above runs the dump.

use std::fmt::Write as _;
use std::io::{Cursor, Read};
use std::process::{Child, Command};

use pandodb::ValueRef;
use serde::Deserialize;

use super::{ask, no_pipe, start};
use crate::failure::{Failure, Outcome};
use crate::output::quote::{identifier, literal};

/// What ends a dump.
const COMMIT: &[u8] = b"COMMIT;\n";

const COLUMNS: &str = "SELECT m.name AS 'table', c.name AS name, c.pk AS key, \
    c.hidden AS hidden, l.wr AS is_without_rowid FROM sqlite_schema AS m, \
    pragma_table_list AS l, pragma_table_xinfo(m.name) AS c \
    WHERE m.type = 'table' AND l.schema = 'main' AND l.name = m.name \
    AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY m.rowid, c.cid";

/// A column as sqlite3 tells of it.
#[derive(Deserialize)]
pub(super) struct Column {
    table: String,
    pub(super) name: String,
    pub(super) key: u32,
    pub(super) hidden: u32,
    pub(super) is_without_rowid: u32,
}

/// The columns of one table.
pub(super) struct Table<'a>(pub(super) &'a [Column]);

/// The columns of all tables, in the order of the schema.
pub(super) fn columns_of(source: &str) -> Outcome<Vec<Column>> {
    ask_json(source, COLUMNS)
}

/// Those of each table.
pub(super) fn tables(columns: &[Column]) -> impl Iterator<Item = Table<'_>> {
    columns.chunk_by(|left, right| left.table == right.table).map(Table)
}

impl Table<'_> {
    pub(super) fn table(&self) -> &str {
        &self.0[0].table
    }

    /// The columns that can be set.
    fn columns(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .filter(|column| column.hidden == 0)
            .map(|column| identifier(&column.name).into_owned())
    }

    /// A name for the number of a row that no column has taken.
    pub(super) fn rowid(&self) -> Option<&'static str> {
        let is_free =
            |alias: &&str| !self.0.iter().any(|column| column.name.eq_ignore_ascii_case(alias));
        ["rowid", "_rowid_", "oid"].into_iter().find(is_free)
    }

    /// The condition that a row has a text with NUL.
    fn is_cut(&self) -> String {
        let one = self.columns().map(|name| is_cut(&name)).collect::<Vec<_>>();
        if one.is_empty() { "0".to_owned() } else { one.join(" OR ") }
    }

    /// A query whose rows are the statements that set the texts again.
    fn statements(&self) -> Outcome<String> {
        let mut set = Vec::new();
        for name in self.columns() {
            let begin = text(&format!("{name} = CAST(x'"));
            let condition = is_cut(&name);
            set.push(format!(
                "CASE WHEN {condition} THEN {begin} || hex({name}) || ''' AS TEXT), ' ELSE '' END"
            ));
        }
        let mut found = Vec::new();
        if self.0[0].is_without_rowid != 0 {
            for key in self.0.iter().filter(|column| column.key > 0) {
                let name = identifier(&key.name);
                found.push(format!("{} || quote({name})", text(&format!("{name} IS "))));
            }
        } else {
            let alias = self.rowid().ok_or_else(|| {
                Failure::statement(format!(
                    "table {} has texts with NUL and no name for the number of a row",
                    self.table()
                ))
            })?;
            found.push(format!("'{alias} = ' || {alias}"));
        }
        let table = identifier(self.table());
        Ok(format!(
            "SELECT {} || rtrim({}, ', ') || ' WHERE ' || {} || ';' FROM {table} WHERE {};\n",
            text(&format!("UPDATE {table} SET ")),
            set.join(" || "),
            found.join(" || ' AND ' || "),
            self.is_cut()
        ))
    }
}

fn is_cut(name: &str) -> String {
    format!("(typeof({name}) = 'text' AND instr({name}, char(0)) > 0)")
}

fn text(text: &str) -> String {
    literal(ValueRef::Text(text.as_bytes()))
}

/// What follows a dump's rows: nothing in most databases.
#[derive(Default)]
pub(super) struct Repair {
    /// sqlite3, writing statements.
    child: Option<Child>,
    before: String,
    after: String,
}

impl Repair {
    /// Looks for texts with NUL in the tables of `source`.
    pub(super) fn of(source: &str) -> Outcome<Self> {
        let columns = columns_of(source)?;
        let mut cut = Vec::new();
        for table in tables(&columns) {
            let (name, condition) = (identifier(table.table()), table.is_cut());
            let query = format!("SELECT EXISTS(SELECT 1 FROM {name} WHERE {condition})");
            // What cannot be read is the dump's to tell.
            if ask(source, &query).is_ok_and(|answer| answer.starts_with('1')) {
                cut.push(table);
            }
        }
        if cut.is_empty() {
            return Ok(Self::default());
        }
        if !ask(source, "PRAGMA encoding")?.starts_with("UTF-8") {
            return Err(Failure::statement(format!(
                "table {} has texts with NUL, in UTF-16: sqlite3 does not write them whole",
                cut[0].table()
            ))
            .with_hint("store them as blobs, or the database in UTF-8"));
        }
        let mut queries = String::new();
        let mut repair = Self { after: "COMMIT;\n".to_owned(), ..Self::default() };
        for table in cut {
            queries.push_str(&table.statements()?);
            repair.put_triggers_away(source, table.table())?;
        }
        let arguments = ["-batch", "-bail", "-readonly", "-noheader", "-list", source, &queries];
        repair.child = Some(start(Command::new("sqlite3").args(arguments))?);
        Ok(repair)
    }

    /// Whether anything is to be set again.
    pub(super) fn is_needed(&self) -> bool {
        self.child.is_some()
    }

    fn put_triggers_away(&mut self, source: &str, table: &str) -> Outcome {
        #[derive(Deserialize)]
        struct Trigger {
            name: String,
            sql: String,
        }
        let query = format!(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = \
             lower({}) ORDER BY rowid DESC",
            text(table)
        );
        for Trigger { name, sql } in ask_json(source, &query)? {
            // Text in memory takes what is written.
            let _ = writeln!(self.before, "DROP TRIGGER {};", identifier(&name));
            self.after.insert_str(0, &format!("{sql};\n"));
        }
        Ok(())
    }

    /// The dump with the statements in the place of its COMMIT.
    pub(super) fn behind<R: Read>(&mut self, dump: R) -> Outcome<Behind<R>> {
        let statements = match &mut self.child {
            None => None,
            Some(child) => {
                let Some(output) = child.stdout.take() else { return Err(no_pipe()) };
                let before = Cursor::new(std::mem::take(&mut self.before).into_bytes());
                let after = Cursor::new(std::mem::take(&mut self.after).into_bytes());
                Some(Box::new(before.chain(output).chain(after)) as Box<dyn Read>)
            }
        };
        Ok(Behind { dump, held: Vec::new(), statements, is_over: false })
    }

    /// Whether sqlite3 wrote all of them.
    pub(super) fn ended_well(mut self) -> Outcome<bool> {
        let Some(child) = &mut self.child else { return Ok(true) };
        let _ = child.kill();
        Ok(child.wait()?.code().is_none_or(|code| code == 0))
    }
}

/// A dump whose COMMIT comes later.
pub(super) struct Behind<R> {
    dump: R,
    /// The last bytes of the dump, which may be its COMMIT.
    held: Vec<u8>,
    statements: Option<Box<dyn Read>>,
    is_over: bool,
}

impl<R: Read> Read for Behind<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(statements) = &mut self.statements else { return self.dump.read(buffer) };
        while !self.is_over && self.held.len() <= COMMIT.len() {
            let begin = self.held.len();
            self.held.resize(begin + 64 * 1024, 0);
            let count = self.dump.read(&mut self.held[begin..]);
            self.held.truncate(begin + count.as_ref().map_or(0, |count| *count));
            // A dump that ends in another way, as a damaged one does, is left as it is.
            if count? == 0 {
                self.is_over = true;
                match self.held.strip_suffix(COMMIT) {
                    Some(rest) => self.held.truncate(rest.len()),
                    None => *statements = Box::new(std::io::empty()),
                }
            }
        }
        let ready = self.held.len() - if self.is_over { 0 } else { COMMIT.len() };
        if ready == 0 {
            return statements.read(buffer);
        }
        let count = ready.min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

/// What sqlite3 answers, as values of a type of ours.
fn ask_json<T: for<'a> Deserialize<'a>>(file: &str, sql: &str) -> Outcome<Vec<T>> {
    let text = super::answer(
        file,
        Command::new("sqlite3").args(["-batch", "-bail", "-readonly", "-json", file, sql]),
    )?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&text)
        .map_err(|error| Failure::statement(format!("sqlite3's answer is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::io::{Cursor, Read};

    use super::Behind;

    /// Reads at most three bytes at once.
    struct Slow<R>(R);

    impl<R: Read> Read for Slow<R> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(3);
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn statements_take_the_place_of_the_commit_only() {
        for (dump, expected) in [
            ("BEGIN;\nCOMMIT;\nx;\nCOMMIT;\n", "BEGIN;\nCOMMIT;\nx;\nNEW;\n"),
            ("COMMIT;\n", "NEW;\n"),
            ("BEGIN;\nROLLBACK; -- due to errors\n", "BEGIN;\nROLLBACK; -- due to errors\n"),
            ("a", "a"),
            ("", ""),
        ] {
            let statements: Box<dyn Read> = Box::new(Cursor::new("NEW;\n"));
            let mut behind = Behind {
                dump: Slow(Cursor::new(dump)),
                held: Vec::new(),
                statements: Some(statements),
                is_over: false,
            };
            let mut text = String::new();
            behind.read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
