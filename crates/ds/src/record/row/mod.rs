//! The stored form of a row, from which any column is decoded without touching the others.
//!
//! ```text
//! head    varint: columns * 2, plus 1 if there are long columns
//! longs   varint: number of long columns               (only with that 1)
//! codes   one byte for each column: its type and width
//! lengths u32 little-endian for each long column       (only with that 1)
//! body    the columns' bytes, one after the other
//! ```
//!
//! | code | column | bytes in the body |
//! |---|---|---|
//! | 0 | NULL | 0 |
//! | 1 to 6 | integer, little-endian, sign-extended | 1, 2, 3, 4, 6, 8 |
//! | 7 | real, the little-endian bits | 8 |
//! | 8 | long text | its entry in the lengths |
//! | 9 | long blob | its entry in the lengths |
//! | 10 to 15 | reserved, corrupt | |
//! | 16 to 47 | the integer code - 17 (-1 to 30) | 0 |
//! | 48 to 175 | text | code - 48 |
//! | 176 to 255 | blob | code - 176 |
//!
//! One byte for each code, whatever it describes, makes column `i` one addition for each
//! column before it: its code is the i-th byte, its place the sum of a table's entries for the
//! codes before. A code of variable length would have to be decoded to find the next, and an
//! offset for each column would cost one or two bytes for each column of each row to save
//! additions that take less than a nanosecond each. Lengths that do not fit a code are kept
//! out of the body, so that finding a column reads the head only: where the body is in
//! overflow extents, a column's [`span`](RowView::span) tells which part of it to fetch.
//!
//! A row may hold fewer columns than its table has now (columns were added since); those are
//! absent, and what they read as is the catalog's business.
//!
//! All readers take any bytes: what does not fit is a corruption error.
//! Neighbours: `value` is what goes in and comes out, `key` is the form that has an order.

mod encode;
mod project;
mod project_one;
mod shapes;
mod view;

#[cfg(test)]
mod tests;

pub use encode::{RowBuilder, encode_row, encode_values};
pub use project::{ColumnSink, Projector, ROWS_TOGETHER, RowBytes};
pub use project_one::project_row;
pub use view::{ColumnKind, ColumnSpan, Columns, RowView};

const NULL: u8 = 0;
const INTEGER_1: u8 = 1;
const INTEGER_2: u8 = 2;
const INTEGER_3: u8 = 3;
const INTEGER_4: u8 = 4;
const INTEGER_6: u8 = 5;
const INTEGER_8: u8 = 6;
const REAL: u8 = 7;
const LONG_TEXT: u8 = 8;
const LONG_BLOB: u8 = 9;
const RESERVED: u8 = 10;
const SMALL_INTEGER: u8 = 16;
const TEXT: u8 = 48;
const BLOB: u8 = 176;

/// The integer that the code [`SMALL_INTEGER`] stands for.
const SMALL_INTEGER_FIRST: i64 = -1;
/// How many integers have a code of their own.
const SMALL_INTEGERS: i64 = (TEXT - SMALL_INTEGER) as i64;
/// The first text length that does not fit a code.
const TEXT_LONG_FROM: usize = (BLOB - TEXT) as usize;
/// The first blob length that does not fit a code.
const BLOB_LONG_FROM: usize = 256 - BLOB as usize;

/// The entry of [`WIDTHS`] for reserved codes: no body is that long, so that a column at or
/// behind such a code is found outside of it.
const RESERVED_WIDTH: u32 = 1 << 31;

/// Bytes in the body by code; long columns count as nothing here.
const WIDTHS: [u32; 256] = widths();

const fn widths() -> [u32; 256] {
    let mut widths = [0; 256];
    widths[INTEGER_1 as usize] = 1;
    widths[INTEGER_2 as usize] = 2;
    widths[INTEGER_3 as usize] = 3;
    widths[INTEGER_4 as usize] = 4;
    widths[INTEGER_6 as usize] = 6;
    widths[INTEGER_8 as usize] = 8;
    widths[REAL as usize] = 8;
    let mut code = RESERVED as usize;
    while code < 256 {
        widths[code] = if code < SMALL_INTEGER as usize {
            RESERVED_WIDTH
        } else if code < TEXT as usize {
            0
        } else if code < BLOB as usize {
            (code - TEXT as usize) as u32
        } else {
            (code - BLOB as usize) as u32
        };
        code += 1;
    }
    widths
}
