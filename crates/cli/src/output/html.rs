//! Rows of an HTML table, without the `<table>` around them, as sqlite3 writes them.
//!
//! Neighbours: `quote` escapes.

use std::io::{self, Write};

use pandodb::ValueRef;

use super::escape::{Escape, escaped};
use super::{Renderer, Settings, quote};

pub(super) struct Html {
    columns: Vec<String>,
    headers: bool,
    null: String,
    escape: Escape,
}

impl Html {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        let null = settings.null().to_owned();
        let (headers, escape) = (settings.show_headers(), settings.escape());
        Self { columns: columns.to_vec(), headers, null, escape }
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::take(&mut self.headers) {
            return Ok(());
        }
        out.write_all(b"<TR>")?;
        for name in &self.columns {
            writeln!(out, "<TH>{}</TH>", quote::html(&escaped(name, self.escape)))?;
        }
        out.write_all(b"</TR>\n")
    }
}

impl Renderer for Html {
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        out.write_all(b"<TR>")?;
        for value in values {
            let text =
                if value.is_null() { self.null.as_str().into() } else { quote::plain(*value) };
            writeln!(out, "<TD>{}</TD>", quote::html(&escaped(&text, self.escape)))?;
        }
        out.write_all(b"</TR>\n")
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)
    }
}
