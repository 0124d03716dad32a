//! Values to a row's bytes.
//!
//! A row of short columns is written in one pass over the values, any other in two (codes and
//! lengths, then the body), straight into the caller's buffer. [`RowBuilder`] serves callers that
//! have one column at a time. Neighbours: `view` reads the result.

use super::{
    BLOB, BLOB_LONG_FROM, INTEGER_1, INTEGER_2, INTEGER_3, INTEGER_4, INTEGER_6, INTEGER_8,
    LONG_BLOB, LONG_TEXT, NULL, REAL, SMALL_INTEGER, SMALL_INTEGER_FIRST, SMALL_INTEGERS, TEXT,
    TEXT_LONG_FROM, WIDTHS,
};
use crate::error::{Error, ErrorKind, Result};
use crate::record::varint::push_varint;
use crate::record::{Value, ValueRef};

/// Appends the row of `columns` to `out`; only a text or blob above 4 GiB is an error, which
/// leaves `out` as it was.
pub fn encode_row(columns: &[ValueRef<'_>], out: &mut Vec<u8>) -> Result<()> {
    if encode_short(columns, out) {
        return Ok(());
    }
    encode(columns.iter().copied(), out)
}

/// As [`encode_row`] for a row without long columns, in one pass; false, and nothing appended,
/// where there is a long one.
fn encode_short(columns: &[ValueRef<'_>], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    push_head(columns.len(), 0, out);
    let codes = out.len();
    out.resize(codes + columns.len(), NULL);
    for (index, column) in columns.iter().enumerate() {
        out[codes + index] = match *column {
            ValueRef::Null => continue,
            ValueRef::Real(value) if value.is_nan() => continue,
            ValueRef::Integer(value) => {
                let code = integer_code(value);
                let end = out.len() + WIDTHS[usize::from(code)] as usize;
                // The length is known at compile time, what is too much goes again.
                out.extend_from_slice(&value.to_le_bytes());
                out.truncate(end);
                code
            }
            ValueRef::Real(value) => {
                out.extend_from_slice(&value.to_bits().to_le_bytes());
                REAL
            }
            ValueRef::Text(text) if text.len() < TEXT_LONG_FROM => {
                out.extend_from_slice(text);
                TEXT + text.len() as u8
            }
            ValueRef::Blob(blob) if blob.len() < BLOB_LONG_FROM => {
                out.extend_from_slice(blob);
                BLOB + blob.len() as u8
            }
            ValueRef::Text(_) | ValueRef::Blob(_) => {
                out.truncate(start);
                return false;
            }
        };
    }
    true
}

/// As [`encode_row`], from owned values.
pub fn encode_values(columns: &[Value], out: &mut Vec<u8>) -> Result<()> {
    encode(columns.iter().map(Value::as_ref), out)
}

fn encode<'a>(
    columns: impl ExactSizeIterator<Item = ValueRef<'a>> + Clone,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut longs = 0_u64;
    for column in columns.clone() {
        longs += u64::from(check_length(column)?);
    }
    push_head(columns.len(), longs, out);
    out.extend(columns.clone().map(code_of));
    if longs > 0 {
        for column in columns.clone() {
            if let Some(length) = long_length(column) {
                out.extend_from_slice(&length.to_le_bytes());
            }
        }
    }
    for column in columns {
        push_body(column, out);
    }
    Ok(())
}

/// Collects a row column by column.
#[derive(Debug, Default)]
pub struct RowBuilder {
    codes: Vec<u8>,
    lengths: Vec<u8>,
    body: Vec<u8>,
}

impl RowBuilder {
    /// A row without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the columns of a row that is not to be finished, keeping the buffers.
    pub fn clear(&mut self) {
        for part in [&mut self.codes, &mut self.lengths, &mut self.body] {
            part.clear();
        }
    }

    /// Adds the next column; a text or blob above 4 GiB is an error and adds nothing.
    pub fn push(&mut self, column: ValueRef<'_>) -> Result<()> {
        check_length(column)?;
        self.codes.push(code_of(column));
        if let Some(length) = long_length(column) {
            self.lengths.extend_from_slice(&length.to_le_bytes());
        }
        push_body(column, &mut self.body);
        Ok(())
    }

    /// Appends the row to `out` and starts the next one, keeping the buffers.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        push_head(self.codes.len(), self.lengths.len() as u64 / 4, out);
        for part in [&self.codes, &self.lengths, &self.body] {
            out.extend_from_slice(part);
        }
        self.clear();
    }
}

fn push_head(columns: usize, longs: u64, out: &mut Vec<u8>) {
    push_varint((columns as u64) << 1 | u64::from(longs > 0), out);
    if longs > 0 {
        push_varint(longs, out);
    }
}

/// Whether the column's length is kept apart; an error where it cannot be.
fn check_length(column: ValueRef<'_>) -> Result<bool> {
    let (bytes, long_from) = match column {
        ValueRef::Text(text) => (text, TEXT_LONG_FROM),
        ValueRef::Blob(blob) => (blob, BLOB_LONG_FROM),
        _ => return Ok(false),
    };
    if u32::try_from(bytes.len()).is_err() {
        return Err(Error::new(
            ErrorKind::Limit,
            format!(
                "a value of {} bytes is longer than a row can hold ({})",
                bytes.len(),
                u32::MAX
            ),
        ));
    }
    Ok(bytes.len() >= long_from)
}

fn long_length(column: ValueRef<'_>) -> Option<u32> {
    match column {
        ValueRef::Text(text) if text.len() >= TEXT_LONG_FROM => Some(text.len() as u32),
        ValueRef::Blob(blob) if blob.len() >= BLOB_LONG_FROM => Some(blob.len() as u32),
        _ => None,
    }
}

fn code_of(column: ValueRef<'_>) -> u8 {
    match column {
        ValueRef::Null => NULL,
        ValueRef::Integer(value) => integer_code(value),
        // SQL stores a NaN as NULL.
        ValueRef::Real(value) if value.is_nan() => NULL,
        ValueRef::Real(_) => REAL,
        ValueRef::Text(text) if text.len() >= TEXT_LONG_FROM => LONG_TEXT,
        ValueRef::Text(text) => TEXT + text.len() as u8,
        ValueRef::Blob(blob) if blob.len() >= BLOB_LONG_FROM => LONG_BLOB,
        ValueRef::Blob(blob) => BLOB + blob.len() as u8,
    }
}

fn integer_code(value: i64) -> u8 {
    let small = value.wrapping_sub(SMALL_INTEGER_FIRST);
    if (0..SMALL_INTEGERS).contains(&small) {
        return SMALL_INTEGER + small as u8;
    }
    // Significant bits with the sign: one more than those that differ from it.
    let bits = 65 - (value ^ value >> 63).leading_zeros();
    match bits {
        0..=8 => INTEGER_1,
        9..=16 => INTEGER_2,
        17..=24 => INTEGER_3,
        25..=32 => INTEGER_4,
        33..=48 => INTEGER_6,
        _ => INTEGER_8,
    }
}

fn push_body(column: ValueRef<'_>, out: &mut Vec<u8>) {
    match column {
        ValueRef::Integer(value) => {
            let width = WIDTHS[usize::from(integer_code(value))] as usize;
            out.extend_from_slice(&value.to_le_bytes()[..width]);
        }
        ValueRef::Real(value) if !value.is_nan() => {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        ValueRef::Null | ValueRef::Real(_) => {}
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => out.extend_from_slice(bytes),
    }
}
