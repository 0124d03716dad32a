//! Text and blobs in keys: any bytes, ended by a zero.
//!
//! `00` and `01` in the content become `01 01` and `01 02`; every other byte stands for itself,
//! and `00` ends the column. The end sorts before any content, an escaped `00` before an
//! escaped `01`, and both before `02`. Text has neither byte as a rule and costs its length
//! plus one. Neighbours: the module above adds the tag and inverts descending columns.

use crate::error::{Error, Result};

const END: u8 = 0;
const ESCAPE: u8 = 1;

/// Appends `content` and its end.
pub(super) fn push(content: &[u8], key: &mut Vec<u8>) {
    key.reserve(content.len() + 1);
    let mut start = 0;
    for special in memchr::memchr2_iter(END, ESCAPE, content) {
        key.extend_from_slice(&content[start..special]);
        key.extend_from_slice(&[ESCAPE, content[special] + 1]);
        start = special + 1;
    }
    key.extend_from_slice(&content[start..]);
    key.push(END);
}

/// The content at the start of `stored` (behind the tag) and its stored length; `mask` is
/// `ff` for a descending column.
pub(super) fn decode<'a>(
    stored: &'a [u8],
    mask: u8,
    scratch: &'a mut Vec<u8>,
) -> Result<(&'a [u8], usize)> {
    let len = skip(stored, mask)?;
    let content = stored.get(..len - 1).unwrap_or(&[]);
    if mask == 0 && memchr::memchr(ESCAPE, content).is_none() {
        return Ok((content, len));
    }
    scratch.clear();
    let mut bytes = content.iter().map(|byte| byte ^ mask);
    while let Some(byte) = bytes.next() {
        scratch.push(match byte {
            ESCAPE => match bytes.next() {
                Some(escaped @ 1..=2) => escaped - 1,
                _ => return Err(Error::corrupt("a key's text or blob has an unknown escape")),
            },
            byte => byte,
        });
    }
    Ok((scratch, len))
}

/// The stored length with the end.
pub(super) fn skip(stored: &[u8], mask: u8) -> Result<usize> {
    match memchr::memchr(END ^ mask, stored) {
        Some(end) => Ok(end + 1),
        None => Err(Error::corrupt("a key's text or blob has no end")),
    }
}
