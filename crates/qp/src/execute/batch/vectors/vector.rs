//! Vectors: the values of one column for the rows of a batch.
//!
//! A column of SQLite's dialect may hold anything in any row, so a vector has a tag for each
//! value beside 64 bits of it: the integer, the bits of the real, or where a text or blob lies in
//! the vector's own bytes. Which tags occur is known ([`Tags`]), so that the common case (all
//! integers, all reals) is one test for a thousand rows and then a plain loop over 64-bit words.
//! Neighbours: `batch` puts vectors side by side, `expression` computes with them.

use pandodb_ds::record::row::ColumnSink;
use pandodb_ds::record::{Value, ValueRef};

use crate::error::{Error, ErrorKind, Result};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::execute::batch) enum Tag {
    Null = 1,
    Integer = 2,
    Real = 4,
    Text = 8,
    Blob = 16,
}

/// A set of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::execute::batch) struct Tags(u8);

impl Tags {
    pub(in crate::execute::batch) const INTEGER: Self = Self(Tag::Integer as u8);
    pub(in crate::execute::batch) const REAL: Self = Self(Tag::Real as u8);

    #[inline]
    pub(in crate::execute::batch) fn add(&mut self, tag: Tag) {
        self.0 |= tag as u8;
    }

    /// Whether no other tags than those of `allowed` occur.
    #[inline]
    pub(in crate::execute::batch) fn only(self, allowed: &[Tag]) -> bool {
        self.0 & !allowed.iter().fold(0, |bits, tag| bits | *tag as u8) == 0
    }

    #[inline]
    pub(in crate::execute::batch) fn has(self, tag: Tag) -> bool {
        self.0 & tag as u8 != 0
    }
}

/// Bits of a place that are the length.
const LENGTH_BITS: u32 = 31;

/// Up to here texts are copied as if they were as long.
const SHORT: usize = 32;

/// No row: what it gives is NULL.
pub(in crate::execute::batch) const NO_ROW: u32 = u32::MAX;

/// The values of a column.
#[derive(Clone, Debug, Default)]
pub(in crate::execute::batch) struct Vector {
    tags: Vec<Tag>,
    bits: Vec<u64>,
    bytes: Vec<u8>,
    seen: Tags,
}

impl Vector {
    pub(in crate::execute::batch) fn with_capacity(rows: usize) -> Self {
        Self { tags: Vec::with_capacity(rows), bits: Vec::with_capacity(rows), ..Self::default() }
    }

    /// The same value in every row.
    pub(in crate::execute::batch) fn repeat(value: ValueRef<'_>, rows: usize) -> Self {
        let mut vector = Self::default();
        vector.push(value);
        vector.tags.resize(rows, vector.tags[0]);
        vector.bits.resize(rows, vector.bits[0]);
        vector
    }

    /// Integers, none of them NULL.
    pub(in crate::execute::batch) fn of_integers(bits: Vec<u64>) -> Self {
        let tags = vec![Tag::Integer; bits.len()];
        Self { tags, bits, bytes: Vec::new(), seen: Tags::INTEGER }
    }

    /// Reals, by their bits, all of them numbers.
    pub(in crate::execute::batch) fn of_reals(bits: Vec<u64>) -> Self {
        let tags = vec![Tag::Real; bits.len()];
        let seen = if bits.is_empty() { Tags::default() } else { Tags::REAL };
        Self { tags, bits, bytes: Vec::new(), seen }
    }

    /// Truths, as SQL writes them.
    pub(in crate::execute::batch) fn of_truths(truths: &[Truth]) -> Self {
        let mut vector = Self::with_capacity(truths.len());
        for truth in truths {
            match truth {
                Truth::Unknown => vector.push_null(),
                Truth::False => vector.push_integer(0),
                Truth::True => vector.push_integer(1),
            }
        }
        vector
    }

    #[inline]
    pub(in crate::execute::batch) fn len(&self) -> usize {
        self.tags.len()
    }

    /// Which tags occur.
    #[inline]
    pub(in crate::execute::batch) fn seen(&self) -> Tags {
        self.seen
    }

