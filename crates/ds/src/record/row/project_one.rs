//! Some columns of one row, where rows are found one at a time.
//!
//! It says the same as [`RowView::project`], and is written so that the common row (few columns,
//! none of them long) costs one pass over its codes and nothing else. Neighbours: `project` reads
//! many rows of a page together, `view` single columns.

use super::view::RowView;
use super::{
    BLOB, INTEGER_1, INTEGER_2, INTEGER_3, INTEGER_4, INTEGER_6, INTEGER_8, NULL, REAL,
    SMALL_INTEGER, SMALL_INTEGER_FIRST, TEXT, WIDTHS,
};
use crate::error::Result;
use crate::record::ValueRef;
use crate::record::varint::SINGLE_BYTE_MAX;

/// Calls `take` for each column of `wanted`, which strictly ascends, with its place in `wanted`
/// and its value (`None`: the row has fewer columns).
#[inline]
pub fn project_row<'a>(
    bytes: &'a [u8],
    wanted: &[usize],
    mut take: impl FnMut(usize, Option<ValueRef<'a>>),
) -> Result<()> {
    let Some((codes, body)) = plain(bytes) else {
        return RowView::new(bytes)?.project(wanted, take);
    };
    let (mut next, mut start) = (0, 0);
    for (place, &index) in wanted.iter().enumerate() {
        let Some((before, &[code, ..])) = codes.split_at_checked(index) else {
            take(place, None);
            continue;
        };
        for code in before.get(next..).unwrap_or(&[]) {
            start += WIDTHS[usize::from(*code)] as usize;
        }
        let end = start + WIDTHS[usize::from(code)] as usize;
        match body.get(start..end).and_then(|bytes| decode(code, bytes)) {
            Some(value) => take(place, Some(value)),
            // What is unusual, damage included, is the careful reader's.
            None => take(place, RowView::new(bytes)?.column(index)?),
        }
        next = index + 1;
        start = end;
    }
    Ok(())
}

/// Codes and body of a row without long columns whose head is one byte.
#[inline]
fn plain(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    if head & 1 != 0 || u64::from(head) > SINGLE_BYTE_MAX {
        return None;
    }
    rest.split_at_checked(usize::from(head >> 1))
}

/// The value of a column that is not long; none for what is unusual, damage included.
#[inline]
pub(super) fn decode(code: u8, bytes: &[u8]) -> Option<ValueRef<'_>> {
    Some(match code {
        NULL => ValueRef::Null,
        INTEGER_1 => ValueRef::Integer(i64::from(*bytes.first()? as i8)),
        INTEGER_2 => ValueRef::Integer(i64::from(i16::from_le_bytes(bytes.try_into().ok()?))),
        INTEGER_3 => {
            let [first, second, third] = bytes.try_into().ok()?;
            ValueRef::Integer(i64::from(i32::from_le_bytes([0, first, second, third]) >> 8))
        }
        INTEGER_4 => ValueRef::Integer(i64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
        INTEGER_6 => {
            let mut wide = [0; 8];
            wide.get_mut(2..)?.copy_from_slice(bytes);
            ValueRef::Integer(i64::from_le_bytes(wide) >> 16)
        }
        INTEGER_8 => ValueRef::Integer(i64::from_le_bytes(bytes.try_into().ok()?)),
        REAL => {
            let real = f64::from_bits(u64::from_le_bytes(bytes.try_into().ok()?));
            if real.is_nan() {
                return None;
            }
            ValueRef::Real(real)
        }
        SMALL_INTEGER..TEXT => {
            ValueRef::Integer(i64::from(code - SMALL_INTEGER) + SMALL_INTEGER_FIRST)
        }
        TEXT..BLOB => ValueRef::Text(bytes),
        BLOB.. => ValueRef::Blob(bytes),
        _ => return None,
    })
}

// Neighbours: `view`, `encode`.
