//! DuckDB beside the others, for orientation: it is made for questions about many rows and for
//! nothing else here. It uses every processor, the others one.
//!
//! Its tables are filled from those of SQLite. Neighbours: `reads` and `tpch` ask it,
//! `python/duck.py` is the other side.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::Base;
use super::client::{Cell, Connection, Statement};
use crate::python::Python;
use crate::turns::{Outcome, Rounds};

/// Its name in the table.
pub(super) const NAME: &str = "DuckDB";

/// A running DuckDB.
pub(super) struct Duck(Python);

/// DuckDB with the standard rows; none where it is not installed.
pub(super) fn open<C: Connection>(
    rounds: &mut Rounds,
    base: &Base,
    source: Option<&C>,
) -> Outcome<Option<Duck>> {
    let Some(source) = source else { return Ok(None) };
    let is_wanted = super::reads::QUESTIONS.iter().any(|asked| rounds.wants(asked.workload));
    if !is_wanted {
        return Ok(None);
    }
    let Some(mut duck) = Duck::start(rounds, &base.folder.join("items.duck"))? else {
        return Ok(None);
    };
    duck.fill(
        "CREATE TABLE items(id INTEGER PRIMARY KEY, k INTEGER, name TEXT, val REAL, payload TEXT)",
        &["items"],
        source,
        &base.folder,
    )?;
    duck.batch(super::reads::OTHER)?;
    Ok(Some(duck))
}

impl Duck {
    /// Starts it with a database in a file; says when it is not there.
    pub(super) fn start(rounds: &mut Rounds, file: &Path) -> Outcome<Option<Self>> {
        let Some(mut python) = Python::start("duckdb", "duck.py")? else {
            rounds.skip(NAME);
            return Ok(None);
        };
        python.call(&json!({ "do": "open", "path": file }))?;
        Ok(Some(Self(python)))
    }

    fn batch(&mut self, sql: &str) -> Outcome<()> {
        self.0.call(&json!({ "do": "batch", "sql": sql })).map(drop)
    }

    /// Makes tables and copies their rows from another database.
    pub(super) fn fill<C: Connection>(
        &mut self,
        schema: &str,
        tables: &[&str],
        source: &C,
        folder: &Path,
    ) -> Outcome<()> {
        self.batch(schema)?;
        for table in tables {
            let file = folder.join(format!("{table}.csv"));
            write_csv(source, table, &file)?;
            self.0.call(&json!({ "do": "copy", "table": table, "file": file }))?;
            std::fs::remove_file(file)?;
        }
        Ok(())
    }

    /// The time of a question.
    pub(super) fn ask(&mut self, sql: &str) -> Outcome<f64> {
        self.0.nanoseconds(&json!({ "do": "ask", "sql": sql }))
    }
}

fn write_csv<C: Connection>(source: &C, table: &str, file: &Path) -> Outcome<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for row in source.prepare(&format!("SELECT * FROM {table}"))?.rows(&[])? {
        let mut line = String::new();
        for cell in row {
            match cell {
                Cell::Null => {}
                Cell::Integer(value) => write!(line, "{value}")?,
                Cell::Real(value) => write!(line, "{value:?}")?,
                Cell::Text(text) => write!(line, "\"{}\"", text.replace('"', "\"\""))?,
                Cell::Blob(_) => return Err("a blob has no form in this file".into()),
            }
            line.push(',');
        }
        line.pop();
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
