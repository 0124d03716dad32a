//! Reading little-endian integers and varints from untrusted bytes, and writing them.
//!
//! A [`Reader`] never reads past its slice: the first thing that is missing is a typed error.
//! Neighbours: every decoder of stored structures.

use crate::error::{Error, Result};

/// Walks over untrusted bytes from front to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.position.checked_add(count).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return Err(self.too_short(count)) };
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    #[cold]
    fn too_short(&self, count: usize) -> Error {
        Error::corrupt(format!(
            "expected {count} bytes at position {}, found {}",
            self.position,
            self.remaining()
        ))
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A varint: seven bits a byte, the low ones first, the high bit tells that more follow.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        match self.bytes.get(self.position) {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::corrupt("an integer is longer than 64 bits"))
    }
}

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes a varint takes.
pub const fn varint_bytes(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Writes a varint at the start of `out`, which is long enough, and returns its length.
pub fn write_varint(out: &mut [u8], mut value: u64) -> usize {
    let mut at = 0;
    while value >= 0x80 {
        out[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    out[at] = value as u8;
    at + 1
}

/// Reads a varint at `position` of bytes that were validated; returns the value and the
/// position behind it.
#[inline]
pub fn read_varint(bytes: &[u8], position: usize) -> (u64, usize) {
    let first = bytes[position];
    if first < 0x80 {
        return (u64::from(first), position + 1);
    }
    let second = bytes[position + 1];
    if second < 0x80 {
        return (u64::from(first & 0x7f) | u64::from(second) << 7, position + 2);
    }
    let mut value = u64::from(first & 0x7f) | u64::from(second & 0x7f) << 7;
    let mut at = position + 2;
    let mut shift = 14;
    loop {
        let byte = bytes[at];
        at += 1;
        value |= u64::from(byte & 0x7f) << (shift & 63);
        if byte < 0x80 {
            return (value, at);
        }
        shift += 7;
    }
}

/// Appends the low `N` bytes of `value`, little-endian.
pub fn put_le<const N: usize>(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes()[..N]);
}
