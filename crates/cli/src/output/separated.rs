//! CSV, TSV, list, quote, ascii and tcl: values with something between them.
//!
//! Neighbours: `quote` has the rules of each notation.

use std::borrow::Cow;
use std::io::{self, Write};

use pandodb::ValueRef;

use super::escape::{Escape, escaped_cow};
use super::{Mode, Renderer, Settings, quote};

pub(super) struct Separated {
    mode: Mode,
    columns: Vec<String>,
    headers: bool,
    null: String,
    separator: String,
    row_separator: String,
    escape: Escape,
    line: String,
}

impl Separated {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        // RFC 4180 has CRLF behind records; terminals and the tools of a pipe want a line feed,
        // and every reader of CSV takes it.
        let (separator, row_separator) = match settings.mode {
            Mode::Csv | Mode::Quote => (",", "\n"),
            Mode::Tsv => ("\t", "\n"),
            Mode::Ascii => ("\u{1f}", "\u{1e}"),
            Mode::Tcl => (" ", "\n"),
            _ => ("|", "\n"),
        };
        Self {
            mode: settings.mode,
            columns: columns.to_vec(),
            headers: settings.show_headers(),
            null: settings.null().to_owned(),
            separator: settings.separator.clone().unwrap_or_else(|| separator.into()),
            row_separator: settings.row_separator.clone().unwrap_or_else(|| row_separator.into()),
            escape: settings.escape(),
            line: String::new(),
        }
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::take(&mut self.headers) {
            return Ok(());
        }
        self.line.clear();
        for (at, name) in self.columns.iter().enumerate() {
            if at > 0 {
                self.line.push_str(&self.separator);
            }
            let field = self.text(ValueRef::Text(name.as_bytes())).into_owned();
            self.line.push_str(&field);
        }
        self.line.push_str(&self.row_separator);
        out.write_all(self.line.as_bytes())
    }

    fn field<'a>(&'a self, value: ValueRef<'a>) -> Cow<'a, str> {
        match self.mode {
            Mode::Tcl if value.is_null() => self.text(ValueRef::Text(self.null.as_bytes())),
            Mode::Quote | Mode::Tcl => self.text(value),
            _ if value.is_null() => Cow::Borrowed(&self.null),
            _ => self.text(value),
        }
    }

    fn text<'a>(&self, value: ValueRef<'a>) -> Cow<'a, str> {
        if self.mode == Mode::Quote {
            return Cow::Owned(quote::shown_literal(value, self.escape));
        }
        let text = quote::plain(value);
        if self.mode == Mode::Tcl {
            return escaped_cow(Cow::Owned(quote::tcl(&text)), self.escape);
        }
        // Its own escapes come first: a carriage return is one of them.
        let text = match self.mode {
            Mode::Tsv => match quote::tsv(&text) {
                Cow::Borrowed(_) => text,
                Cow::Owned(escaped) => Cow::Owned(escaped),
            },
            _ => text,
        };
        let text = escaped_cow(text, self.escape);
        match self.mode {
            Mode::Csv => match quote::csv(&text, &self.separator) {
                Cow::Borrowed(_) => text,
                Cow::Owned(quoted) => Cow::Owned(quoted),
            },
            _ => text,
        }
    }
}

impl Renderer for Separated {
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                line.push_str(&self.separator);
            }
            line.push_str(&self.field(*value));
        }
        line.push_str(&self.row_separator);
        let written = out.write_all(line.as_bytes());
        self.line = line;
        written
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        // A file has its names without rows, too; elsewhere, as in sqlite3, nothing is named.
        if matches!(self.mode, Mode::Csv | Mode::Tsv) { self.begin(out) } else { Ok(()) }
    }
}
