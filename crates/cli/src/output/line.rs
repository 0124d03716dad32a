//! One column a line: for rows that are wider than any screen.
//!
//! Neighbours: `width` aligns the names.

use std::io::{self, Write};

use pandodb::ValueRef;

use super::escape::Escape;
use super::width::{Align, printable, push_padded, width};
use super::{Renderer, Settings, quote};

pub(super) struct Line {
    columns: Vec<String>,
    name_width: usize,
    null: String,
    escape: Escape,
    is_first: bool,
}

impl Line {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        let escape = settings.escape_in_columns();
        let columns: Vec<String> =
            columns.iter().map(|name| printable(name, escape).replace('\n', " ")).collect();
        let name_width = columns.iter().map(|name| width(name)).max().unwrap_or(0);
        let null = settings.null().to_owned();
        Self { columns, name_width, null, escape, is_first: true }
    }
}

/// Appends a name and its value, whose further lines stand below its first one.
pub(super) fn push_line(name: &str, name_width: usize, value: &str, text: &mut String) {
    push_padded(name, name_width, Align::Right, text);
    text.push_str(" = ");
    for (at, part) in value.split('\n').enumerate() {
        if at > 0 {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', name_width + 3));
        }
        text.push_str(part);
    }
    text.push('\n');
}

impl Renderer for Line {
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()> {
        let mut text = String::new();
        if !std::mem::take(&mut self.is_first) {
            text.push('\n');
        }
        for (name, value) in self.columns.iter().zip(values) {
            if value.is_null() {
                push_line(name, self.name_width, &self.null, &mut text);
            } else {
                let shown = quote::plain(*value);
                push_line(name, self.name_width, &printable(&shown, self.escape), &mut text);
            }
        }
        out.write_all(text.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