    /// About how many bytes of memory it takes.
    pub(in crate::execute::batch) fn memory_bytes(&self) -> usize {
        self.tags.capacity() + self.bits.capacity() * 8 + self.bytes.capacity()
    }

    /// The bytes of its texts and blobs.
    #[inline]
    pub(in crate::execute::batch) fn text_bytes(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    fn push_tagged(&mut self, tag: Tag, bits: u64) {
        self.seen.add(tag);
        self.tags.push(tag);
        self.bits.push(bits);
    }

    #[inline]
    pub(in crate::execute::batch) fn push_null(&mut self) {
        self.push_tagged(Tag::Null, 0);
    }

    #[inline]
    pub(in crate::execute::batch) fn push_integer(&mut self, value: i64) {
        self.push_tagged(Tag::Integer, value as u64);
    }

    /// A real; a NaN is NULL.
    #[inline]
    pub(in crate::execute::batch) fn push_real(&mut self, value: f64) {
        if value.is_nan() {
            self.push_null();
        } else {
            self.push_tagged(Tag::Real, value.to_bits());
        }
    }

    /// A text or a blob. Its place has 33 bits for the start and 31 for the length: no value is
    /// longer, and who gathers more than eight gigabytes asks [`check_size`](Self::check_size).
    #[inline]
    pub(in crate::execute::batch) fn push_bytes(&mut self, tag: Tag, bytes: &[u8]) {
        let start = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        self.push_tagged(tag, start << LENGTH_BITS | bytes.len() as u64);
    }

    #[inline]
    pub(in crate::execute::batch) fn push(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.push_null(),
            ValueRef::Integer(value) => self.push_integer(value),
            ValueRef::Real(value) => self.push_real(value),
            ValueRef::Text(bytes) => self.push_bytes(Tag::Text, bytes),
            ValueRef::Blob(bytes) => self.push_bytes(Tag::Blob, bytes),
        }
    }

    /// Appends values of one tag, which are not texts or blobs.
    #[inline]
    fn extend_words(&mut self, tag: Tag, words: &[u64]) {
        self.seen.add(tag);
        self.tags.resize(self.tags.len() + words.len(), tag);
        self.bits.extend_from_slice(words);
    }

    /// Appends texts of a page.
    #[inline]
    fn extend_texts(&mut self, page: &[u8], places: &[(usize, usize)]) {
        self.seen.add(Tag::Text);
        self.tags.resize(self.tags.len() + places.len(), Tag::Text);
        self.bits.reserve(places.len());
        for &(start, end) in places {
            let (at, length) = (self.bytes.len(), end - start);
            self.bits.push((at as u64) << LENGTH_BITS | length as u64);
            match page.get(start..).and_then(|bytes| bytes.first_chunk::<SHORT>()) {
                // Copying more than is wanted takes less than counting.
                Some(bytes) if length <= SHORT => {
                    self.bytes.extend_from_slice(bytes);
                    self.bytes.truncate(at + length);
                }
                _ => self.bytes.extend_from_slice(&page[start..end]),
            }
        }
    }

