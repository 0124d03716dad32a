//! Points in time: from a time, a number or a tag to the data of that moment.
//!
//! Every committed transaction is such a point, as far back as history is kept; tags and the
//! moments that merges need are kept beyond that. A branch's past goes on in the branch that it
//! left. Neighbours: the transaction layer rebuilds versions, `life` makes branches of them.

use std::fmt;

use pandodb_ds::forest::Forest;
use pandodb_ds::sync::Arc;
use pandodb_tm::{BeginOptions, CommitId, HeadId, PastVersion, Transaction};

use super::{Branches, State};
use crate::error::{Error, ErrorKind, Result};
use crate::lineage::Position;
use crate::registry::records::{Branch, Tag};

/// How far ahead of the clock a time may be: people and programs round seconds.
const FUTURE_MICROS: i64 = 1_000_000;

/// A moment in a branch's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Point {
    /// Its newest commit.
    #[default]
    Now,
    /// The newest commit at or before this time, in microseconds since 1970.
    Time(i64),
    /// Right after this commit, also where the branch has it from another one by a merge; for one
    /// that it does not have, as it was then, or an error (`TRANSACTION n`, see
    /// [`view_own`](Branches::view_own)).
    Commit(u64),
    /// As it was when this was the newest commit of the whole database (`SCN n`).
    Number(u64),
    /// What the tag stands for, on whichever branch.
    Tag(String),
    /// Where the branch stood before a reset: the number of a reflog entry.
    Reflog(u64),
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Time(micros) => write!(f, "the time {}", Utc(*micros)),
            Self::Commit(commit) => write!(f, "transaction {commit}"),
            Self::Number(number) => write!(f, "number {number}"),
            Self::Tag(tag) => write!(f, "tag '{tag}'"),
            Self::Reflog(number) => write!(f, "reflog entry {number}"),
        }
    }
}

/// Microseconds since 1970 as people write a time, in UTC and to the millisecond.
struct Utc(i64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.div_euclid(1000);
        let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        // Years that begin in March put the leap day last; 400 of them are 146,097 days.
        let since = days + 719_468;
        let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = match month {
            0..10 => (era * 400 + year, month + 3),
            _ => (era * 400 + year + 1, month - 9),
        };
        let (seconds, millis) = (of_day / 1000, of_day % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
    }
}

/// A moment's data, kept as long as this lives.
#[derive(Debug)]
pub struct View {
    position: Position,
    source: Source,
    is_branch: bool,
}

#[derive(Debug)]
enum Source {
    /// A head that stands there, and a transaction that keeps what it sees.
    Head(HeadId, Box<Transaction>),
    /// A version that was rebuilt.
    Past(Arc<PastVersion>),
    /// Before everything.
    Nothing,
}

impl View {
    /// The data before the first commit.
    pub(super) fn nothing() -> Self {
        let position = Position { line: crate::lineage::LineId(0), commit: 0 };
        Self { position, source: Source::Nothing, is_branch: false }
    }

    /// Which moment it is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// All trees; they must not outlive the view.
    pub fn forest(&self) -> Forest {
        match &self.source {
            Source::Head(_, transaction) => transaction.forest(),
            Source::Past(past) => past.version().forest.clone(),
            Source::Nothing => Forest::new(),
        }
    }

    /// The head that stands there, if one does: reads go through a transaction on it.
    pub fn head(&self) -> Option<HeadId> {
        match &self.source {
            Source::Head(head, _) => Some(*head),
            Source::Past(_) | Source::Nothing => None,
        }
    }

    /// Whether its head is that of a branch, which may move on.
    pub(crate) fn is_branch(&self) -> bool {
        self.is_branch
    }
}

impl Branches {
    /// The data of a branch at a moment.
    pub fn view(&self, branch: &str, at: &Point) -> Result<View> {
        let (branch, tag, entry) = self.with(|state| {
            let branch = state.branch(branch).cloned();
            let tag = match at {
                Point::Tag(tag) => Some(state.tag(tag).cloned()),
                _ => None,
            };
            let entry = match at {
                Point::Reflog(number) => state.reflog.get(number).cloned(),
                _ => None,
            };
            (branch, tag, entry)
        })?;
        let branch = branch?;
        match at {
            Point::Now => self.view_now(&branch),
            Point::Time(time) => {
                let now = self.now();
                if *time > now.saturating_add(FUTURE_MICROS) {
                    return Err(not_yet(at, now));
                }
                if *time >= now {
                    return self.view_now(&branch);
                }
                let commit = self.commit_at(*time);
                let commit = commit.map_err(|cause| self.not_retained(at, &cause))?;
                self.view_commit(&branch, commit.0, false)
            }
            Point::Commit(commit) => self.view_commit(&branch, *commit, true),
            Point::Number(number) => self.view_commit(&branch, *number, false),
            Point::Tag(_) => match tag {
                Some(tag) => tag.and_then(|tag| self.view_head(HeadId(tag.head), tag.position)),
                None => self.view_now(&branch),
            },
            Point::Reflog(number) => {
                let entry = entry.filter(|entry| entry.branch == branch.id).ok_or_else(|| {
                    let name = &branch.name;
                    let message = format!("the branch '{name}' has no reflog entry {number}");
                    Error::new(ErrorKind::UnknownCommit, message)
                })?;
                self.view_head(HeadId(entry.head), entry.position)
            }
        }
    }

