//! LZ4 blocks.
//!
//! The block format carries no length and no checksum; the reference to the page has both.
//! Neighbours: `sample` uses this as the cheap trial before an expensive codec.

use lz4_flex::block::{
    CompressTable, compress_into, compress_into_with_table, decompress_into,
    get_maximum_output_size,
};

use super::reuse::{Keep, Slot, exchange, with_reused};

thread_local! {
    static TABLE: Slot<CompressTable> = const { Slot::new(None) };
}

/// Pages shorter than this use the kept table of 16-bit positions; longer ones are rare.
const SHORT_BYTES: usize = u16::MAX as usize;

/// Appends a block of at most `room` bytes; if there is none, `out` may have grown anyhow.
pub(super) fn compress(raw: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    // The compressor wants room for the worst case, which is more than is worth keeping.
    out.resize(start + get_maximum_output_size(raw.len()), 0);
    let target = out.get_mut(start..).unwrap_or_default();
    let written = if raw.len() < SHORT_BYTES {
        let make = || Some(CompressTable::small());
        let work = |table: &mut CompressTable| {
            let written = compress_into_with_table(raw, target, table);
            let keep = Keep(written.is_ok());
            (written, keep)
        };
        with_reused(exchange!(TABLE), |_| true, make, work)
    } else {
        Some(compress_into(raw, target))
    };
    let Some(Ok(written)) = written else { return false };
    out.truncate(start + written);
    written <= room
}

/// Fills `page` from a block.
pub(super) fn decompress(stored: &[u8], page: &mut [u8]) -> Result<(), String> {
    match decompress_into(stored, page) {
        Ok(written) if written == page.len() => Ok(()),
        Ok(written) => Err(format!("it holds {written} bytes")),
        Err(error) => Err(error.to_string()),
    }
}
