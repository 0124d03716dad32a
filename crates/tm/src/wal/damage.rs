//! Tells damage from a torn tail: looks behind the end of a log for proof that bytes are lost.
//!
//! The proof is a valid frame or segment header that says the log was durable beyond the place
//! where reading ended. Frames that were merely written, by a crashed process and without a
//! sync, cannot say so. What is damaged at the very end, with nothing valid behind it, looks like
//! a torn tail and is taken for one: nothing in the log itself can tell.
//! Neighbours: `reader` asks when no valid frame follows, `frame` says what is valid.

use super::frame::{self, FRAME_MAGIC};
use super::reader::{Segment, Window};
use crate::error::{Error, Result};
use crate::ids::Lsn;

/// An error if anything in `segments` proves that the log was durable beyond `end`.
///
/// `segments` are the one in which reading ended at `end` and all behind it.
pub(super) fn check(segments: &[Segment], end: Lsn) -> Result<()> {
    let mut window = Window::default();
    for (index, segment) in segments.iter().enumerate() {
        if segment.header.durable > end {
            return Err(damaged(segments, end, segment.header.durable));
        }
        let from = if index == 0 { end } else { segment.header.first };
        if let Some(durable) = search(segment, from, end, &mut window)? {
            return Err(damaged(segments, end, durable));
        }
    }
    Ok(())
}

/// Searches a segment for a valid frame that claims more than `end` to be durable.
fn search(segment: &Segment, from: Lsn, end: Lsn, window: &mut Window) -> Result<Option<Lsn>> {
    const STEP: usize = 64 << 10;
    let magic = FRAME_MAGIC.to_le_bytes();
    let mut offset = segment.header.offset_of(from);
    // A file made to look like frames all over must not cost more than this many bytes.
    let mut budget = segment.len.saturating_mul(8);
    while offset < segment.len {
        let step = STEP.min((segment.len - offset) as usize);
        let Some(bytes) = window.bytes_at(segment, offset, step)? else { return Ok(None) };
        let Some(found) = bytes.windows(magic.len()).position(|bytes| bytes == magic) else {
            // The magic may begin in the last three bytes of this step.
            offset += (step.saturating_sub(magic.len() - 1)).max(1) as u64;
            continue;
        };
        offset += found as u64;
        let mut length = 1;
        if let Some(bytes) = window.frame_at(segment, offset)? {
            budget = budget.saturating_sub(bytes.len() as u64);
            let position = segment.header.position_of(offset);
            if let Some(frame) = frame::verify(bytes, position, segment.header.salt) {
                if let Some(durable) = frame.durable.filter(|durable| *durable > end) {
                    return Ok(Some(durable));
                }
                length = bytes.len() as u64;
            }
        }
        if budget == 0 {
            return Err(Error::corrupt(format!(
                "{} looks like log frames but holds none",
                segment.file.path().display()
            )));
        }
        offset += length;
    }
    Ok(None)
}

#[cold]
fn damaged(segments: &[Segment], end: Lsn, durable: Lsn) -> Error {
    let place = segments.first().map_or_else(String::new, |segment| {
        let offset = segment.header.offset_of(end);
        format!(" (file {}, offset {offset})", segment.file.path().display())
    });
    Error::corrupt(format!(
        "the log is damaged at {end}{place}: it was durable up to {durable}, \
         and what follows can be read"
    ))
}
