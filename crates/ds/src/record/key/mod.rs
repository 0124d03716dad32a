//! Keys whose bytes, compared by memcmp, stand in the order of the values they were made of.
//!
//! A key is one column after the other, each self-delimiting: no column's bytes are a prefix
//! of another column's, so the keys that agree in some leading columns are exactly those that
//! begin with these columns' bytes. A column starts with a tag:
//!
//! | tag | column | then |
//! |---|---|---|
//! | `01` | NULL | |
//! | `02` | real below -2^63 | see `number` |
//! | `03` to `0a` | negative number, 8 to 1 bytes | |
//! | `0b` to `69` | negative number in the tag | |
//! | `6a` to `c9` | zero or positive number in the tag | |
//! | `ca` to `d1` | positive number, 1 to 8 bytes | |
//! | `d2` | real of 2^63 or above | |
//! | `e0` | text | see `bytes` |
//! | `e8` | blob | |
//!
//! A descending column has every byte inverted; its tags are then read from the other end.
//!
//! **1 and 1.0** are one value to SQL: UNIQUE makes them collide and no order tells them apart.
//! So they are the same bytes, and what the key cannot say (whether it was the real) is one
//! bit outside of it: [`shown_as_integers`] computes the bits of all columns, whoever needs
//! the exact value back (an index that covers a query) keeps them in the entry's value and
//! passes them to [`decode_column`]. In keys they could only stand behind all columns, where
//! they would make 1 and 1.0 two keys again. Negative zero is zero.
//!
//! **NOCASE and RTRIM** text is stored folded (small letters, no blanks at the end, the length
//! alone of what NOCASE finds behind a zero byte), since the
//! key must be equal for equal texts; it decodes to the folded text, and
//! [`ColumnOrder::is_exact`] is false. A custom collation has no keys.
//!
//! Neighbours: `collation` defines the order, `row` is the form without one.

mod bytes;
mod number;

#[cfg(test)]
mod tests;

use super::collation::{Collation, trim_end};
use super::number::real_is_integer;
use super::{Value, ValueRef};
use crate::error::{Error, ErrorKind, Result};

const NULL: u8 = 0x01;
const TEXT: u8 = 0xe0;
const BLOB: u8 = 0xe8;

/// How one column of a key is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColumnOrder {
    /// The order of texts.
    pub collation: Collation,
    /// Greatest first.
    pub descending: bool,
}

impl ColumnOrder {
    /// Ascending, texts by bytes.
    pub const ASCENDING: Self = Self { collation: Collation::Binary, descending: false };
    /// Descending, texts by bytes.
    pub const DESCENDING: Self = Self { collation: Collation::Binary, descending: true };

    /// Whether decoding gives back texts as they were (and not in a folded form).
    pub fn is_exact(self) -> bool {
        self.collation == Collation::Binary
    }
}

/// Appends the key of one column; a text under a custom collation is an error.
pub fn push_column(value: ValueRef<'_>, order: ColumnOrder, key: &mut Vec<u8>) -> Result<()> {
    let start = key.len();
    match value {
        ValueRef::Null => key.push(NULL),
        ValueRef::Integer(value) => number::push_integer(value, key),
        ValueRef::Real(value) if value.is_nan() => key.push(NULL),
        ValueRef::Real(value) => number::push_real(value, key),
        ValueRef::Text(text) => {
            let text = if order.collation == Collation::RTrim { trim_end(text) } else { text };
            if let Collation::Custom(_) = order.collation {
                return Err(Error::new(
                    ErrorKind::Limit,
                    format!("texts under the {} have no ordered keys", order.collation),
                ));
            }
            key.push(TEXT);
            if order.collation == Collation::NoCase {
                push_no_case(text, key);
            } else {
                bytes::push(text, key);
            }
        }
        ValueRef::Blob(blob) => {
            key.push(BLOB);
            bytes::push(blob, key);
        }
    }
    if order.descending {
        invert(&mut key[start..]);
    }
    Ok(())
}

/// Appends a text so that texts which NOCASE finds equal are the same bytes: folded up to a zero
/// byte, behind which the length alone counts.
fn push_no_case(text: &[u8], key: &mut Vec<u8>) {
    let start = key.len();
    let Some(zero) = memchr::memchr(0, text) else {
        bytes::push(text, key);
        // Escapes and the terminator are no letters.
        key[start..].make_ascii_lowercase();
        return;
    };
    let mut folded = text[..=zero].to_ascii_lowercase();
    folded.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes::push(&folded, key);
}

