//! Some columns of many rows: the way for scans that read thousands of rows at once.
//!
//! It says the same as [`RowView::project`], a few rows at a time and column by column: first
//! where a column stands in each of them, then what it holds. Each of these steps is a loop of a
//! handful of instructions without a jump that depends on the rows, so that the processor works
//! at several rows at once and waits for the memory of many rows together. Reals and integers
//! come out as words. Rows with long columns, and what is damaged, are the careful reader's.
//! Where rows have few different codes, nothing is added up: see `shapes`. Neighbours: `view`
//! reads single columns, `page::leaf_walk` finds the rows of a leaf.

use super::project_one::decode;
use super::shapes::{Found, INTEGERS, REALS, Shapes, TEXTS};
use super::view::RowView;
use super::{BLOB, INTEGER_1, INTEGER_8, REAL, SMALL_INTEGER, SMALL_INTEGER_FIRST, TEXT, WIDTHS};
use crate::error::{Error, Result};
use crate::record::ValueRef;
use crate::record::varint::SINGLE_BYTE_MAX;

/// From so many rows on their shapes are looked for.
const SHAPED_FROM: usize = 8;

/// How many rows are read together.
pub const ROWS_TOGETHER: usize = 32;

/// Where a row stands in the bytes of its page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowBytes {
    /// The first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

/// Takes the columns of rows. Each column gets the rows in their order.
pub trait ColumnSink {
    /// Takes reals, their bits.
    fn reals(&mut self, column: usize, bits: &[u64]);
    /// Takes integers, their bits.
    fn integers(&mut self, column: usize, bits: &[u64]);
    /// Takes texts, by where each begins and ends in `page`.
    fn texts(&mut self, column: usize, page: &[u8], places: &[(usize, usize)]);
    /// Takes any value; none where the row has fewer columns.
    fn value(&mut self, column: usize, value: Option<ValueRef<'_>>);
}

/// Reads some columns of rows.
#[derive(Clone, Debug)]
pub struct Projector {
    wanted: Vec<usize>,
    /// What is known of the rows that were read, where that is worth it.
    shapes: Option<Shapes>,
}

/// Rows that are read together, all of the common form.
#[allow(clippy::struct_field_names, reason = "the rows are what it is about")]
struct Rows<'a> {
    page: &'a [u8],
    rows: &'a [RowBytes],
    /// Where the next column's bytes begin in the page.
    places: [usize; ROWS_TOGETHER],
    codes: [u8; ROWS_TOGETHER],
    /// The fewest and the most columns.
    columns: (usize, usize),
}

impl Projector {
    /// A reader of the columns `wanted`, which strictly ascend.
    pub fn new(wanted: &[usize]) -> Self {
        Self { wanted: wanted.to_vec(), shapes: Shapes::new(wanted) }
    }

