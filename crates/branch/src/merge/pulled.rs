//! What the source changed, each change with what the target has in its place.
//!
//! Only keys that the source changed can become something else, so the target is asked for
//! these instead of being compared with the base as a whole. Where there are many changes a
//! helper goes ahead and finds them while the merge writes; what it keeps ready is bounded.
//! Neighbours: `rows` merges, `sides` has the streams for tables whose key changed.

use std::collections::VecDeque;

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::{Arc, Condvar, Mutex, thread, wait};
use pandodb_ds::tree::{Cursor, Tree};

use crate::diff::source::{Changes, RawChange};
use crate::error::{Error, ErrorKind, Result};
use crate::shape::row::Stored;

/// How many changes one thread finds before a helper is started.
const ALONE: usize = if cfg!(test) { 3 } else { 512 };

/// How many changes are handed over at once, at most, and how many of their bytes.
const BATCH_ROWS: usize = if cfg!(test) { 2 } else { 256 };
const BATCH_BYTES: usize = 1 << 20;

/// How many batches wait.
const BATCHES: usize = 4;

/// A row that the source changed.
pub(super) struct Pulled {
    /// What the source did.
    pub(super) theirs: RawChange,
    /// What the target did to the same row.
    pub(super) ours: Option<RawChange>,
}

impl Pulled {
    fn bytes(&self) -> usize {
        let of = |change: &RawChange| {
            let bytes = |row: &Option<Stored>| row.as_ref().map_or(0, |row| row.bytes.len());
            bytes(&change.old) + bytes(&change.new)
        };
        of(&self.theirs) + self.ours.as_ref().map_or(0, of)
    }
}

/// Finds what the source changed.
pub(super) struct Puller {
    pager: Arc<Pager>,
    theirs: Changes,
    /// The rows of the target; none where it has no such table.
    ours: Option<Cursor>,
    /// Whether a row of the target is that of the base where their bytes are equal.
    reads_alike: bool,
    /// The key where that stands.
    key: Vec<u8>,
}

impl Puller {
    /// The changes of the source, and the rows of the target if it has the table: whether those
    /// that have the base's bytes are unchanged is what `reads_alike` says.
    pub(super) fn new(
        pager: &Arc<Pager>,
        theirs: Changes,
        ours: Option<&Tree>,
        reads_alike: bool,
    ) -> Self {
        let ours = ours.map(|tree| Cursor::new(Arc::clone(pager), tree.clone()));
        Self { pager: Arc::clone(pager), theirs, ours, reads_alike, key: Vec::new() }
    }

    fn next(&mut self) -> Result<Option<Pulled>> {
        let Some(theirs) = self.theirs.next_change()? else { return Ok(None) };
        let ours = self.change_of_ours(&theirs)?;
        Ok(Some(Pulled { theirs, ours }))
    }

    /// What the target did to a row that the source changed.
    fn change_of_ours(&mut self, theirs: &RawChange) -> Result<Option<RawChange>> {
        let Some(cursor) = &mut self.ours else { return Ok(None) };
        let mut found = None;
        if cursor.seek(&theirs.key)? {
            cursor.read_key(&mut self.key);
            if self.key == theirs.key {
                found = cursor.found()?.map(|row| row.bytes(&self.pager)).transpose()?;
            }
        }
        let is_equal = found.as_deref() == theirs.old.as_ref().map(|row| row.bytes.as_slice());
        if is_equal && (self.reads_alike || found.is_none()) {
            return Ok(None);
        }
        let key = theirs.key.clone();
        let new = found.map(|bytes| Stored { key: key.clone(), bytes: bytes.into_owned() });
        Ok(Some(RawChange { key, old: theirs.old.clone(), new }))
    }

    /// The next changes; fewer than there may be at the end.
    fn batch(&mut self) -> Result<Vec<Pulled>> {
        let (mut batch, mut bytes) = (Vec::with_capacity(BATCH_ROWS), 0);
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let Some(pulled) = self.next()? else { break };
            bytes += pulled.bytes();
            batch.push(pulled);
        }
        Ok(batch)
    }
}

/// Calls `merge` with everything that the source changed, in the order of the keys; a helper may
/// go ahead.
pub(super) fn for_each(
    mut puller: Puller,
    may_help: bool,
    mut merge: impl FnMut(Pulled) -> Result<()>,
) -> Result<()> {
    let alone = if may_help { ALONE } else { usize::MAX };
    for _ in 0..alone {
        let Some(pulled) = puller.next()? else { return Ok(()) };
        merge(pulled)?;
    }
    let ahead = Ahead { puller: Mutex::new(Some(puller)), ..Ahead::default() };
    thread::scope(|scope| {
        let _closing = Closing(&ahead);
        let builder = thread::Builder::new().name("pando-merge".to_owned());
        if builder.spawn_scoped(scope, || ahead.fill()).is_err() {
            // Without a thread this one does it.
            let puller = ahead.puller.lock().take();
            return puller.map_or(Ok(()), |puller| for_each(puller, false, merge));
        }
        while let Some(batch) = ahead.take()? {
            batch.into_iter().try_for_each(&mut merge)?;
        }
        Ok(())
    })
}

/// What a helper and the merge share.
#[derive(Default)]
struct Ahead {
    puller: Mutex<Option<Puller>>,
    ready: Mutex<Ready>,
    changed: Condvar,
}

#[derive(Default)]
struct Ready {
    batches: VecDeque<Vec<Pulled>>,
    /// How it ended.
    end: Option<Result<()>>,
    /// Nobody takes any more.
    is_closed: bool,
}

impl Ahead {
    /// The helper's work.
    fn fill(&self) {
        let _ending = Ending(self);
        let Some(mut puller) = self.puller.lock().take() else { return };
        loop {
            let batch = puller.batch();
            let mut ready = self.ready.lock();
            while ready.batches.len() >= BATCHES && !ready.is_closed {
                ready = wait(&self.changed, ready);
            }
            match batch {
                _ if ready.is_closed => return,
                Ok(batch) if batch.is_empty() => ready.end = Some(Ok(())),
                Ok(batch) => ready.batches.push_back(batch),
                Err(error) => ready.end = Some(Err(error)),
            }
            self.changed.notify_all();
            if ready.end.is_some() {
                return;
            }
        }
    }

    /// The next batch; none at the end.
    fn take(&self) -> Result<Option<Vec<Pulled>>> {
        let mut ready = self.ready.lock();
        loop {
            if let Some(batch) = ready.batches.pop_front() {
                self.changed.notify_all();
                return Ok(Some(batch));
            }
            if let Some(end) = ready.end.take() {
                return end.map(|()| None);
            }
            ready = wait(&self.changed, ready);
        }
    }
}

/// Lets the helper go when the merge does.
struct Closing<'a>(&'a Ahead);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.ready.lock().is_closed = true;
        self.0.changed.notify_all();
    }
}

/// Sees to it that nobody waits for a helper that is gone, whatever ended it.
struct Ending<'a>(&'a Ahead);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut ready = self.0.ready.lock();
        if ready.end.is_none() {
            let message = "the helper of a merge ended before its work";
            ready.end = Some(Err(Error::new(ErrorKind::Transaction, message)));
        }
        self.0.changed.notify_all();
    }
}

// Neighbours: `rows`, `sides`.