/// Appends the keys of `columns`, each in its order (ascending by bytes where `orders` ends);
/// after an error `key` is as it was.
pub fn push_columns(
    columns: &[ValueRef<'_>],
    orders: &[ColumnOrder],
    key: &mut Vec<u8>,
) -> Result<()> {
    let start = key.len();
    for (index, &column) in columns.iter().enumerate() {
        let order = orders.get(index).copied().unwrap_or_default();
        if let Err(error) = push_column(column, order, key) {
            key.truncate(start);
            return Err(error);
        }
    }
    Ok(())
}

/// Which of `columns` are reals that their keys show as integers: a bit for each of the first
/// 64 columns. Zero for nearly every entry; see the module's text for what it is good for.
pub fn shown_as_integers(columns: &[ValueRef<'_>]) -> u64 {
    columns.iter().take(64).enumerate().fold(0, |bits, (index, column)| match column {
        ValueRef::Real(real) if real_is_integer(*real).is_some() => bits | 1 << index,
        _ => bits,
    })
}

/// Decodes the column at the start of `key`: the value and how many bytes it takes.
///
/// `is_real` is the column's bit of [`shown_as_integers`]. Text and blobs are borrowed from
/// `key` where they stand there as they are, else from `scratch`, which is overwritten.
pub fn decode_column<'a>(
    key: &'a [u8],
    descending: bool,
    is_real: bool,
    scratch: &'a mut Vec<u8>,
) -> Result<(ValueRef<'a>, usize)> {
    let mask = mask(descending);
    match first_tag(key, mask)? {
        NULL => Ok((ValueRef::Null, 1)),
        tag @ (TEXT | BLOB) => {
            let (content, len) = bytes::decode(key.get(1..).unwrap_or(&[]), mask, scratch)?;
            let value = if tag == TEXT { ValueRef::Text(content) } else { ValueRef::Blob(content) };
            Ok((value, 1 + len))
        }
        _ => {
            let (number, len) = number::decode(key, mask)?;
            let value = match ValueRef::from(number) {
                ValueRef::Integer(value) if is_real => ValueRef::Real(value as f64),
                value => value,
            };
            Ok((value, len))
        }
    }
}

/// Decodes all columns of `key` in their `orders`, with the bits of [`shown_as_integers`], and
/// returns what follows them (a rowid, as a rule); after an error `columns` is as it was.
pub fn decode_columns<'a>(
    key: &'a [u8],
    orders: &[ColumnOrder],
    reals: u64,
    columns: &mut Vec<Value>,
) -> Result<&'a [u8]> {
    let mut scratch = Vec::new();
    let mut rest = key;
    let start = columns.len();
    for (index, order) in orders.iter().enumerate() {
        let is_real = index < 64 && reals >> index & 1 != 0;
        match decode_column(rest, order.descending, is_real, &mut scratch) {
            Ok((value, len)) => {
                columns.push(value.to_owned());
                rest = rest.get(len..).unwrap_or(&[]);
            }
            Err(error) => {
                columns.truncate(start);
                return Err(error);
            }
        }
    }
    Ok(rest)
}

/// How many bytes the column at the start of `key` takes, found without decoding it.
pub fn skip_column(key: &[u8], descending: bool) -> Result<usize> {
    let mask = mask(descending);
    match first_tag(key, mask)? {
        NULL => Ok(1),
        TEXT | BLOB => bytes::skip(key.get(1..).unwrap_or(&[]), mask).map(|len| 1 + len),
        _ => number::skip(key, mask),
    }
}

/// The least bytes greater than every key that begins with `prefix`: the end of a range scan
/// over it. `None` where nothing is greater (the prefix is empty or all `ff`).
pub fn prefix_successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut successor = prefix[..=last].to_vec();
    successor[last] += 1;
    Some(successor)
}

/// The key of a row in its table: eight bytes in the order of the rowids.
#[inline]
pub fn rowid_key(rowid: i64) -> [u8; 8] {
    (rowid ^ i64::MIN).to_be_bytes()
}

/// The rowid of a [`rowid_key`].
#[inline]
pub fn rowid_from_key(key: &[u8]) -> Result<i64> {
    match key.try_into() {
        Ok(bytes) => Ok(i64::from_be_bytes(bytes) ^ i64::MIN),
        Err(_) => Err(Error::corrupt(format!("a rowid key has {} bytes instead of 8", key.len()))),
    }
}

fn mask(descending: bool) -> u8 {
    if descending { 0xff } else { 0 }
}

fn invert(bytes: &mut [u8]) {
    for byte in bytes {
        *byte ^= 0xff;
    }
}

fn first_tag(key: &[u8], mask: u8) -> Result<u8> {
    match key.first() {
        Some(&tag) => Ok(tag ^ mask),
        None => Err(Error::corrupt("a key ends before its last column")),
    }
}
