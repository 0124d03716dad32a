//! The closed segments that archive mode keeps: what is there, and removing what is too old.
//!
//! An archived segment is an ordinary one that was not recycled: a [`Reader`](super::Reader)
//! from an older position walks through all of them and on into the live ones. That is
//! what points in time and incremental copies of the log are made of. Neighbours: `writer`
//! leaves the files here, `reader` reads them.

use std::path::{Path, PathBuf};

use pandodb_ds::vfs::{OpenMode, Vfs};

use super::segment::{self, DatabaseId, Header};
use super::writer::InHand;
use crate::error::Result;
use crate::ids::Lsn;

/// A segment that holds transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedSegment {
    /// Its place in the sequence.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// Its first log position.
    pub first: Lsn,
    /// The first position of the segment that follows; none for the newest one.
    pub end: Option<Lsn>,
}

/// The segments of a log, oldest first, the live ones included.
pub fn segments(vfs: &dyn Vfs, database: &Path, id: DatabaseId) -> Result<Vec<ArchivedSegment>> {
    let mut found: Vec<ArchivedSegment> = Vec::new();
    for (number, path) in segment::list(vfs, database)? {
        let file = vfs.open(&path, OpenMode::Read)?;
        let header = Header::read(&*file)?;
        let Some(header) = header.filter(|h| h.number == number && h.database == id) else {
            continue;
        };
        if let Some(before) = found.last_mut() {
            before.end = Some(header.first);
        }
        found.push(ArchivedSegment { number, path, first: header.first, end: None });
    }
    Ok(found)
}

/// Removes segments that end at or before `position`; returns how many.
///
/// `position` must not be after the start of recovery: the newest checkpoint's. `in_hand` is what
/// the writer had when it gave up what is before `position`: where the newest segment ends, which
/// its file alone does not tell, and which segments are its own. One of those may end at
/// `position` by now, because the writer went on to the next: it is given up by the next
/// checkpoint, which must find it. A crash may bring removed files back unless the directory is
/// synced.
pub fn prune(
    vfs: &dyn Vfs,
    database: &Path,
    id: DatabaseId,
    position: Lsn,
    in_hand: InHand,
) -> Result<usize> {
    let mut removed = 0;
    for segment in segments(vfs, database, id)? {
        let closed_end = in_hand.closed_end.filter(|end| *end > segment.first);
        let is_in_hand = segment.number >= in_hand.first;
        if is_in_hand || segment.end.or(closed_end).is_none_or(|end| end > position) {
            break;
        }
        vfs.remove(&segment.path)?;
        removed += 1;
    }
    Ok(removed)
}