    /// The columns that are read.
    pub fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Gives the wanted columns of rows of a page, by their places among the wanted ones.
    #[inline]
    pub fn read(
        &mut self,
        page: &[u8],
        rows: &[RowBytes],
        sink: &mut impl ColumnSink,
    ) -> Result<()> {
        for rows in rows.chunks(ROWS_TOGETHER) {
            if rows.len() >= SHAPED_FROM
                && let Some(shapes) = self.shapes.as_mut().filter(|shapes| shapes.is_useful())
                && let Some(found) = shapes.find::<ROWS_TOGETHER>(page, rows, &self.wanted)
            {
                let mut rows = Rows::at(page, rows);
                for (column, &index) in self.wanted.iter().enumerate() {
                    rows.go_to(shapes, &found, column, index);
                    rows.give_all(column, index, found.kinds(column), sink)?;
                }
                continue;
            }
            let last = self.wanted.last().map_or(0, |last| last + 1);
            match Rows::new(page, rows) {
                // Rows of before and after a column was added are read one by one.
                Some(plain) if plain.columns.0 == plain.columns.1 || last <= plain.columns.0 => {
                    self.read_plain(plain, sink)?;
                }
                _ => {
                    for row in rows {
                        let view = RowView::new(bytes_of(page, *row)?)?;
                        view.project(&self.wanted, |column, value| sink.value(column, value))?;
                    }
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn read_plain(&self, mut rows: Rows<'_>, sink: &mut impl ColumnSink) -> Result<()> {
        let mut next = 0;
        for (column, &index) in self.wanted.iter().enumerate() {
            if index >= rows.columns.0 {
                rows.rows.iter().for_each(|_| sink.value(column, None));
                continue;
            }
            for skipped in next..index {
                rows.skip(skipped);
            }
            let kinds = rows.look_at(index);
            rows.give_all(column, index, kinds, sink)?;
            if column + 1 < self.wanted.len() {
                rows.pass();
            }
            next = index + 1;
        }
        Ok(())
    }
}

fn bytes_of(page: &[u8], row: RowBytes) -> Result<&[u8]> {
    page.get(row.start as usize..row.end as usize)
        .ok_or_else(|| Error::corrupt("a row is outside of its page"))
}

impl<'a> Rows<'a> {
    /// Rows whose columns somebody else finds.
    #[inline]
    fn at(page: &'a [u8], rows: &'a [RowBytes]) -> Self {
        let (places, codes) = ([0; ROWS_TOGETHER], [0; ROWS_TOGETHER]);
        Self { page, rows, places, codes, columns: (0, 0) }
    }

    /// Rows (at most [`ROWS_TOGETHER`]) that have no long columns and a head of one byte.
    #[inline]
    fn new(page: &'a [u8], rows: &'a [RowBytes]) -> Option<Self> {
        let mut places = [0; ROWS_TOGETHER];
        let (mut is_plain, mut columns) = (true, (usize::MAX, 0));
        for (row, place) in rows.iter().zip(&mut places) {
            let head = *page.get(row.start as usize)?;
            let count = usize::from(head >> 1);
            *place = row.start as usize + 1 + count;
            is_plain &= head & 1 == 0 && u64::from(head) <= SINGLE_BYTE_MAX;
            is_plain &= *place <= row.end as usize && row.end as usize <= page.len();
            columns = (columns.0.min(count), columns.1.max(count));
        }
        is_plain.then_some(Self { page, rows, places, codes: [0; ROWS_TOGETHER], columns })
    }

    /// Moves behind a column, which all rows have.
    #[inline]
    fn skip(&mut self, column: usize) {
        for row in 0..self.rows.len().min(ROWS_TOGETHER) {
            let code = self.page[self.rows[row].start as usize + 1 + column];
            self.places[row] += WIDTHS[usize::from(code)] as usize;
        }
    }

    /// Notes the codes of column `index`, which all rows have; gives what all of them are.
    #[inline]
    fn look_at(&mut self, index: usize) -> u64 {
        let (mut reals, mut integers, mut texts) = (true, true, true);
        for (row, code) in self.rows.iter().zip(&mut self.codes) {
            *code = self.page[row.start as usize + 1 + index];
            reals &= *code == REAL;
            integers &= code.wrapping_sub(INTEGER_1) <= INTEGER_8 - INTEGER_1
                || code.wrapping_sub(SMALL_INTEGER) < TEXT - SMALL_INTEGER;
            texts &= code.wrapping_sub(TEXT) < BLOB - TEXT;
        }
        let kind = |is_it: bool, kind: u64| if is_it { kind } else { 0 };
        kind(reals, REALS) | kind(integers, INTEGERS) | kind(texts, TEXTS)
    }

    /// Moves behind the column whose codes were noted.
    #[inline]
    fn pass(&mut self) {
        for (code, place) in self.codes.iter().zip(&mut self.places) {
            *place += WIDTHS[usize::from(*code)] as usize;
        }
    }

    /// Goes to column `index` of rows whose shapes are known, wanted column `column`, and notes
    /// its codes.
    #[inline]
    fn go_to(
        &mut self,
        shapes: &Shapes,
        found: &Found<ROWS_TOGETHER>,
        column: usize,
        index: usize,
    ) {
        // Counted loops: these are the innermost ones of every scan.
        let count = self.rows.len().min(ROWS_TOGETHER);
        for row in 0..count {
            self.places[row] = self.rows[row].start as usize + shapes.place(found, row, column);
        }
        if found.kinds(column) & REALS == 0 {
            for row in 0..count {
                self.codes[row] = self.page[self.rows[row].start as usize + 1 + index];
            }
        }
    }

    /// Gives the column where it is, whose values are of these kinds.
    #[inline]
    fn give_all(
        &self,
        column: usize,
        index: usize,
        kinds: u64,
        sink: &mut impl ColumnSink,
    ) -> Result<()> {
        let is_done = (kinds & REALS != 0 && self.give_reals(column, sink))
            || (kinds & INTEGERS != 0 && self.give_integers(column, sink))
            || (kinds & TEXTS != 0 && self.give_texts(column, sink));
        if is_done { Ok(()) } else { self.give_each(column, index, sink) }
    }

    /// Gives the column of each row for itself.
    #[inline(never)]
    fn give_each(&self, column: usize, index: usize, sink: &mut impl ColumnSink) -> Result<()> {
        for (row, place) in self.rows.iter().zip(self.places) {
            let code = self.page[row.start as usize + 1 + index];
            let end = place + WIDTHS[usize::from(code)] as usize;
            let bytes = self.page.get(place..end).filter(|_| end <= row.end as usize);
            if let Some(value) = bytes.and_then(|bytes| decode(code, bytes)) {
                sink.value(column, Some(value));
            } else {
                // What is damaged is the careful reader's.
                let view = RowView::new(bytes_of(self.page, *row)?)?;
                sink.value(column, view.column(index)?);
            }
        }
        Ok(())
    }

    /// Gives reals, unless one of them is no number or is cut off.
    #[inline]
    fn give_reals(&self, column: usize, sink: &mut impl ColumnSink) -> bool {
        let mut words = [0; ROWS_TOGETHER];
        let mut is_sound = true;
        for (word, (place, row)) in words.iter_mut().zip(self.places.iter().zip(self.rows)) {
            let Some(bytes) = self.page.get(*place..).and_then(|bytes| bytes.first_chunk()) else {
                return false;
            };
            *word = u64::from_le_bytes(*bytes);
            is_sound &= place + 8 <= row.end as usize && !f64::from_bits(*word).is_nan();
        }
        if is_sound {
            sink.reals(column, &words[..self.rows.len()]);
        }
        is_sound
    }

    /// Gives integers, unless one of them is cut off.
    #[inline]
    fn give_integers(&self, column: usize, sink: &mut impl ColumnSink) -> bool {
        let mut words = [0; ROWS_TOGETHER];
        let mut is_sound = true;
        let rows = self.rows.iter().zip(self.places).zip(self.codes);
        for (((row, place), code), word) in rows.zip(&mut words) {
            let width = WIDTHS[usize::from(code)] as usize;
            let bytes = self.page.get(place..).unwrap_or(&[]);
            let wide = if let Some(bytes) = bytes.first_chunk() {
                u64::from_le_bytes(*bytes)
            } else {
                let mut wide = [0; 8];
                wide[..bytes.len()].copy_from_slice(bytes);
                u64::from_le_bytes(wide)
            };
            let small = i64::from(code) - i64::from(SMALL_INTEGER) + SMALL_INTEGER_FIRST;
            // What stands behind the integer is shifted out.
            let shift = (64 - 8 * width as u32) & 63;
            let stored = (wide << shift) as i64 >> shift;
            *word = (if width == 0 { small } else { stored }) as u64;
            is_sound &= place + width <= row.end as usize;
        }
        if is_sound {
            sink.integers(column, &words[..self.rows.len()]);
        }
        is_sound
    }

    /// Gives texts, unless one of them is cut off.
    #[inline]
    fn give_texts(&self, column: usize, sink: &mut impl ColumnSink) -> bool {
        let mut spans = [(0, 0); ROWS_TOGETHER];
        let mut is_sound = true;
        let rows = self.rows.iter().zip(self.places).zip(self.codes);
        for (((row, place), code), span) in rows.zip(&mut spans) {
            *span = (place, place + WIDTHS[usize::from(code)] as usize);
            is_sound &= span.1 <= row.end as usize;
        }
        if is_sound {
            sink.texts(column, self.page, &spans[..self.rows.len()]);
        }
        is_sound
    }
}

// Neighbours: `view`, `encode`.
