//! Numbers and byte strings of the log: compact to write, safe to read from any bytes.
//!
//! Lengths and ids are little-endian base-128 numbers (one byte below 128). The decoder never
//! trusts a length: it compares it with what is left before it takes anything, so damaged bytes
//! end in an error and never in a panic or a large allocation. Neighbours: `operation` is
//! written with these, `segment` and `frame` use fixed widths instead.

use crate::error::{Error, Result};

/// Appends a number of one to ten bytes.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number; those near zero are short.
pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Appends a length and that many bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Bytes that are still to be decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let Some((&byte, rest)) = self.rest.split_first() else {
            return Err(ends_early("a byte", 0));
        };
        self.rest = rest;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Error::corrupt("a number in the log has more than 64 bits"))
    }

    pub(super) fn number32(&mut self) -> Result<u32> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| {
            Error::corrupt(format!("{number} in the log stands where 32 bits are allowed"))
        })
    }

    pub(super) fn signed(&mut self) -> Result<i64> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.number()?;
        let taken =
            usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let Some((bytes, rest)) = taken else {
            return Err(ends_early(&format!("{length} bytes"), self.rest.len()));
        };
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?)
            .map_err(|cause| Error::corrupt(format!("text in the log is not UTF-8: {cause}")))
    }
}

#[cold]
fn ends_early(expected: &str, left: usize) -> Error {
    Error::corrupt(format!("a log record ends where {expected} should follow ({left} left)"))
}
