//! Zstandard frames.
//!
//! Both directions go in one call from slice to slice, for which the library needs no window
//! of its own: a frame that claims a huge window allocates nothing. The target slice bounds the
//! output; compressing into one that is a granule too short ends as soon as it is full.
//! Neighbours: `reuse` keeps the contexts.

use ::zstd::bulk::{Compressor, Decompressor};

use super::reuse::{Keep, Slot, exchange, with_reused};

struct Leveled {
    level: u8,
    compressor: Compressor<'static>,
}

thread_local! {
    static COMPRESSOR: Slot<Leveled> = const { Slot::new(None) };
    static DECOMPRESSOR: Slot<Decompressor<'static>> = const { Slot::new(None) };
}

/// Appends a frame of at most `room` bytes; if there is none, `out` may have grown anyhow.
pub(super) fn compress(raw: &[u8], level: u8, room: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.resize(start + room, 0);
    let target = out.get_mut(start..).unwrap_or_default();
    let make = || {
        let compressor = Compressor::new(i32::from(level)).ok()?;
        Some(Leveled { level, compressor })
    };
    // Every call begins a new session, so a frame that found no room leaves nothing behind.
    let work = |kept: &mut Leveled| (kept.compressor.compress_to_buffer(raw, target), Keep(true));
    match with_reused(exchange!(COMPRESSOR), |kept| kept.level == level, make, work) {
        Some(Ok(written)) => {
            out.truncate(start + written);
            true
        }
        _ => false,
    }
}

/// Fills `page` from frames.
pub(super) fn decompress(stored: &[u8], page: &mut [u8]) -> Result<(), String> {
    let work = |context: &mut Decompressor<'static>| {
        let written = context.decompress_to_buffer(stored, &mut *page);
        let keep = Keep(written.is_ok());
        (written, keep)
    };
    match with_reused(exchange!(DECOMPRESSOR), |_| true, || Decompressor::new().ok(), work) {
        Some(Ok(written)) if written == page.len() => Ok(()),
        Some(Ok(written)) => Err(format!("it holds {written} bytes")),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("there is no memory for a decompressor".to_owned()),
    }
}