    /// As [`view`](Self::view), for what stays (a branch, a tag, where a branch goes): a commit is
    /// one that the branch has, or had before a reset, and an error else. A number that is nobody's
    /// commit (of making a branch, say) is the branch as it was then.
    pub fn view_own(&self, branch: &str, at: &Point) -> Result<View> {
        if let Point::Commit(number) = at
            && let Some(before) = self.before_reset(&self.get(branch)?, *number)?
        {
            return self.view_at(before);
        }
        self.view(branch, at)
    }

    /// Where a branch was at a commit that a reset took from it; none of one that it has.
    fn before_reset(&self, branch: &Branch, number: u64) -> Result<Option<Position>> {
        let commit = match self.commit(number) {
            Err(error)
                if matches!(error.kind(), ErrorKind::UnknownCommit | ErrorKind::NotRetained) =>
            {
                return Ok(None);
            }
            commit => commit?,
        };
        let parts = commit.parts();
        for part in &parts {
            if self.has_commit(branch, part)? {
                return Ok(None);
            }
        }
        let is_own = parts.iter().any(|part| part.head == branch.head);
        let line = self.with(|state| state.line_with(branch.head, number))?.filter(|_| is_own);
        if let Some(line) = line {
            return Ok(Some(Position { line, commit: number }));
        }
        let message = format!("the branch '{}' has no transaction {number}", branch.name);
        let hint = format!("SCN {number} is the branch as it was then; SHOW COMMITS lists its own");
        Err(Error::new(ErrorKind::UnknownCommit, message).with_hint(hint))
    }

    /// What a tag names, also once its branch is gone.
    pub fn tag_view(&self, tag: &Tag) -> Result<View> {
        self.view_head(HeadId(tag.head), tag.position)
    }

    pub(super) fn view_now(&self, branch: &Branch) -> Result<View> {
        let head = HeadId(branch.head);
        let begun = self.manager.begin(head, BeginOptions::read_only());
        let transaction = self.found(head, begun)?;
        let position = Position { line: branch.line, commit: transaction.base_commit().0 };
        Ok(View { position, source: Source::Head(head, Box::new(transaction)), is_branch: true })
    }

    pub(super) fn view_head(&self, head: HeadId, position: Position) -> Result<View> {
        let begun = self.manager.begin(head, BeginOptions::read_only());
        let transaction = self.found(head, begun)?;
        Ok(View { position, source: Source::Head(head, Box::new(transaction)), is_branch: false })
    }

    fn view_commit(&self, branch: &Branch, commit: u64, is_exact: bool) -> Result<View> {
        let newest = self.manager.progress().commit.0;
        if commit > newest {
            let message = format!("there is no transaction {commit} yet");
            let error = Error::new(ErrorKind::UnknownCommit, message);
            return Err(error.with_hint(format!("the newest one is {newest}")));
        }
        if commit >= self.position(branch)?.commit {
            return self.view_now(branch);
        }
        let mut position = self.with(|state| place_of(state, branch, commit))?;
        if is_exact && let Some(made) = self.made(branch, position)? {
            position = made;
        }
        self.view_at(position)
    }

    /// Where a commit was made that a branch has; none where it has no such commit. Of several
    /// parts that one commit has, its own: the branch's, or that of the line that it was on.
    fn made(&self, branch: &Branch, own: Position) -> Result<Option<Position>> {
        let newest = self.position(branch)?;
        let held = self.with(|state| {
            let clock = state.graph.clock(newest);
            // A head has had several lines if it was reset: only one of them made the commit.
            let held = clock.iter().filter_map(|at| {
                let is_held = state.start_of(at.line) < own.commit && own.commit <= at.commit;
                let head = state.graph.line(at.line)?.head;
                is_held.then_some((head, Position { line: at.line, commit: own.commit }))
            });
            held.collect::<Vec<_>>()
        })?;
        if held.iter().all(|(_, there)| *there == own) {
            return Ok(held.first().map(|(_, there)| *there));
        }
        let made = match self.commit(own.commit) {
            Err(error)
                if matches!(error.kind(), ErrorKind::UnknownCommit | ErrorKind::NotRetained) =>
            {
                return Ok(None);
            }
            made => made?,
        };
        let parts = held.into_iter().filter(|(head, _)| {
            made.head == *head || made.others.iter().any(|part| part.head == *head)
        });
        let part = parts.min_by_key(|(head, there)| (*head != branch.head, *there != own));
        Ok(part.map(|(_, there)| there))
    }

