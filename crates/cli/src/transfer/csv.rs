//! CSV by RFC 4180, TSV with backslash escapes, and rows between the control characters of ASCII.
//!
//! Line ends are LF or CRLF; a quoted field may hold anything. An empty field without quotes is
//! missing, `""` is an empty text: so an export reads back as it was. Neighbours: `records`.

use std::io::BufRead;

use super::records::{Field, Record, Records};
use crate::failure::{Failure, Outcome};

/// What stands for a separator within a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// Double quotes around the field (CSV).
    Quotes,
    /// Backslashes (TSV).
    Backslashes,
    /// Nothing: US stands between fields and RS behind rows.
    Controls,
}

/// Behind each row in [`Notation::Controls`].
const RECORD_SEPARATOR: u8 = 0x1e;

/// How a separated file is written.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) separator: char,
    pub(super) notation: Notation,
    /// The first line has the names.
    pub(super) has_names: bool,
    /// Lines at the start that are left out.
    pub(super) skip: usize,
    /// What stands for NULL.
    pub(super) null: Option<String>,
}

/// Reads a separated file.
pub(super) struct Separated<R> {
    input: R,
    dialect: Dialect,
    names: Vec<String>,
    line: u64,
    /// The first row, where it is data and was read to count the columns.
    first: Option<Record>,
    /// The first row, where it holds the names.
    header: Option<Record>,
}

impl<R: BufRead> Separated<R> {
    pub(super) fn open(input: R, dialect: Dialect) -> Outcome<Self> {
        let mut reader =
            Self { input, dialect, names: Vec::new(), line: 0, first: None, header: None };
        for _ in 0..reader.dialect.skip {
            reader.read_line()?;
        }
        let Some(first) = reader.read_record()? else { return Ok(reader) };
        if reader.dialect.has_names {
            let name = |(at, field): (usize, Field)| match field {
                Field::Text(name) if !name.trim().is_empty() => name.trim().to_owned(),
                _ => format!("column{}", at + 1),
            };
            reader.names = distinct(first.fields.iter().cloned().enumerate().map(name));
            reader.header = Some(first);
        } else {
            reader.begin_with(first);
        }
        Ok(reader)
    }

    fn begin_with(&mut self, first: Record) {
        self.names = (1..=first.fields.len()).map(|at| format!("column{at}")).collect();
        self.first = Some(first);
    }

    /// A line with its end; nothing at the end of the file.
    fn read_line(&mut self) -> Outcome<Option<String>> {
        let mut bytes = Vec::new();
        let failed = |error: &std::io::Error| Failure::file("read", "the input", error);
        let end = match self.dialect.notation {
            Notation::Controls => RECORD_SEPARATOR,
            Notation::Quotes | Notation::Backslashes => b'\n',
        };
        if self.input.read_until(end, &mut bytes).map_err(|error| failed(&error))? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let number = self.line;
        let mut text = String::from_utf8(bytes).map_err(|_| {
            Failure::statement(format!("line {number} is not valid UTF-8"))
                .with_hint("convert the file first: iconv -f latin1 -t utf-8")
        })?;
        if number == 1 && text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(Some(text))
    }

    fn read_record(&mut self) -> Outcome<Option<Record>> {
        loop {
            let Some(mut text) = self.read_line()? else { return Ok(None) };
            let line = self.line;
            if text.trim_end_matches(['\r', '\n']).is_empty() {
                continue;
            }
            match self.dialect.notation {
                Notation::Quotes => {}
                Notation::Backslashes => {
                    return Ok(Some(Record { line, fields: self.escaped_fields(&text) }));
                }
                Notation::Controls => {
                    return Ok(Some(Record { line, fields: self.plain_fields(&text) }));
                }
            }
            loop {
                match self.quoted_fields(&text) {
                    Some(fields) => return Ok(Some(Record { line, fields })),
                    // A quoted field goes on in the next line.
                    None => {
                        if let Some(more) = self.read_line()? {
                            text.push_str(&more);
                        } else {
                            let message = format!("the quote in line {line} is never closed");
                            return Err(Failure::statement(message));
                        }
                    }
                }
            }
        }
    }

    fn field(&self, text: String, was_quoted: bool) -> Field {
        let is_null = self.dialect.null.as_ref().is_some_and(|null| *null == text);
        if !was_quoted && (is_null || (text.is_empty() && self.dialect.null.is_none())) {
            return Field::Missing;
        }
        Field::Text(text)
    }

    fn escaped_fields(&self, line: &str) -> Vec<Field> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let fields = line.split(self.dialect.separator);
        fields.map(|text| self.field(unescape(text), false)).collect()
    }

    fn plain_fields(&self, record: &str) -> Vec<Field> {
        let record = record.strip_suffix(char::from(RECORD_SEPARATOR)).unwrap_or(record);
        let fields = record.split(self.dialect.separator);
        fields.map(|text| self.field(text.to_owned(), false)).collect()
    }

    /// The fields of a record; nothing where a quote is still open.
    fn quoted_fields(&self, text: &str) -> Option<Vec<Field>> {
        let separator = self.dialect.separator;
        let mut fields = Vec::new();
        let mut rest = text;
        loop {
            if let Some(inside) = rest.strip_prefix('"') {
                let (mut value, behind) = quoted(inside)?;
                // What stands between the closing quote and the separator belongs to the field.
                let end = behind.find([separator, '\n']).unwrap_or(behind.len());
                value.push_str(behind[..end].trim_end_matches('\r'));
                fields.push(self.field(value, true));
                rest = &behind[end..];
            } else {
                let end = rest.find([separator, '\n']).unwrap_or(rest.len());
                let is_last = !rest[end..].starts_with(separator);
                let value = &rest[..end];
                let value = if is_last { value.trim_end_matches('\r') } else { value };
                fields.push(self.field(value.to_owned(), false));
                rest = &rest[end..];
            }
            match rest.strip_prefix(separator) {
                Some(behind) => rest = behind,
                None => return Some(fields),
            }
        }
    }
}

/// The content up to the closing quote, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(behind) => {
                value.push('"');
                rest = behind;
            }
            None => return Some((value, rest)),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => value.push('\t'),
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('\\') => value.push('\\'),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
    value
}

/// Names made distinct: a table cannot have two columns of one name.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    names
        .map(|name| {
            let mut candidate = name.clone();
            let mut number = 1;
            while !taken.insert(candidate.to_lowercase()) {
                number += 1;
                candidate = format!("{name}_{number}");
            }
            candidate
        })
        .collect()
}

impl<R: BufRead> Records for Separated<R> {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn is_table(&self) -> bool {
        true
    }

    fn names_are_data(&mut self) {
        if let Some(header) = self.header.take() {
            self.begin_with(header);
        }
    }

    fn next(&mut self) -> Outcome<Option<Record>> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.read_record(),
        }
    }
}
