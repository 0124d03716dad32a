//! A row's bytes read in place.
//!
//! Opening a view reads the head (two bytes as a rule) and checks that codes and lengths are
//! there; a column is checked when it is asked for. Neighbours: `encode` writes what this
//! reads.

use std::ops::Range;

use super::{
    BLOB, INTEGER_1, INTEGER_2, INTEGER_3, INTEGER_4, INTEGER_6, INTEGER_8, LONG_BLOB, LONG_TEXT,
    NULL, REAL, RESERVED, SMALL_INTEGER, SMALL_INTEGER_FIRST, TEXT, WIDTHS,
};
use crate::error::{Error, Result};
use crate::record::ValueRef;
use crate::record::varint::read_varint;

/// A row that is decoded column by column, on demand.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    codes: &'a [u8],
    lengths: &'a [u8],
    body: &'a [u8],
    body_start: usize,
}

/// The type of a stored column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// SQL NULL.
    Null,
    /// A 64-bit signed integer.
    Integer,
    /// A 64-bit float.
    Real,
    /// Text.
    Text,
    /// A blob.
    Blob,
}

/// The type of a column and which bytes of the row hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpan {
    /// The column's type.
    pub kind: ColumnKind,
    /// Where it is, counted from the start of the row; empty where the code says it all.
    pub range: Range<usize>,
}

/// Where a column is: its code, and its place in the body.
struct Place {
    code: u8,
    start: usize,
    len: usize,
}

impl<'a> RowView<'a> {
    /// A view of `bytes`, which may end anywhere in the body (columns that are not there
    /// are corrupt, those before them are not).
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let (head, mut start) = read_varint(bytes)?;
        let columns = (head >> 1) as usize;
        let mut longs = 0;
        if head & 1 != 0 {
            let (count, len) = read_varint(bytes.get(start..).unwrap_or(&[]))?;
            longs = usize::try_from(count).unwrap_or(usize::MAX);
            start += len;
        }
        let body_start = longs
            .checked_mul(4)
            .and_then(|lengths| lengths.checked_add(columns))
            .and_then(|len| len.checked_add(start));
        if let Some(body_start) = body_start
            && longs <= columns
            && let Some((head, body)) = bytes.split_at_checked(body_start)
            && let Some((codes, lengths)) =
                head.get(start..).and_then(|head| head.split_at_checked(columns))
        {
            return Ok(Self { codes, lengths, body, body_start });
        }
        Err(Error::corrupt(format!(
            "a row of {columns} columns ({longs} long) does not fit its {} bytes",
            bytes.len()
        )))
    }

    /// How many columns are stored.
    #[inline]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether no column is stored.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The value of column `index`; `None` where the row has fewer columns.
    #[inline]
    pub fn column(&self, index: usize) -> Result<Option<ValueRef<'a>>> {
        match self.place(index)? {
            Some(place) => self.decode(&place).map(Some),
            None => Ok(None),
        }
    }

    /// Type and place of column `index`, from the head alone; `None` where the row has fewer
    /// columns.
    pub fn span(&self, index: usize) -> Result<Option<ColumnSpan>> {
        let Some(place) = self.place(index)? else { return Ok(None) };
        let kind = match place.code {
            NULL => ColumnKind::Null,
            REAL => ColumnKind::Real,
            INTEGER_1..=INTEGER_8 => ColumnKind::Integer,
            LONG_TEXT => ColumnKind::Text,
            LONG_BLOB => ColumnKind::Blob,
            RESERVED..SMALL_INTEGER => return Err(reserved(place.code)),
            SMALL_INTEGER..TEXT => ColumnKind::Integer,
            TEXT..BLOB => ColumnKind::Text,
            BLOB.. => ColumnKind::Blob,
        };
        let start = self.body_start.saturating_add(place.start);
        Ok(Some(ColumnSpan { kind, range: start..start.saturating_add(place.len) }))
    }

    /// All columns in order.
    pub fn columns(&self) -> Columns<'a> {
        Columns { row: *self, next: 0, offset: 0, longs: 0 }
    }

    /// Decodes the columns of `wanted`, which ascends, in one pass over the codes, and calls
    /// `take` with the position in `wanted` and the value (`None`: the row has fewer columns).
    pub fn project(
        &self,
        wanted: &[usize],
        mut take: impl FnMut(usize, Option<ValueRef<'a>>),
    ) -> Result<()> {
        let mut columns = self.columns();
        for (position, &index) in wanted.iter().enumerate() {
            if index < columns.next {
                // Not ascending: found from the start.
                take(position, self.column(index)?);
                continue;
            }
            columns.skip_to(index)?;
            take(position, columns.next().transpose()?);
        }
        Ok(())
    }

    /// Checks every byte: each column decodes, and they fill the row exactly.
    pub fn validate(&self) -> Result<()> {
        let mut columns = self.columns();
        for column in columns.by_ref() {
            column?;
        }
        if columns.longs * 4 != self.lengths.len() {
            return Err(Error::corrupt(format!(
                "a row has {} lengths for {} long columns",
                self.lengths.len() / 4,
                columns.longs
            )));
        }
        if columns.offset != self.body.len() {
            return Err(Error::corrupt(format!(
                "a row's columns take {} bytes of {}",
                columns.offset,
                self.body.len()
            )));
        }
        Ok(())
    }

    #[inline]
    fn place(&self, index: usize) -> Result<Option<Place>> {
        let Some((before, &[code, ..])) = self.codes.split_at_checked(index) else {
            return Ok(None);
        };
        // In 64 bits even a row of reserved codes does not overflow the sum.
        let sum: u64 = before.iter().map(|&code| u64::from(WIDTHS[usize::from(code)])).sum();
        let mut start = usize::try_from(sum).unwrap_or(usize::MAX);
        let mut len = WIDTHS[usize::from(code)] as usize;
        if !self.lengths.is_empty() || is_long(code) {
            let longs = before.iter().filter(|&&code| is_long(code)).count();
            for long in 0..longs {
                start = start.saturating_add(self.length(long)?);
            }
            if is_long(code) {
                len = self.length(longs)?;
            }
        }
        Ok(Some(Place { code, start, len }))
    }

    fn length(&self, long: usize) -> Result<usize> {
        let bytes = long.checked_mul(4).and_then(|start| self.lengths.get(start..)?.first_chunk());
        match bytes {
            Some(bytes) => Ok(u32::from_le_bytes(*bytes) as usize),
            None => Err(Error::corrupt("a row has fewer lengths than long columns")),
        }
    }

    #[inline]
    fn decode(&self, place: &Place) -> Result<ValueRef<'a>> {
        let end = place.start.saturating_add(place.len);
        let Some(bytes) = self.body.get(place.start..end) else {
            return Err(outside(place, self.body.len()));
        };
        Ok(match place.code {
            NULL => ValueRef::Null,
            INTEGER_1 => ValueRef::Integer(i64::from(array::<1>(bytes)?[0] as i8)),
            INTEGER_2 => ValueRef::Integer(i64::from(i16::from_le_bytes(array(bytes)?))),
            INTEGER_3 => {
                let [first, second, third] = array(bytes)?;
                let wide = i32::from_le_bytes([0, first, second, third]) >> 8;
                ValueRef::Integer(i64::from(wide))
            }
            INTEGER_4 => ValueRef::Integer(i64::from(i32::from_le_bytes(array(bytes)?))),
            INTEGER_6 => {
                let mut wide = [0; 8];
                wide[2..].copy_from_slice(&array::<6>(bytes)?);
                ValueRef::Integer(i64::from_le_bytes(wide) >> 16)
            }
            INTEGER_8 => ValueRef::Integer(i64::from_le_bytes(array(bytes)?)),
            REAL => match f64::from_bits(u64::from_le_bytes(array(bytes)?)) {
                real if real.is_nan() => return Err(Error::corrupt("a row holds a NaN")),
                real => ValueRef::Real(real),
            },
            LONG_TEXT => ValueRef::Text(bytes),
            LONG_BLOB => ValueRef::Blob(bytes),
            code @ RESERVED..SMALL_INTEGER => return Err(reserved(code)),
            code @ SMALL_INTEGER..TEXT => {
                ValueRef::Integer(i64::from(code - SMALL_INTEGER) + SMALL_INTEGER_FIRST)
            }
            TEXT..BLOB => ValueRef::Text(bytes),
            BLOB.. => ValueRef::Blob(bytes),
        })
    }
}

