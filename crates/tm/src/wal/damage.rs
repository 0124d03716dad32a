//! Tells damage from a torn tail: looks behind the end of a log for proof that bytes are lost.
//!
//! The proof is a valid frame or segment header that says the log was durable beyond the place
//! where reading ended. Frames that were merely written, by a crashed process and without a
//! sync, cannot say so. What is damaged at the very end, with nothing valid behind it, looks like
//! a torn tail and is taken for one: nothing in the log itself can tell.
//!
//! Whole segments beyond a gap that say nothing of the kind are what a power cut leaves, which
//! takes writes and names in any order, or what follows a file that was removed. Both look alike,
//! so the log ends before the gap, and these segments are told, to be kept under another name. A
//! file whose name does not fit what it says is none of a power cut's doing as long as its
//! transactions are wanted: segments get another name when a durable checkpoint has all of them.
//! Neighbours: `reader` asks when no valid frame follows, `frame` says what is valid.

use std::path::PathBuf;

use super::frame::{self, FRAME_MAGIC};
use super::reader::{Segment, Window};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Lsn;

/// What a search through a segment has found behind the end of the log.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    has_frames: bool,
    /// A claim that more than the end was durable.
    durable: Option<Lsn>,
}

/// An error if anything in `segments` proves that the log was durable beyond `end`; else the
/// files that hold frames beyond a gap.
///
/// `segments` are the one in which reading ended at `end` and all behind it.
pub(super) fn check(segments: &[Segment], end: Lsn) -> Result<Vec<PathBuf>> {
    let mut window = Window::default();
    let mut beyond = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        if segment.header.durable > end {
            return Err(damaged(segments, end, segment.header.durable));
        }
        // One that begins before the end and stands behind it was written in another line of
        // events, before somebody put a missing file back.
        let is_behind = index > 0 || segment.header.first > end;
        let from = if is_behind { segment.header.first } else { end };
        let found = search(segment, (from, end), &mut window)?;
        if let Some(durable) = found.durable {
            return Err(damaged(segments, end, durable));
        }
        if found.has_frames && is_behind {
            beyond.push(segment.file.path().to_path_buf());
        }
    }
    Ok(beyond)
}

/// An error if one of the files `misnamed`, whose headers name other segments than their names
/// do, holds a transaction at `end` or behind it.
pub(super) fn check_names(misnamed: &[Segment], end: Lsn, window: &mut Window) -> Result<()> {
    for segment in misnamed {
        let header = &segment.header;
        let position = end.max(header.first);
        let bytes = window.frame_at(segment, header.offset_of(position))?;
        let frame = bytes.and_then(|bytes| frame::verify(bytes, position, header.salt));
        if frame.is_some_and(|frame| frame.is_first) {
            let message = format!(
                "{} has transactions of the log from {position} on, but it is segment {:08} by \
                 what it says and not by its name: give it the name that ends in this number, or \
                 move it away to go on without them",
                segment.file.path().display(),
                header.number,
            );
            return Err(Error::new(ErrorKind::Mismatch, message));
        }
    }
    Ok(())
}

/// Searches a segment for valid frames, up to one that claims more than `end` to be durable.
fn search(segment: &Segment, (from, end): (Lsn, Lsn), window: &mut Window) -> Result<Found> {
    const STEP: usize = 64 << 10;
    let magic = FRAME_MAGIC.to_le_bytes();
    let mut found = Found::default();
    let mut offset = segment.header.offset_of(from);
    // A file made to look like frames all over must not cost more than this many bytes.
    let mut budget = segment.len.saturating_mul(8);
    while offset < segment.len {
        let step = STEP.min((segment.len - offset) as usize);
        let Some(bytes) = window.bytes_at(segment, offset, step)? else { return Ok(found) };
        let Some(at) = bytes.windows(magic.len()).position(|bytes| bytes == magic) else {
            // The magic may begin in the last three bytes of this step.
            offset += (step.saturating_sub(magic.len() - 1)).max(1) as u64;
            continue;
        };
        offset += at as u64;
        let mut length = 1;
        if let Some(bytes) = window.frame_at(segment, offset)? {
            budget = budget.saturating_sub(bytes.len() as u64);
            let position = segment.header.position_of(offset);
            if let Some(frame) = frame::verify(bytes, position, segment.header.salt) {
                found.has_frames = true;
                found.durable = frame.durable.filter(|durable| *durable > end);
                if found.durable.is_some() {
                    return Ok(found);
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
    Ok(found)
}

#[cold]
fn damaged(segments: &[Segment], end: Lsn, durable: Lsn) -> Error {
    let behind = segments.iter().find(|segment| segment.header.first > end);
    let place = segments.first().filter(|segment| segment.header.first <= end);
    let place = place.map_or_else(String::new, |segment| {
        let offset = segment.header.offset_of(end);
        format!(" (file {}, offset {offset})", segment.file.path().display())
    });
    let way_on = behind.map_or_else(String::new, |segment| {
        format!(
            "; if a segment before {} is missing, put it back; to go on without what follows, \
             move this one and those behind it away",
            segment.file.path().display()
        )
    });
    Error::corrupt(format!(
        "the log is damaged at {end}{place}: it was durable up to {durable}, \
         and what follows can be read{way_on}"
    ))
}