    /// The data of a position: from the head that keeps it, or rebuilt.
    pub fn view_at(&self, position: Position) -> Result<View> {
        let (position, kept, head, branch) = self.with_index(|state| {
            let position = state.graph.normalized(position);
            let line = state.graph.line(position.line);
            let branch = line.and_then(|line| state.branch_of(line.head));
            let branch = branch.filter(|branch| branch.line == position.line).cloned();
            let head = line.map(|line| HeadId(line.head));
            (position, state.head_at(position).map(HeadId), head, branch)
        })?;
        if let Some(head) = kept {
            match self.view_head(head, position) {
                // Nobody needs it any more: it is rebuilt, if that is still possible.
                Err(error) if error.kind() == ErrorKind::Moved => {}
                view => return view,
            }
        }
        let head = head.ok_or_else(|| {
            let message = format!("the branch of transaction {} is gone", position.commit);
            Error::new(ErrorKind::NotRetained, message)
        })?;
        // Where the branch still stands there; it may move at any time.
        if let Some(branch) = branch {
            let view = self.view_now(&branch)?;
            if view.position().commit == position.commit {
                return Ok(view);
            }
        }
        let past = self.past_version(head, CommitId(position.commit));
        let past =
            past.map_err(|cause| self.not_retained(&Point::Commit(position.commit), &cause))?;
        Ok(View { position, source: Source::Past(past), is_branch: false })
    }

    /// The oldest moment that can be asked for: its commit and its time.
    pub fn oldest(&self) -> Result<Option<(u64, i64)>> {
        let span = self.manager.history_span()?;
        Ok(span.map(|(oldest, _)| (oldest.commit.0, oldest.time)))
    }

    fn not_retained(&self, at: &Point, cause: &pandodb_tm::Error) -> Error {
        if cause.kind() != pandodb_tm::ErrorKind::NotFound {
            return Error::from(cause.clone());
        }
        match self.oldest().ok().flatten() {
            Some(oldest) if is_before(at, oldest) => too_old(at, oldest),
            Some(_) => {
                let message = format!("{at} cannot be shown: {}", cause.message());
                let hint = "what is committed after the next checkpoint can be, and tags always; \
                            SHOW COMMITS lists what a branch has";
                Error::new(ErrorKind::NotRetained, message).with_hint(hint)
            }
            None => {
                let message = format!("{at} is before what is kept");
                let hint = format!("{}; tags are kept always", cause.message());
                Error::new(ErrorKind::NotRetained, message).with_hint(hint)
            }
        }
    }

    /// The error of a commit that nobody knows. In memory the oldest are forgotten.
    pub(super) fn no_commit(&self, commit: u64) -> Result<Error> {
        if commit > 0 && self.manager.is_in_memory() {
            let at = Point::Commit(commit);
            if let Some(oldest) = self.oldest()?.filter(|oldest| is_before(&at, *oldest)) {
                return Ok(too_old(&at, oldest));
            }
        }
        let message = format!("there is no transaction {commit}");
        let error = Error::new(ErrorKind::UnknownCommit, message);
        Ok(error.with_hint("SHOW COMMITS ON a branch lists them"))
    }
}

/// Whether a moment lies before the oldest that is kept.
fn is_before(at: &Point, (commit, time): (u64, i64)) -> bool {
    match at {
        Point::Commit(asked) | Point::Number(asked) => *asked < commit,
        Point::Time(asked) => *asked < time,
        Point::Now | Point::Tag(_) | Point::Reflog(_) => false,
    }
}

/// The error of a moment before the oldest that is kept.
#[cold]
fn too_old(at: &Point, (commit, time): (u64, i64)) -> Error {
    let message = format!("{at} is before what is kept");
    let hint = format!(
        "the oldest is transaction {commit}, of {}; \
         PRAGMA history_retention keeps more from now on",
        Utc(time)
    );
    Error::new(ErrorKind::NotRetained, message).with_hint(hint)
}

/// The error of a time that nobody has a version of.
#[cold]
fn not_yet(at: &Point, now: i64) -> Error {
    let message = format!("{at} has not come yet");
    let hint = format!("it is {} (UTC); AS OF NOW is the newest version", Utc(now));
    Error::new(ErrorKind::UnknownCommit, message).with_hint(hint)
}

/// On which line a branch was when `commit` was the newest, and where: resets moved it from one
/// line to the next.
fn place_of(state: &State, branch: &Branch, commit: u64) -> Position {
    let entries = state.reflog.values().filter(|entry| entry.branch == branch.id);
    let mut before = entries.filter(|entry| entry.position.commit >= commit);
    let line = before.next().map_or(branch.line, |entry| entry.position.line);
    let mut position = Position { line, commit };
    // Before it left its parent, its past is the parent's.
    while let Some(parent) = state.graph.line(position.line).and_then(|line| line.parent)
        && commit < parent.commit
    {
        position.line = parent.line;
    }
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        for (micros, text) in [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_399_999_999, "2000-02-28 23:59:59.999"),
            (951_782_400_000_000, "2000-02-29 00:00:00.000"),
            (1_795_304_631_452_265, "2026-11-21 23:43:51.452"),
            (-1, "1969-12-31 23:59:59.999"),
            (4_107_542_400_000_000, "2100-03-01 00:00:00.000"),
        ] {
            assert_eq!(Utc(micros).to_string(), text);
        }
    }
}
