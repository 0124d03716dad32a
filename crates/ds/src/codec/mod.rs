//! The page codec: how the bytes of a page are compressed on their way to the file.
//!
//! A page is compressed alone, so that it can be read alone; its length before compression is
//! in the reference to it, not in the stored form. Space is given out in granules of 512 bytes,
//! so a compressed form that does not save a whole granule is not worth reading: the page is
//! stored as it is, under [`CodecId::None`]. Damaged input of any kind is an error and never
//! makes a decoder write, or allocate, more than the length that the reference names.
//!
//! # Stored forms
//!
//! | number | name | bytes |
//! |---|---|---|
//! | 0 | `NONE` | the page itself |
//! | 1 | `RLE` | tokens of runs and literals, see [`rle`] |
//! | 2 | `LZ4` | one LZ4 block without a length in front |
//! | 3 | `ZSTD` | Zstandard frames (RFC 8878) without a dictionary |
//! | 4 | `GZIP` | one gzip member (RFC 1952), see [`gzip`] |
//!
//! The level of a compressor is not stored: every level is read in the same way.
//! Neighbours: `choice` names codecs, `sample` finds pages that cannot shrink, `pager` calls.

pub mod choice;
pub mod gzip;
mod lz4;
mod reuse;
pub mod rle;
mod sample;
#[cfg(test)]
mod tests;
mod zstd;

pub use choice::{Codec, CodecId};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{EXTENT_BYTES_MAX, GRANULE_BYTES};

/// Appends the stored form of `raw` to `out` and tells how it was compressed.
///
/// Where compressing does not save at least one granule, the stored form is `raw` itself and
/// the answer [`CodecId::None`]. A compressor that fails (it gets no memory for its tables) is
/// answered in the same way: that page is larger than it could be, but it is written. The only
/// error is a page that is longer than any reference can say.
pub fn compress(codec: Codec, raw: &[u8], out: &mut Vec<u8>) -> Result<CodecId> {
    if raw.len() > EXTENT_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("a page of {} bytes is longer than {EXTENT_BYTES_MAX}", raw.len()),
        ));
    }
    let start = out.len();
    let room = worthwhile_bytes(raw.len());
    if room > 0 && !(codec.is_expensive() && sample::is_incompressible(raw, out)) {
        let is_shorter = match codec.id() {
            CodecId::None => false,
            CodecId::Rle => rle::compress(raw, room, out),
            CodecId::Lz4 => lz4::compress(raw, room, out),
            CodecId::Zstd => zstd::compress(raw, codec.level(), room, out),
            CodecId::Gzip => gzip::compress(raw, codec.level(), room, out),
        };
        if is_shorter {
            return Ok(codec.id());
        }
        out.truncate(start);
    }
    out.extend_from_slice(raw);
    Ok(CodecId::None)
}

/// Appends the page whose stored form is `stored` to `out`.
///
/// `id` and `raw_len` are what the reference says; more than `limit` bytes are refused before
/// anything is allocated. The page is exactly `raw_len` bytes long, or the answer is an error
/// of kind [`ErrorKind::Corrupt`] and `out` is as it was.
pub fn decompress(
    id: u8,
    stored: &[u8],
    raw_len: usize,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let id = CodecId::from_byte(id)?;
    if raw_len > limit {
        return Err(Error::corrupt(format!(
            "a page claims {raw_len} bytes, more than the {limit} that it may have"
        )));
    }
    if id == CodecId::None {
        if stored.len() != raw_len {
            return Err(damaged(id, stored, raw_len, "the two lengths differ"));
        }
        out.reserve_exact(raw_len);
        out.extend_from_slice(stored);
        return Ok(());
    }
    let start = out.len();
    out.reserve_exact(raw_len);
    out.resize(start + raw_len, 0);
    let page = out.get_mut(start..).unwrap_or_default();
    let decoded = match id {
        CodecId::None => Ok(()),
        CodecId::Rle => rle::decompress(stored, page),
        CodecId::Lz4 => lz4::decompress(stored, page),
        CodecId::Zstd => zstd::decompress(stored, page),
        CodecId::Gzip => gzip::decompress(stored, page),
    };
    decoded.map_err(|reason| {
        out.truncate(start);
        damaged(id, stored, raw_len, &reason)
    })
}

/// The longest stored form that saves a granule over `raw_len` bytes as they are.
fn worthwhile_bytes(raw_len: usize) -> usize {
    let granule = GRANULE_BYTES as usize;
    raw_len.div_ceil(granule).saturating_sub(1) * granule
}

#[cold]
fn damaged(id: CodecId, stored: &[u8], raw_len: usize, reason: &str) -> Error {
    Error::corrupt(format!(
        "{} stored bytes are no {id} form of a page of {raw_len} bytes: {reason}",
        stored.len()
    ))
}
