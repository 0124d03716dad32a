//! Versions of the past that were rebuilt not long ago: the next question about the same moment
//! finds them.
//!
//! To rebuild a version is to read the log from the kept root before it. A version that is kept
//! also keeps the space that was given up since, so only a few are, and only for seconds: they
//! go when they are asked for later than that, and with the next commit or branch statement
//! after it ([`Branches::let_go`]). Neighbours: `moments` asks.

use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{Arc, Mutex};
use pandodb_tm::{CommitId, HeadId, PastVersion};

use super::Branches;

/// How many versions are kept.
const KEPT_MAX: usize = 4;
/// How long, in microseconds, after they were asked for last.
const KEPT_MICROS: i64 = 5_000_000;
/// How many answers of [`Branches::commit_at`] are remembered; each is two numbers.
const TIMES_MAX: usize = 64;

/// So long ago a time must be that no commit of it can still be on its way.
const SETTLED_MICROS: i64 = 1_000_000;

#[derive(Debug)]
struct Known {
    head: HeadId,
    commit: CommitId,
    asked: i64,
    version: Arc<PastVersion>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Whether any version is kept.
    is_used: AtomicBool,
    versions: Mutex<Vec<Known>>,
    times: Mutex<Vec<(i64, CommitId)>>,
}

impl Branches {
    /// The version of a head that a commit left.
    pub(super) fn past_version(
        &self,
        head: HeadId,
        commit: CommitId,
    ) -> pandodb_tm::Result<Arc<PastVersion>> {
        let now = self.now();
        // What is not kept any more is not answered from here either.
        let is_kept =
            self.manager.history_span()?.is_some_and(|(oldest, _)| oldest.commit <= commit);
        if is_kept {
            let mut versions = self.past.versions.lock();
            let found = versions.iter_mut().find(|it| it.head == head && it.commit == commit);
            if let Some(known) = found {
                known.asked = now;
                return Ok(Arc::clone(&known.version));
            }
        }
        let version = Arc::new(self.manager.version_at(head, commit)?);
        if is_kept {
            let mut versions = self.past.versions.lock();
            versions.retain(|it| it.asked.saturating_add(KEPT_MICROS) > now);
            if versions.len() >= KEPT_MAX {
                versions.remove(0);
            }
            versions.push(Known { head, commit, asked: now, version: Arc::clone(&version) });
            // Relaxed: whoever misses it lets go a commit later.
            self.past.is_used.store(true, Ordering::Relaxed);
        }
        Ok(version)
    }

    /// The newest commit at or before a time that is over.
    pub(super) fn commit_at(&self, time: i64) -> pandodb_tm::Result<CommitId> {
        let oldest = self.manager.history_span()?.map(|(oldest, _)| oldest);
        let found = {
            let times = self.past.times.lock();
            times.iter().find(|(known, _)| *known == time).map(|(_, commit)| *commit)
        };
        // Times of commits ascend, so what was true of a time that is over stays so.
        if let Some(commit) = found
            && oldest.is_some_and(|oldest| oldest.time <= time && oldest.commit <= commit)
        {
            return Ok(commit);
        }
        let commit = self.manager.commit_at(time)?;
        if time.saturating_add(SETTLED_MICROS) > self.now() {
            return Ok(commit);
        }
        let mut times = self.past.times.lock();
        if times.len() >= TIMES_MAX {
            times.clear();
        }
        times.push((time, commit));
        Ok(commit)
    }

    /// Lets go of versions of the past that nobody has asked for lately; as good as free where
    /// there are none.
    pub fn let_go(&self) {
        if !self.past.is_used.load(Ordering::Relaxed) {
            return;
        }
        let now = self.now();
        let mut versions = self.past.versions.lock();
        versions.retain(|it| it.asked.saturating_add(KEPT_MICROS) > now);
        if versions.is_empty() {
            self.past.is_used.store(false, Ordering::Relaxed);
        }
    }

    /// How many versions are kept.
    #[cfg(test)]
    pub(super) fn kept_versions(&self) -> usize {
        self.past.versions.lock().len()
    }
}
