//! All differences of a table at once, found by several threads where there are many.
//!
//! The first ones are looked for alone: most diffs end there, and a thread costs more than they
//! do. What is left is divided by the counts of the tree into parts of neighbouring keys, which
//! threads claim one after the other; what they make of them is put together in the order of the
//! keys. Neighbours: `rows` finds the differences, `source` divides.

use pandodb_ds::sync::atomic::{AtomicUsize, Ordering};
use pandodb_ds::sync::{Mutex, thread};

use super::rows::{LentDifference, RowDiff};
use crate::error::Result;

/// How many differences one thread looks for before others help.
const ALONE: usize = if cfg!(test) { 4 } else { 512 };

/// Parts for each thread, so that all end at about the same time.
const PARTS_PER_THREAD: u64 = 8;

/// What threads share: parts that nobody has begun, and what became of the others.
struct Parts<T> {
    waiting: Vec<Mutex<Option<RowDiff>>>,
    next: AtomicUsize,
    done: Vec<Mutex<Option<Result<Vec<T>>>>>,
}

impl RowDiff {
    /// Calls `look` with every difference and gathers what it makes of them, in the order of the
    /// keys; with up to `helpers` more threads.
    pub fn gather<T: Send>(
        mut self,
        helpers: usize,
        look: impl Fn(&LentDifference<'_>, &mut Vec<T>) -> Result<()> + Sync,
    ) -> Result<Vec<T>> {
        let (mut all, mut last) = (Vec::new(), Vec::new());
        for _ in 0..ALONE {
            let looked = self.next_with(|difference| {
                last.clear();
                last.extend_from_slice(difference.matched_by());
                look(difference, &mut all)
            })?;
            if looked.is_none() {
                return Ok(all);
            }
        }
        let count = if helpers == 0 { 0 } else { (helpers as u64 + 1) * PARTS_PER_THREAD };
        let parts = if count == 0 { Vec::new() } else { self.divide(&last, count)? };
        if parts.is_empty() {
            while self.next_with(|difference| look(difference, &mut all))?.is_some() {}
            return Ok(all);
        }
        drop(self);
        let parts = Parts {
            next: AtomicUsize::new(0),
            done: parts.iter().map(|_| Mutex::new(None)).collect(),
            waiting: parts.into_iter().map(|part| Mutex::new(Some(part))).collect(),
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                let builder = thread::Builder::new().name("pando-diff".to_owned());
                // Without a thread its work stays with the others.
                let _ = builder.spawn_scoped(scope, || parts.work(&look));
            }
            parts.work(&look);
        });
        for part in parts.done {
            // Behind a part that failed there may be some that nobody began.
            let Some(found) = part.into_inner() else { break };
            all.append(&mut found?);
        }
        Ok(all)
    }
}

impl<T> Parts<T> {
    /// Does parts until none is left, or one fails.
    fn work(&self, look: &impl Fn(&LentDifference<'_>, &mut Vec<T>) -> Result<()>) {
        loop {
            // Relaxed: a count; what was done is behind locks, and the scope waits for all.
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = self.waiting.get(number).and_then(|part| part.lock().take()) else {
                return;
            };
            let found = find(part, look);
            if found.is_err() {
                self.next.store(self.waiting.len(), Ordering::Relaxed);
            }
            if let Some(place) = self.done.get(number) {
                *place.lock() = Some(found);
            }
        }
    }
}

fn find<T>(
    mut part: RowDiff,
    look: &impl Fn(&LentDifference<'_>, &mut Vec<T>) -> Result<()>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    while part.next_with(|difference| look(difference, &mut found))?.is_some() {}
    Ok(found)
}

// Neighbours: `rows`, `source`.
