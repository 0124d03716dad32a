//! INSERT statements that bring the rows into another table.
//!
//! Neighbours: `quote` writes the literals.

use std::io::{self, Write};

use pandodb::ValueRef;

use super::escape::Escape;
use super::{Renderer, Settings, quote};

pub(super) struct Insert {
    /// `INSERT INTO "t"(a,b) VALUES(`
    beginning: String,
    escape: Escape,
}

impl Insert {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        let mut beginning = format!("INSERT INTO {}", quote::identifier(&settings.insert_table));
        if settings.show_headers() {
            let names: Vec<_> = columns.iter().map(|name| quote::identifier(name)).collect();
            beginning.push_str(&format!("({})", names.join(",")));
        }
        beginning.push_str(" VALUES(");
        Self { beginning, escape: settings.escape() }
    }
}

impl Renderer for Insert {
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()> {
        let mut line = self.beginning.clone();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                line.push(',');
            }
            line.push_str(&quote::shown_literal(*value, self.escape));
        }
        line.push_str(");\n");
        out.write_all(line.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