    /// The value of a row.
    #[inline]
    pub(in crate::execute::batch) fn get(&self, row: usize) -> ValueRef<'_> {
        let bits = self.bits[row];
        match self.tags[row] {
            Tag::Null => ValueRef::Null,
            Tag::Integer => ValueRef::Integer(bits as i64),
            Tag::Real => ValueRef::Real(f64::from_bits(bits)),
            Tag::Text => ValueRef::Text(self.slice(bits)),
            Tag::Blob => ValueRef::Blob(self.slice(bits)),
        }
    }

    #[inline]
    fn slice(&self, place: u64) -> &[u8] {
        let start = (place >> LENGTH_BITS) as usize;
        let length = (place & ((1 << LENGTH_BITS) - 1)) as usize;
        &self.bytes[start..start + length]
    }

    /// The bytes of all texts and blobs.
    pub(in crate::execute::batch) fn all_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the text or blob of a row is among them.
    #[inline]
    pub(in crate::execute::batch) fn place(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let place = self.bits[row];
        let start = (place >> LENGTH_BITS) as usize;
        let length = (place & ((1 << LENGTH_BITS) - 1)) as usize;
        matches!(self.tags[row], Tag::Text | Tag::Blob).then(|| start..start + length)
    }

    #[inline]
    pub(in crate::execute::batch) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// The 64 bits of each value.
    #[inline]
    pub(in crate::execute::batch) fn bits(&self) -> &[u64] {
        &self.bits
    }

    /// The values of some rows; [`NO_ROW`] gives NULL.
    pub(in crate::execute::batch) fn gather(&self, rows: &[u32]) -> Self {
        let mut out = Self::with_capacity(rows.len());
        if self.bytes.is_empty() && !rows.contains(&NO_ROW) {
            out.seen = self.seen;
            out.tags.extend(rows.iter().map(|row| self.tags[*row as usize]));
            out.bits.extend(rows.iter().map(|row| self.bits[*row as usize]));
            return out;
        }
        for &row in rows {
            if row == NO_ROW {
                out.push_null();
            } else {
                out.push(self.get(row as usize));
            }
        }
        out
    }

    /// The rows from `start` up to `end`.
    pub(in crate::execute::batch) fn slice_rows(&self, start: usize, end: usize) -> Self {
        let mut out = Self::with_capacity(end - start);
        for row in start..end {
            out.push(self.get(row));
        }
        out
    }

    /// Appends the rows of another vector.
    pub(in crate::execute::batch) fn append(&mut self, other: &Self) {
        let base = self.bytes.len() as u64;
        self.seen.0 |= other.seen.0;
        self.tags.extend_from_slice(&other.tags);
        if other.bytes.is_empty() {
            self.bits.extend_from_slice(&other.bits);
            return;
        }
        self.bytes.extend_from_slice(&other.bytes);
        self.bits.extend(other.tags.iter().zip(&other.bits).map(|(tag, bits)| match tag {
            Tag::Text | Tag::Blob => bits + (base << LENGTH_BITS),
            _ => *bits,
        }));
    }

    /// Whether the places of texts still fit after `more` bytes.
    pub(in crate::execute::batch) fn check_size(&self, more: usize) -> Result<()> {
        if (self.bytes.len() as u64).saturating_add(more as u64) >> (64 - LENGTH_BITS) > 0 {
            return Err(Error::new(
                ErrorKind::Limit,
                "a query keeps more than eight gigabytes of texts of one column",
            ));
        }
        Ok(())
    }
}

/// Vectors that are filled with columns of stored rows.
pub(in crate::execute::batch) struct Sink<'a> {
    pub(in crate::execute::batch) vectors: &'a mut [Vector],
    /// What rows without the column have.
    pub(in crate::execute::batch) missing: &'a [ValueRef<'a>],
}

impl ColumnSink for Sink<'_> {
    #[inline]
    fn reals(&mut self, column: usize, bits: &[u64]) {
        self.vectors[column].extend_words(Tag::Real, bits);
    }

    #[inline]
    fn integers(&mut self, column: usize, bits: &[u64]) {
        self.vectors[column].extend_words(Tag::Integer, bits);
    }

    #[inline]
    fn texts(&mut self, column: usize, page: &[u8], places: &[(usize, usize)]) {
        self.vectors[column].extend_texts(page, places);
    }

    fn value(&mut self, column: usize, value: Option<ValueRef<'_>>) {
        self.vectors[column].push(value.unwrap_or(self.missing[column]));
    }
}

/// A truth of three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::execute::batch) enum Truth {
    False = 0,
    True = 1,
    Unknown = 2,
}

impl Truth {
    #[inline]
    pub(in crate::execute::batch) fn of(value: Option<bool>) -> Self {
        match value {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    #[inline]
    pub(in crate::execute::batch) fn from_bool(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl From<Vec<Value>> for Vector {
    fn from(values: Vec<Value>) -> Self {
        let mut vector = Self::with_capacity(values.len());
        for value in &values {
            vector.push(value.as_ref());
        }
        vector
    }
}

// Neighbours: `batch`, `expression`.
