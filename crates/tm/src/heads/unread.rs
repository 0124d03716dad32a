//! The heads of an opened file that nobody has asked for yet.
//!
//! There may be ten thousand, of which a session asks for one. So opening leaves them in the
//! registry, from where they are taken one by one as they are asked for, or all that are left when
//! something needs the whole list: a checkpoint at the latest, for the next registry has other
//! pages. A head is taken once; whoever drops it then need not tell anybody.
//! Neighbours: `heads` takes, `manager::recovery` before there are heads, `manager::rest` all.

use std::ops::ControlFlow;

use pandodb_ds::forest::Forest;
use pandodb_ds::store::{Registry, SavedHead};
use pandodb_ds::sync::Arc;
use rustc_hash::FxHashMap;

use super::{COUNTER, HeadVersion};
use crate::error::{Error, Result};
use crate::ids::{CommitId, HeadId};

/// Bytes of a head's note that this crate uses itself, for the head's newest commit.
pub(crate) const COMMIT_BYTES: usize = 8;

/// Numbers from here on are no heads: they are what the history keeps, and the counter.
pub(crate) const HEADS_END: HeadId = HeadId(1 << 63);

/// A head's note as it is in the file.
pub(crate) fn encode_note(commit: CommitId, note: &[u8]) -> Vec<u8> {
    let mut bytes = commit.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(note);
    bytes
}

/// The newest commit of a head and the note of the crates above.
fn decode_note(bytes: &[u8]) -> Result<(CommitId, &[u8])> {
    let parts = bytes.split_first_chunk::<COMMIT_BYTES>();
    let (commit, note) = parts.ok_or_else(|| Error::corrupt("the note of a head is cut short"))?;
    Ok((CommitId(u64::from_le_bytes(*commit)), note))
}

/// Heads by number, as the file has them.
pub(crate) type SavedVersions = FxHashMap<HeadId, Arc<HeadVersion>>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Unread {
    registry: Registry,
    /// How many heads the registry has.
    all: usize,
    taken: SavedVersions,
}

impl Unread {
    pub(crate) fn new(registry: Registry) -> Result<Self> {
        let all = registry.count_before(HEADS_END)?;
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        Ok(Self { registry, all, taken: FxHashMap::default() })
    }

    /// Where they are.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Whether the file has any heads, taken or not.
    pub(crate) fn has_any(&self) -> bool {
        self.all > 0
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.all.saturating_sub(self.taken.len())
    }

    /// Those that were taken, all of them after [`take_rest`](Self::take_rest).
    pub(crate) fn into_taken(self) -> SavedVersions {
        self.taken
    }

    /// A number that is greater than that of any head which was ever in the file.
    pub(crate) fn next_head(&self) -> Result<u64> {
        let highest = self.registry.last_before(HEADS_END)?.map_or(0, |head| head.id.0);
        let Some(counter) = self.registry.head(COUNTER)? else { return Ok(highest + 1) };
        let next = <[u8; 8]>::try_from(&*counter.note).map(u64::from_le_bytes);
        let next = next.map_err(|_| Error::corrupt("the counter of heads is cut short"))?;
        Ok(next.max(highest + 1))
    }

    /// Takes a head out, if the file has it and it was not taken before.
    pub(crate) fn take(&mut self, head: HeadId) -> Result<Option<Arc<HeadVersion>>> {
        if head >= HEADS_END || self.len() == 0 || self.taken.contains_key(&head) {
            return Ok(None);
        }
        let Some(saved) = self.registry.head(head)? else { return Ok(None) };
        self.keep(&saved).map(Some)
    }

    /// Takes out all that are left.
    pub(crate) fn take_rest(&mut self) -> Result<Vec<Arc<HeadVersion>>> {
        let mut rest = Vec::with_capacity(self.len());
        self.taken.reserve(self.len());
        let registry = self.registry.clone();
        registry.each(HeadId(0), |saved| {
            if saved.id >= HEADS_END {
                return Ok(ControlFlow::Break(()));
            }
            if !self.taken.contains_key(&saved.id) {
                rest.push(self.keep(&saved)?);
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(rest)
    }

    fn keep(&mut self, saved: &SavedHead) -> Result<Arc<HeadVersion>> {
        let version = Arc::new(version_of(saved)?);
        self.taken.insert(saved.id, Arc::clone(&version));
        Ok(version)
    }

    /// The first head with a note of those that were not taken and come before `end`.
    pub(crate) fn first_with(&self, note: &[u8], end: HeadId) -> Result<Option<HeadId>> {
        let end = end.min(HEADS_END);
        let mut found = None;
        self.registry.each(HeadId(0), |saved| {
            if saved.id >= end {
                return Ok(ControlFlow::Break(()));
            }
            if !self.taken.contains_key(&saved.id) && decode_note(&saved.note)?.1 == note {
                found = Some(saved.id);
                return Ok(ControlFlow::Break(()));
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}

fn version_of(saved: &SavedHead) -> Result<HeadVersion> {
    // Its trees are looked up when somebody asks for the head.
    let forest = Forest::unread(saved.directory)?;
    let (commit, note) = decode_note(&saved.note)?;
    Ok(HeadVersion { head: saved.id, commit, forest, note: Arc::from(note) })
}