impl<'a> IntoIterator for RowView<'a> {
    type Item = Result<ValueRef<'a>>;
    type IntoIter = Columns<'a>;

    fn into_iter(self) -> Columns<'a> {
        self.columns()
    }
}

/// The columns of a row in order; ends after an error.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    row: RowView<'a>,
    /// The next column, and what the columns before it take of body and lengths.
    next: usize,
    offset: usize,
    longs: usize,
}

impl Columns<'_> {
    /// Moves on to column `index`, or to the end of the row.
    fn skip_to(&mut self, index: usize) -> Result<()> {
        let index = index.min(self.row.codes.len());
        for &code in self.row.codes.get(self.next..index).unwrap_or(&[]) {
            let mut len = WIDTHS[usize::from(code)] as usize;
            if is_long(code) {
                len = self.row.length(self.longs)?;
                self.longs += 1;
            }
            self.offset = self.offset.saturating_add(len);
        }
        self.next = self.next.max(index);
        Ok(())
    }
}

impl<'a> Iterator for Columns<'a> {
    type Item = Result<ValueRef<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let &code = self.row.codes.get(self.next)?;
        let start = self.offset;
        let next = self.next + 1;
        let result = self
            .skip_to(next)
            .and_then(|()| self.row.decode(&Place { code, start, len: self.offset - start }));
        if result.is_err() {
            self.next = self.row.codes.len();
        }
        Some(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.row.codes.len() - self.next;
        (usize::from(rest > 0), Some(rest))
    }
}

fn is_long(code: u8) -> bool {
    code == LONG_TEXT || code == LONG_BLOB
}

#[inline]
fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| Error::corrupt("a column's width does not match its type"))
}

#[cold]
fn outside(place: &Place, body: usize) -> Error {
    if (RESERVED..SMALL_INTEGER).contains(&place.code) {
        return reserved(place.code);
    }
    Error::corrupt(format!(
        "a column of {} bytes at {} is outside of its row's {body} bytes",
        place.len, place.start
    ))
}

#[cold]
fn reserved(code: u8) -> Error {
    Error::corrupt(format!("a row holds a column of the unknown type {code}"))
}
