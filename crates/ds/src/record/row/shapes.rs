//! Rows of few shapes: where wanted columns stand is looked up, not computed.
//!
//! The codes of a row say where its columns are, one addition for each column before. But the
//! rows of a table have few different codes: so what follows from them is computed once for each
//! *shape* and found again by the codes themselves, which are compared sixteen at a time. All
//! integers that stand in their codes count as one. Neighbours: `project` uses this for rows
//! whose wanted columns are among the first ones, and reads all others without.

use super::project::RowBytes;
use super::{BLOB, INTEGER_1, INTEGER_8, REAL, RESERVED_WIDTH, SMALL_INTEGER, TEXT, WIDTHS};
use crate::record::varint::SINGLE_BYTE_MAX;

/// How many bytes of a row tell its shape: the head of one byte, and the codes behind it.
const HEAD: usize = 16;

/// The most shapes that are kept. Then they are forgotten: the index has room for twice as many,
/// and the rows that are read together.
const SHAPES_MAX: usize = 64;

/// Places of shapes by their hashes.
const PLACES: usize = 256;

/// Up to here a column is found faster by adding up the widths of those before.
const NEAR: usize = 3;

/// Rows after which it is asked whether shapes are worth it.
const TRIAL: u32 = 512;

/// What a wanted column holds, as bits: whatever all rows have in common stays.
pub(super) const REALS: u64 = 1;
pub(super) const INTEGERS: u64 = 2;
pub(super) const TEXTS: u64 = 4;
/// The bits of a column.
const KIND_BITS: usize = 4;

#[derive(Clone, Debug)]
struct Shape {
    /// The head and the codes up to the last wanted column.
    pattern: u128,
    /// How many bytes of the row there have to be; more than there can be where the shape is not
    /// a plain one.
    needed: u32,
    kinds: u64,
    /// How far behind the start of the row the wanted columns begin.
    places: [u16; HEAD],
}

/// The shapes of the rows that a projector has read.
#[derive(Clone, Debug)]
pub(super) struct Shapes {
    /// Which bytes of the head and codes count.
    mask: u128,
    /// One more than the number of a shape, by its hash; 0 is free.
    places: [u8; PLACES],
    known: Vec<Shape>,
    rows: u32,
    misses: u32,
    /// Whether rows have few shapes, as far as is known.
    is_useful: bool,
}

/// The shapes of rows that are read together: their numbers, and what all have in common.
pub(super) struct Found<const ROWS: usize> {
    numbers: [u8; ROWS],
    kinds: u64,
}

impl<const ROWS: usize> Found<ROWS> {
    /// What the values of wanted column `column` all are.
    #[inline]
    pub(super) fn kinds(&self, column: usize) -> u64 {
        self.kinds >> (KIND_BITS * column)
    }
}

/// Eight codes, all of those that are integers without bytes of their own the same; not those
/// whose bytes `kept` has.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a call takes longer than what it does")]
fn codes_of(word: u64, kept: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // 16 to 47: the fifth bit or the sixth, and none above.
    let is_small = ((word >> 4) ^ (word >> 5)) & !(word >> 6) & !(word >> 7) & EACH;
    let small = (is_small * 0xff) & !kept;
    (word & !small) | (small & (EACH * u64::from(SMALL_INTEGER)))
}

