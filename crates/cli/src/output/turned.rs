//! Results column by column: a line for each column, a column for each row.
//!
//! What is turned must be held, so only the first rows are ([`ROWS_MAX`]); a line below says how
//! many there were. Neighbours: `grid` draws what is turned.

use std::io::{self, Write};

use pandodb::{Value, ValueRef};

use super::grid::Grid;
use super::{Renderer, Settings};

/// How many rows are held.
const ROWS_MAX: usize = 1000;

/// Holds rows, and draws them turned at the end.
pub(super) struct Turned {
    settings: Settings,
    names: Vec<String>,
    held: Vec<Vec<Value>>,
    rows: u64,
}

impl Turned {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        let settings = Settings { by_column: false, footer: false, ..settings.clone() };
        Self { settings, names: columns.to_vec(), held: Vec::new(), rows: 0 }
    }
}

impl Renderer for Turned {
    fn row(&mut self, values: &[ValueRef<'_>], _: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        let most = if self.settings.rows_max > 0 { self.settings.rows_max } else { ROWS_MAX };
        if self.held.len() < most {
            self.held.push(values.iter().copied().map(ValueRef::to_owned).collect());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut columns = vec!["Column".to_owned()];
        columns.extend((1..=self.held.len()).map(|row| format!("Row {row}")));
        let settings = Settings { rows_max: 0, ..self.settings.clone() };
        let mut grid = Grid::of_named_rows(&settings, &columns);
        for (at, name) in self.names.iter().enumerate() {
            let mut line = vec![ValueRef::Text(name.as_bytes())];
            line.extend(
                self.held.iter().map(|row| row.get(at).map_or(ValueRef::Null, Value::as_ref)),
            );
            grid.row(&line, out)?;
        }
        grid.finish(out)?;
        let shown = self.held.len() as u64;
        if shown < self.rows {
            writeln!(out, "({} rows, {shown} shown)", self.rows)?;
        }
        Ok(())
    }
}
