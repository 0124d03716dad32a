//! JSON: one array of objects, or one object a line.
//!
//! Neighbours: `quote` writes the values.

use std::io::{self, Write};

use pandodb::ValueRef;

use super::{Renderer, quote};

pub(super) struct Json {
    /// `"name":` of each column.
    keys: Vec<String>,
    is_array: bool,
    rows: u64,
}

impl Json {
    pub(super) fn array(columns: &[String]) -> Self {
        Self::new(columns, true)
    }

    pub(super) fn lines(columns: &[String]) -> Self {
        Self::new(columns, false)
    }

    fn new(columns: &[String], is_array: bool) -> Self {
        let keys = columns.iter().map(|name| format!("{}:", quote::json_string(name))).collect();
        Self { keys, is_array, rows: 0 }
    }
}

impl Renderer for Json {
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::from(match (self.is_array, self.rows) {
            (false, _) => "",
            (true, 0) => "[",
            (true, _) => ",\n",
        });
        line.push('{');
        for (at, (key, value)) in self.keys.iter().zip(values).enumerate() {
            if at > 0 {
                line.push(',');
            }
            line.push_str(key);
            line.push_str(&quote::json(*value));
        }
        line.push('}');
        if !self.is_array {
            line.push('\n');
        }
        self.rows += 1;
        out.write_all(line.as_bytes())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.is_array, self.rows) {
            (false, _) => Ok(()),
            (true, 0) => out.write_all(b"[]\n"),
            (true, _) => out.write_all(b"]\n"),
        }
    }
}
