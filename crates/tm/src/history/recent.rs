//! The history of a database in memory: its newest commits, each with the versions it replaced.
//!
//! There is no log to replay, and none is needed: a version is a root, and what two versions share
//! is there once. So each commit leaves a note of who made it, and the versions that it replaced
//! stay as long as the retention and the bound of its bytes allow. What keeping a version costs is
//! the pages that the commit after it copied to change them; that is what is counted. The notes are
//! small and stay longer, up to a number of them. Neighbours: `transaction::commit` notes,
//! `rebuild` asks.

use std::collections::VecDeque;

use pandodb_ds::sync::{Arc, Mutex, MutexGuard};
use rustc_hash::FxHashMap;

use super::{Moment, Retention};
use crate::error::{Error, ErrorKind, Result};
use crate::heads::HeadVersion;
use crate::ids::{CommitId, HeadId, Lsn};

/// Bytes of copied pages whose older versions are kept where nobody asks for another number.
pub(crate) const DEFAULT_BYTES: u64 = 16 << 20;

/// What a commit takes itself, about.
const NOTE_BYTES: usize = 256;

/// Notes that are kept at most.
const NOTES_MAX: usize = if cfg!(test) { 20 } else { 10_000 };

/// A commit of a database in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentCommit {
    /// Its number.
    pub commit: CommitId,
    /// When it was made, in microseconds since 1970.
    pub time: i64,
    /// Who made it.
    pub author: Box<str>,
    /// Why.
    pub message: Box<str>,
    /// What the crates above said of it.
    pub flags: u64,
    /// The heads that it moved.
    pub parts: Vec<RecentPart>,
}

/// What a commit did to one head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentPart {
    /// The head.
    pub head: HeadId,
    /// The commit that it stood on.
    pub base: CommitId,
    /// How many keys were written or removed; none for one that was too large to count.
    pub operations: Option<u64>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The oldest commit whose versions are all there, and its time.
    floor: (CommitId, i64),
    notes: VecDeque<Arc<RecentCommit>>,
    /// The commits after the floor: what keeping the versions before each costs.
    kept: VecDeque<(CommitId, i64, usize)>,
    bytes: usize,
    /// For each head the versions that commits after the floor replaced, oldest first, each with
    /// the commit that did.
    versions: FxHashMap<HeadId, VecDeque<(CommitId, Arc<HeadVersion>)>>,
}

impl Recent {
    /// A history that begins at a commit.
    pub(crate) fn new(commit: CommitId, time: i64) -> Self {
        let recent = Self::default();
        recent.begin_at(commit, time);
        recent
    }

    /// Lets the history begin at a commit: what was before is not kept.
    pub(crate) fn begin_at(&self, commit: CommitId, time: i64) {
        *self.state.lock() = State { floor: (commit, time), ..State::default() };
    }

    /// Notes a commit in its turn, which replaces `replaced` and copied pages of so many bytes.
    pub(crate) fn note(
        &self,
        retention: Retention,
        commit: RecentCommit,
        replaced: impl Iterator<Item = Arc<HeadVersion>>,
        bytes: usize,
    ) {
        let mut state = self.state.lock();
        let (number, time) = (commit.commit, commit.time);
        for version in replaced {
            let versions = state.versions.entry(version.head).or_default();
            // Of several steps of one commit only the first replaced what was there before it.
            if versions.back().is_none_or(|(by, _)| *by < number) {
                versions.push_back((number, version));
            }
        }
        let bytes = bytes + NOTE_BYTES;
        state.kept.push_back((number, time, bytes));
        state.bytes += bytes;
        if !commit.parts.is_empty() {
            if state.notes.len() >= NOTES_MAX {
                state.notes.pop_front();
            }
            state.notes.push_back(Arc::new(commit));
        }
        state.trim(retention, time);
    }

    fn trimmed(&self, retention: Retention, now: i64) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.trim(retention, now);
        state
    }

    /// What keeping the older versions costs.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// The commits that are known, oldest first.
    pub(crate) fn commits(&self) -> Vec<Arc<RecentCommit>> {
        self.state.lock().notes.iter().cloned().collect()
    }

    /// The oldest moment that can be asked for.
    pub(crate) fn oldest(&self, retention: Retention, now: i64) -> Moment {
        let (commit, time) = self.trimmed(retention, now).floor;
        Moment { commit, time, position: Lsn::ZERO }
    }

    /// The version of a head as a commit left it, if a later one replaced it.
    pub(crate) fn version_at(
        &self,
        retention: Retention,
        now: i64,
        (head, commit): (HeadId, CommitId),
    ) -> Result<Arc<HeadVersion>> {
        let state = self.trimmed(retention, now);
        if commit < state.floor.0 {
            let message = format!(
                "{commit} is older than the history that is kept: the oldest is {} \
                 (see PRAGMA history_retention)",
                state.floor.0
            );
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let versions = state.versions.get(&head);
        let found = versions.and_then(|all| {
            let (_, version) = all.get(all.partition_point(|(by, _)| *by <= commit))?;
            (version.commit <= commit).then(|| Arc::clone(version))
        });
        found.ok_or_else(|| {
            let message = format!("head {} did not exist at {commit}", head.0);
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// The newest commit at a time or before.
    pub(crate) fn commit_at(&self, retention: Retention, now: i64, time: i64) -> Result<CommitId> {
        let state = self.trimmed(retention, now);
        if time < state.floor.1 {
            let message = format!(
                "the history begins at {} microseconds after 1970, {} before that is asked for \
                 (see PRAGMA history_retention)",
                state.floor.1,
                state.floor.1.saturating_sub(time)
            );
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let later = state.kept.partition_point(|(_, at, _)| *at <= time);
        Ok(later.checked_sub(1).map_or(state.floor.0, |last| state.kept[last].0))
    }
}

impl State {
    /// Gives up what the retention does not cover any more.
    fn trim(&mut self, retention: Retention, now: i64) {
        let oldest = retention
            .time
            .map(|time| now.saturating_sub(i64::try_from(time.as_micros()).unwrap_or(i64::MAX)));
        let most = retention.log_bytes.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        let floor = self.floor;
        while let Some(&(commit, time, bytes)) = self.kept.front() {
            let is_old = oldest.is_some_and(|oldest| time <= oldest);
            let is_much = most.is_some_and(|most| self.bytes > most || most == 0);
            if !is_old && !is_much {
                break;
            }
            self.kept.pop_front();
            self.bytes -= bytes;
            self.floor = (commit, time);
        }
        if self.floor == floor {
            return;
        }
        let floor = self.floor.0;
        self.versions.retain(|_, versions| {
            while versions.front().is_some_and(|(by, _)| *by <= floor) {
                versions.pop_front();
            }
            !versions.is_empty()
        });
    }
}
