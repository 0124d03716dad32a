//! Gzip members (RFC 1952).
//!
//! The deflate stream comes from the library without a wrapper, because only such a stream can
//! be reset and used again; the wrapper is written here. It is always the same:
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 10 | `1f 8b 08 00 00 00 00 00 00 ff`: deflate, no flags, no time, system unknown |
//! | 10 | n | the deflate stream (RFC 1951) |
//! | 10 + n | 4 | CRC-32 of the page, little-endian |
//! | 14 + n | 4 | length of the page, little-endian |
//!
//! A reader refuses any other header and bytes behind the trailer.
//!
//! A compressor gets room for the worst case and is used again only after a stream that it
//! finished: resetting `zlib-rs` (0.6) in the middle of a stream leaves the position of its
//! pending bytes and the state of its open block as they were, which ends in a panic or, worse,
//! in a stream that nobody can read.
//! Neighbours: `reuse` keeps the tables.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::reuse::{Keep, Slot, exchange, with_reused};

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const TRAILER_BYTES: usize = 8;

struct Leveled {
    level: u8,
    deflate: Compress,
}

thread_local! {
    static DEFLATE: Slot<Leveled> = const { Slot::new(None) };
    static INFLATE: Slot<Decompress> = const { Slot::new(None) };
}

/// Appends a member of at most `room` bytes; if there is none, `out` may have grown anyhow.
pub(super) fn compress(raw: &[u8], level: u8, room: usize, out: &mut Vec<u8>) -> bool {
    let member_start = out.len();
    out.extend_from_slice(&HEADER);
    let start = out.len();
    out.resize(start + stream_bytes_max(raw.len()), 0);
    let target = out.get_mut(start..).unwrap_or_default();
    let make = || {
        let deflate = Compress::new(Compression::new(u32::from(level)), false);
        Some(Leveled { level, deflate })
    };
    let work = |kept: &mut Leveled| {
        let deflate = &mut kept.deflate;
        deflate.reset();
        let status = deflate.compress(raw, target, FlushCompress::Finish);
        let is_finished = matches!(status, Ok(Status::StreamEnd));
        (is_finished.then_some(deflate.total_out() as usize), Keep(is_finished))
    };
    let written = with_reused(exchange!(DEFLATE), |kept| kept.level == level, make, work);
    let Some(Some(written)) = written else { return false };
    out.truncate(start + written);
    out.extend_from_slice(&crc32fast::hash(raw).to_le_bytes());
    out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    out.len() - member_start <= room
}

/// No deflate stream of the library is longer: at its lowest level a byte takes at most nine
/// bits, at the others a stored block costs five bytes.
fn stream_bytes_max(raw_len: usize) -> usize {
    raw_len + raw_len.div_ceil(8) + raw_len.div_ceil(64) + 64
}

/// Fills `page` from a member.
pub(super) fn decompress(stored: &[u8], page: &mut [u8]) -> Result<(), String> {
    let stream = stored.strip_prefix(&HEADER).ok_or("its gzip header is another")?;
    let (stream, trailer) =
        stream.split_last_chunk::<TRAILER_BYTES>().ok_or("it ends within its gzip trailer")?;
    let work = |inflate: &mut Decompress| {
        inflate.reset(false);
        let status = inflate.decompress(stream, page, FlushDecompress::Finish);
        let keep = Keep(matches!(status, Ok(Status::StreamEnd)));
        ((status, inflate.total_in(), inflate.total_out()), keep)
    };
    let make = || Some(Decompress::new(false));
    let (status, read, written) =
        with_reused(exchange!(INFLATE), |_| true, make, work).ok_or("there is no decompressor")?;
    match status {
        Ok(Status::StreamEnd) => {}
        Ok(_) => return Err(format!("its deflate stream has no end within {written} bytes")),
        Err(error) => return Err(error.to_string()),
    }
    if written != page.len() as u64 {
        return Err(format!("it holds {written} bytes"));
    }
    if read != stream.len() as u64 {
        return Err(format!("{} bytes follow the deflate stream", stream.len() as u64 - read));
    }
    let [crc @ .., l0, l1, l2, l3] = *trailer;
    if u32::from_le_bytes([l0, l1, l2, l3]) != page.len() as u32 {
        return Err("its gzip trailer has another length".to_owned());
    }
    if u32::from_le_bytes(crc) != crc32fast::hash(page) {
        return Err("its gzip checksum does not fit".to_owned());
    }
    Ok(())
}
