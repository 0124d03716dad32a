//! JSON for import: an array of objects, or objects one behind the other.
//!
//! Objects are cut out of the stream one by one, so that an array of any length is read in little
//! memory, and the keys keep the order that they have in the file. Arrays and objects inside are
//! stored as JSON text. Neighbours: `records`.

use std::io::BufRead;

use pandodb::Value;
use serde::de::IgnoredAny;

use super::records::{Field, Record, Records};
use crate::failure::{Failure, Outcome};

/// A JSON value as it goes into a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    /// An array or object, as it stood in the file.
    Nested(String),
}

impl Json {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::from(*value),
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(text) | Self::Nested(text) => Value::Text(text.clone()),
        }
    }
}

/// The keys and values of the object in `text`, in their order.
pub(crate) fn object(text: &str) -> Outcome<Vec<(String, Json)>> {
    let wrong = |error: &dyn std::fmt::Display| Failure::statement(format!("not JSON: {error}"));
    // The library's parser says what is wrong and where; what it accepts is cut by ours. It makes
    // no values, so that numbers may be of any size.
    let IgnoredAny = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    if !text.trim_start().starts_with('{') {
        return Err(wrong(&"an object is wanted: {\"column\": value, ...}"));
    }
    let inside = text.trim();
    let mut rest = inside[1..inside.len() - 1].trim_start();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let key_end = value_end(rest);
        let key: String = serde_json::from_str(&rest[..key_end]).map_err(|error| wrong(&error))?;
        rest = rest[key_end..].trim_start().trim_start_matches(':').trim_start();
        let end = value_end(rest);
        let value = scalar(rest[..end].trim_end())?;
        pairs.push((key, value));
        rest = rest[end..].trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Ok(pairs)
}

/// The value of a valid JSON text.
fn scalar(text: &str) -> Outcome<Json> {
    let wrong = |error: &dyn std::fmt::Display| Failure::statement(format!("not JSON: {error}"));
    Ok(match text.as_bytes().first() {
        Some(b'{' | b'[') => Json::Nested(text.to_owned()),
        Some(b'"') => Json::Text(serde_json::from_str(text).map_err(|error| wrong(&error))?),
        Some(b't') => Json::Boolean(true),
        Some(b'f') => Json::Boolean(false),
        Some(b'n') => Json::Null,
        // What is out of range is infinite, as in SQLite, which writes infinity as 9.0e+999.
        _ => match text.parse() {
            Ok(integer) => Json::Integer(integer),
            Err(_) => Json::Real(text.parse().map_err(|error| wrong(&error))?),
        },
    })
}

/// Where the JSON value that `text` begins with ends; the text is valid JSON.
fn value_end(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => continue,
            }
            if !in_string && depth == 0 {
                return at + 1;
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 0 { at } else { at + 1 },
            b'}' | b']' => depth -= 1,
            b',' | b':' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Reads objects from a stream.
pub(super) struct Objects<R> {
    input: R,
    line: u64,
    names: Vec<String>,
}

impl<R: BufRead> Objects<R> {
    pub(super) fn open(input: R) -> Self {
        Self { input, line: 1, names: Vec::new() }
    }

    fn byte(&mut self) -> Outcome<Option<u8>> {
        let failed = |error: &std::io::Error| Failure::file("read", "the input", error);
        let buffer = self.input.fill_buf().map_err(|error| failed(&error))?;
        let Some(&byte) = buffer.first() else { return Ok(None) };
        self.input.consume(1);
        self.line += u64::from(byte == b'\n');
        Ok(Some(byte))
    }

    /// The text of the next object.
    fn next_text(&mut self) -> Outcome<Option<(u64, String)>> {
        loop {
            match self.byte()? {
                None => return Ok(None),
                Some(b'{') => break,
                Some(b'[' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' | 0xef | 0xbb | 0xbf) => {}
                Some(other) => {
                    let (line, found) = (self.line, char::from(other));
                    let message = format!("line {line}: an object is wanted, not {found:?}");
                    return Err(Failure::statement(message));
                }
            }
        }
        let line = self.line;
        let mut text = vec![b'{'];
        let (mut depth, mut in_string, mut is_escaped) = (1, false, false);
        while depth > 0 {
            let Some(byte) = self.byte()? else {
                let message = format!("the object in line {line} is never closed");
                return Err(Failure::statement(message));
            };
            text.push(byte);
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if in_string => is_escaped = true,
                b'"' => in_string = !in_string,
                b'{' if !in_string => depth += 1,
                b'}' if !in_string => depth -= 1,
                _ => {}
            }
        }
        let text = String::from_utf8(text)
            .map_err(|_| Failure::statement(format!("line {line} is not valid UTF-8")))?;
        Ok(Some((line, text)))
    }
}

impl<R: BufRead> Records for Objects<R> {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn is_table(&self) -> bool {
        false
    }

    fn names_are_data(&mut self) {}

    fn next(&mut self) -> Outcome<Option<Record>> {
        let Some((line, text)) = self.next_text()? else { return Ok(None) };
        let pairs = object(&text)
            .map_err(|failure| Failure::statement(format!("line {line}: {failure}")))?;
        let mut fields = vec![Field::Missing; self.names.len()];
        for (key, value) in pairs {
            let known = self.names.iter().position(|name| name.eq_ignore_ascii_case(&key));
            let at = known.unwrap_or_else(|| {
                self.names.push(key);
                fields.push(Field::Missing);
                self.names.len() - 1
            });
            fields[at] = Field::Typed(value);
        }
        Ok(Some(Record { line, fields }))
    }
}
