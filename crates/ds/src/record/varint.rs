//! Unsigned integers in one to nine bytes, small ones in one.
//!
//! The first byte tells the length, so that decoding takes one branch and no loop over
//! continuation bits:
//!
//! ```text
//! 0..=247      the value itself
//! 248..=255    1 to 8 bytes follow with the value, most significant first
//! ```
//!
//! Only the shortest form is valid: equal values are equal bytes, and memcmp orders the bytes
//! as the values. Neighbours: `row` counts its columns with it; pages and directories use it.

use crate::error::{Error, Result};

/// The greatest value that is its own single byte.
pub const SINGLE_BYTE_MAX: u64 = 247;

/// The length of the longest varint.
pub const VARINT_LEN_MAX: usize = 9;

/// How many bytes `value` takes.
pub fn varint_len(value: u64) -> usize {
    if value <= SINGLE_BYTE_MAX { 1 } else { 9 - value.leading_zeros() as usize / 8 }
}

/// Appends `value`.
pub fn push_varint(value: u64, out: &mut Vec<u8>) {
    if value <= SINGLE_BYTE_MAX {
        out.push(value as u8);
        return;
    }
    let following = 8 - value.leading_zeros() as usize / 8;
    out.push(SINGLE_BYTE_MAX as u8 + following as u8);
    out.extend_from_slice(&value.to_be_bytes()[8 - following..]);
}

/// The value at the start of `bytes`, and its length.
#[inline]
pub fn read_varint(bytes: &[u8]) -> Result<(u64, usize)> {
    match bytes.first() {
        Some(&first) if u64::from(first) <= SINGLE_BYTE_MAX => Ok((u64::from(first), 1)),
        Some(&first) => read_long(first, bytes),
        None => Err(Error::corrupt("a variable-length integer is cut off")),
    }
}

fn read_long(first: u8, bytes: &[u8]) -> Result<(u64, usize)> {
    let following = usize::from(first) - SINGLE_BYTE_MAX as usize;
    let Some(stored) = bytes.get(1..=following) else {
        return Err(Error::corrupt(format!(
            "a variable-length integer of {} bytes is cut off after {}",
            following + 1,
            bytes.len()
        )));
    };
    let value = stored.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    if varint_len(value) != following + 1 {
        return Err(Error::corrupt(format!(
            "a variable-length integer holds {value} in {} bytes instead of {}",
            following + 1,
            varint_len(value)
        )));
    }
    Ok((value, following + 1))
}

/// Maps integers close to zero to small unsigned ones: 0, -1, 1, -2, 2 to 0, 1, 2, 3, 4.
pub fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The inverse of [`zigzag`].
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..64_u32).prop_map(|(value, shift)| value >> shift)
    }

    fn encode(value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_varint(value, &mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn values_come_back_and_keep_their_order(left in values(), right in values()) {
            let bytes = encode(left);
            prop_assert_eq!(bytes.len(), varint_len(left));
            prop_assert_eq!(read_varint(&bytes).unwrap(), (left, bytes.len()));
            prop_assert_eq!(bytes.cmp(&encode(right)), left.cmp(&right));
            for cut in 0..bytes.len() {
                prop_assert!(read_varint(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_the_shortest_form_or_an_error(bytes: [u8; 9]) {
            if let Ok((value, len)) = read_varint(&bytes) {
                prop_assert_eq!(encode(value), &bytes[..len]);
            }
        }

        #[test]
        fn zigzag_is_undone(value: i64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn lengths_change_where_documented() {
        for (value, len) in [(0, 1), (247, 1), (248, 2), (255, 2), (256, 3), (u64::MAX, 9)] {
            assert_eq!(encode(value).len(), len, "{value}");
        }
        assert_eq!(unzigzag(zigzag(i64::MIN)), i64::MIN);
    }
}