/// What the head and the codes are known by.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a call takes longer than what it does")]
fn pattern_of(bytes: &[u8; HEAD], mask: u128) -> u128 {
    let word = u128::from_le_bytes(*bytes);
    let (low, high) = (codes_of(word as u64, 0xff), codes_of((word >> 64) as u64, 0));
    (u128::from(low) | u128::from(high) << 64) & mask
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "a call takes longer than what it does")]
fn place_of(pattern: u128) -> usize {
    let (low, high) = (pattern as u64, (pattern >> 64) as u64);
    ((low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}

impl Shapes {
    /// The shapes of rows of which the columns `wanted` are read, which strictly ascend; none
    /// where that is not worth it, or one of them is too far behind.
    pub(super) fn new(wanted: &[usize]) -> Option<Self> {
        let last = *wanted.last()?;
        let count = last + 2;
        if last <= NEAR || count > HEAD {
            return None;
        }
        let mask = u128::MAX >> (8 * (HEAD - count));
        let places = [0; PLACES];
        Some(Self { mask, places, known: Vec::new(), rows: 0, misses: 0, is_useful: true })
    }

    /// Whether it is worth to look for shapes.
    #[inline]
    pub(super) fn is_useful(&self) -> bool {
        self.is_useful
    }

    /// The shapes of rows; none where one of them is not plain or not whole.
    #[inline]
    pub(super) fn find<const ROWS: usize>(
        &mut self,
        page: &[u8],
        rows: &[RowBytes],
        wanted: &[usize],
    ) -> Option<Found<ROWS>> {
        if self.known.len() > SHAPES_MAX {
            self.known.clear();
            self.places = [0; PLACES];
        }
        let mut found = Found { numbers: [0; ROWS], kinds: u64::MAX };
        let mut is_sound = true;
        for (row, number) in rows.iter().zip(&mut found.numbers) {
            let rest = page.get(row.start as usize..)?;
            let pattern = if let Some(bytes) = rest.first_chunk::<HEAD>() {
                pattern_of(bytes, self.mask)
            } else {
                let mut bytes = [0; HEAD];
                bytes[..rest.len()].copy_from_slice(rest);
                pattern_of(&bytes, self.mask)
            };
            *number = self.number(pattern, rest, wanted);
            let shape = &self.known[usize::from(*number)];
            found.kinds &= shape.kinds;
            is_sound &= row.start.saturating_add(shape.needed) <= row.end;
            is_sound &= row.end as usize <= page.len();
        }
        self.rows += rows.len() as u32;
        if self.rows >= TRIAL {
            self.is_useful = self.misses * 8 <= self.rows;
            (self.rows, self.misses) = (0, 0);
        }
        is_sound.then_some(found)
    }

    /// The number of the shape with a pattern.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call takes longer than what it does")]
    fn number(&mut self, pattern: u128, row: &[u8], wanted: &[usize]) -> u8 {
        let mut place = place_of(pattern);
        loop {
            let number = self.places[place];
            let Some(known) = number.checked_sub(1) else {
                return self.add(place, pattern, row, wanted);
            };
            if self.known[usize::from(known)].pattern == pattern {
                return known;
            }
            place = (place + 1) % PLACES;
        }
    }

    #[cold]
    fn add(&mut self, place: usize, pattern: u128, row: &[u8], wanted: &[usize]) -> u8 {
        self.misses += 1;
        let number = self.known.len() as u8;
        self.known.push(Shape::of(pattern, row, wanted));
        self.places[place] = number + 1;
        number
    }

    /// How far behind the start of row `row` wanted column `column` begins.
    #[inline]
    pub(super) fn place<const ROWS: usize>(
        &self,
        found: &Found<ROWS>,
        row: usize,
        column: usize,
    ) -> usize {
        usize::from(self.known[usize::from(found.numbers[row])].places[column % HEAD])
    }
}

impl Shape {
    fn of(pattern: u128, row: &[u8], wanted: &[usize]) -> Self {
        let mut shape = Self { pattern, needed: u32::MAX, kinds: 0, places: [0; HEAD] };
        if let Some((needed, kinds, places)) = Self::plain(row, wanted) {
            (shape.needed, shape.kinds, shape.places) = (needed, kinds, places);
        }
        shape
    }

    /// What follows from the codes, if they are plain.
    fn plain(row: &[u8], wanted: &[usize]) -> Option<(u32, u64, [u16; HEAD])> {
        let (&head, rest) = row.split_first()?;
        let last = *wanted.last()?;
        let count = usize::from(head >> 1);
        if head & 1 != 0 || u64::from(head) > SINGLE_BYTE_MAX || count <= last {
            return None;
        }
        let mut places = [0; HEAD];
        let mut kinds = 0;
        let mut at = 1 + count as u32;
        let mut next = wanted.iter().enumerate().peekable();
        for (index, &code) in rest.get(..=last)?.iter().enumerate() {
            let width = WIDTHS[usize::from(code)];
            if width == RESERVED_WIDTH || is_long(code) {
                return None;
            }
            if let Some((place, _)) = next.next_if(|(_, wanted)| **wanted == index) {
                *places.get_mut(place)? = u16::try_from(at).ok()?;
                kinds |= kind_of(code) << (KIND_BITS * place);
            }
            at += width;
        }
        Some((at, kinds, places))
    }
}

fn is_long(code: u8) -> bool {
    code == super::LONG_TEXT || code == super::LONG_BLOB
}

fn kind_of(code: u8) -> u64 {
    match code {
        REAL => REALS,
        INTEGER_1..=INTEGER_8 => INTEGERS,
        _ if (SMALL_INTEGER..TEXT).contains(&code) => INTEGERS,
        _ if (TEXT..BLOB).contains(&code) => TEXTS,
        _ => 0,
    }
}

// Neighbours: `project`.
