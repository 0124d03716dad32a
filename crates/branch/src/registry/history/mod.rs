//! The commits of a branch: who, when, why.
//!
//! The log has all of it as long as it is kept; from there commits are collected into a tree of
//! the system head, so that they can still be listed when their data is gone. Neighbours:
//! `moments` finds the data of a commit, `parents` which listed commit it stands on.

mod parents;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Diff;
use pandodb_tm::wal::{LoggedTransaction, Operation};
use pandodb_tm::{CommitId, HeadId, Lsn, RecentCommit, TreeId};

use crate::error::{Error, ErrorKind, Result};
use crate::lineage::Position;
use crate::registry::records::{Branch, Commit, CommitPart, decode, encode};
use crate::registry::{Branches, COMMITS, View};

/// Commits that are collected at once.
const BATCH: usize = 4096;

/// Rows (trees with keys) and the commits that changed them.
pub(in crate::registry) type RowCommits = BTreeMap<(TreeId, Vec<u8>), Vec<u64>>;

impl Branches {
    /// Reads what the log has of commits since the last time.
    ///
    /// Nobody waits for it: while a transaction holds a merge, and with it the right to change
    /// the records, they are kept in memory until the next time.
    pub fn collect(&self) -> Result<()> {
        match self.unhurried().collect_to_records() {
            Err(error) if error.is_busy() => {
                let from = self.with(|state| Lsn(state.counters.collected))?;
                let oldest = self.manager.history_span()?.map_or(from, |(it, _)| it.position);
                let (found, _) = self.read_commits(from.max(oldest), usize::MAX)?;
                let found = found.into_iter().map(|commit| (commit.commit, commit));
                *self.uncollected.lock() = Some(found.collect());
                Ok(())
            }
            collected => collected,
        }
    }

    fn collect_to_records(&self) -> Result<()> {
        if let Some(recent) = self.manager.recent_commits() {
            self.take_recent(&recent);
            return Ok(());
        }
        let Some((oldest, _)) = self.manager.history_span()? else { return Ok(()) };
        if self.manager.is_read_only() {
            return self.collect_in_memory(oldest.position);
        }
        loop {
            let from = self.with(|state| Lsn(state.counters.collected))?.max(oldest.position);
            let (found, position) = self.read_commits(from, BATCH)?;
            if found.is_empty() {
                *self.uncollected.lock() = None;
                return Ok(());
            }
            self.update_lazily(|change| {
                for commit in &found {
                    let key = rowid_key(commit.commit as i64);
                    change.transaction.put(COMMITS, &key, &encode(commit)?)?;
                }
                change.counters.collected = position.0;
                Ok(())
            })?;
            if found.len() < BATCH {
                *self.uncollected.lock() = None;
                return Ok(());
            }
        }
    }

    /// The same where nothing can be written: the log does not change then, once is enough.
    fn collect_in_memory(&self, oldest: Lsn) -> Result<()> {
        let from = self.with(|state| Lsn(state.counters.collected))?.max(oldest);
        let mut uncollected = self.uncollected.lock();
        if uncollected.is_none() {
            let (found, _) = self.read_commits(from, usize::MAX)?;
            let found = found.into_iter().map(|commit| (commit.commit, commit));
            *uncollected = Some(found.collect());
        }
        Ok(())
    }

    /// The same for a database in memory, which keeps notes of its newest commits and no more.
    fn take_recent(&self, recent: &[Arc<RecentCommit>]) {
        let mut commits = BTreeMap::new();
        for commit in recent {
            let of_branches = commit.parts.iter().filter(|part| part.head != self.system);
            let mut parts = of_branches.map(|part| CommitPart {
                head: part.head.0,
                base: part.base.0,
                operations: part.operations,
            });
            let Some(first) = parts.next() else { continue };
            let listed = Commit {
                commit: commit.commit.0,
                head: first.head,
                base: first.base,
                time: commit.time,
                author: commit.author.to_string(),
                message: commit.message.to_string(),
                flags: commit.flags,
                operations: first.operations,
                others: parts.collect(),
            };
            commits.insert(listed.commit, listed);
        }
        *self.uncollected.lock() = Some(commits);
    }

    /// Commits in the log from a position on, `most` at most, and where the last one ends.
    fn read_commits(&self, from: Lsn, most: usize) -> Result<(Vec<Commit>, Lsn)> {
        let mut found: Vec<Commit> = Vec::new();
        let mut position = from;
        let mut reader = self.manager.read_log(from)?;
        while let Some(transaction) = reader.next_transaction()? {
            position = transaction.end;
            let info = transaction.info()?;
            let mut parts = self.parts(&transaction)?;
            if parts.is_empty() {
                // It made or dropped heads and is nobody's commit.
                continue;
            }
            let first = parts.remove(0);
            found.push(Commit {
                commit: transaction.commit.0,
                head: first.head,
                base: first.base,
                time: info.time,
                author: info.author.into(),
                message: info.message.into(),
                flags: info.flags,
                operations: first.operations,
                others: parts,
            });
            if found.len() >= most {
                break;
            }
        }
        Ok((found, position))
    }

    /// What a transaction did to each branch that it moved.
    fn parts(&self, transaction: &LoggedTransaction<'_>) -> Result<Vec<CommitPart>> {
        let mut parts: Vec<(CommitPart, bool)> = Vec::new();
        let part = |head: u64, base: u64| CommitPart { head, base, operations: Some(0) };
        parts.push((part(transaction.head.0, transaction.base.0), false));
        let mut at = 0;
        for entry in transaction.operations() {
            let operation = entry?.1;
            if let Operation::Begin { head, base } = operation {
                let known = parts.iter().position(|(part, _)| part.head == head.0);
                at = known.unwrap_or(parts.len());
                if at == parts.len() {
                    parts.push((part(head.0, base.0), false));
                }
                continue;
            }
            if let Operation::ResetHead { head, .. } = operation {
                let reset = parts.iter_mut().filter(|(part, _)| part.head == head.0);
                reset.for_each(|(_, moved)| *moved = true);
                continue;
            }
            let Some((part, moved)) = parts.get_mut(at) else { continue };
            match operation {
                Operation::Put { .. }
                | Operation::Delete { .. }
                | Operation::DeleteRange { .. } => {
                    part.operations = part.operations.map(|count| count + 1);
                    *moved = true;
                }
                Operation::Roots { .. } => {
                    part.operations = None;
                    *moved = true;
                }
                Operation::CreateTree { .. } | Operation::DropTree => *moved = true,
                _ => {}
            }
        }
        let is_record = |head: u64| !self.is_bare && head == self.system.0;
        parts.retain(|(part, moved)| *moved && !is_record(part.head));
        Ok(parts.into_iter().map(|(part, _)| part).collect())
    }

    /// The newest commits of a branch, newest first, those that it has from the branches it left
    /// or took included.
    pub fn commits(&self, branch: &str, most: usize) -> Result<Vec<Commit>> {
        self.collect()?;
        let branch = self.get(branch)?;
        let at = self.position(&branch)?;
        let state = self.state()?;
        let clock = state.graph.clock(at);
        // Which commits of a head are in the clock: between where its line began and the newest.
        let mut spans: Vec<(u64, u64, u64)> = Vec::new();
        for Position { line, commit } in clock.iter() {
            let Some(known) = state.graph.line(line) else { continue };
            let start = state.start_of(line);
            spans.push((known.head, start, commit));
        }
        self.list_commits(most, |commit| {
            spans.iter().any(|(head, start, end)| {
                commit.head == *head && *start < commit.commit && commit.commit <= *end
            })
        })
    }

    /// The newest commits of some branches, newest first: all that their heads ever made, and
    /// those that they hold from branches that are gone.
    pub fn commits_of_all(&self, branches: &[Branch], most: usize) -> Result<Vec<Commit>> {
        self.collect()?;
        let state = self.state()?;
        let heads: BTreeSet<u64> = branches.iter().map(|branch| branch.head).collect();
        let mut gone: BTreeMap<u64, BTreeSet<(u64, u64)>> = BTreeMap::new();
        for branch in branches {
            let clock = state.graph.clock(self.position(branch)?);
            for Position { line, commit } in clock.iter() {
                let Some(known) = state.graph.line(line) else { continue };
                if state.branch_of(known.head).is_none() {
                    let span = (state.start_of(line), commit);
                    gone.entry(known.head).or_default().insert(span);
                }
            }
        }
        self.list_commits(most, |commit| {
            let is_held = |(start, end): &(u64, u64)| (start + 1..=*end).contains(&commit.commit);
            heads.contains(&commit.head)
                || gone.get(&commit.head).is_some_and(|spans| spans.iter().any(is_held))
        })
    }

    fn list_commits(
        &self,
        most: usize,
        is_listed: impl Fn(&Commit) -> bool,
    ) -> Result<Vec<Commit>> {
        let mut listed = Vec::new();
        let mut list = |commit: &Commit| {
            let others = commit.others.iter().map(|part| Commit {
                head: part.head,
                base: part.base,
                operations: part.operations,
                ..commit.clone()
            });
            let parts = std::iter::once(commit.clone()).chain(others);
            listed.extend(parts.filter(|part| is_listed(part)));
            listed.len() < most
        };
        let mut wants_more = most > 0;
        let mut oldest = None;
        if let Some(uncollected) = &*self.uncollected.lock() {
            wants_more = wants_more && uncollected.values().rev().all(&mut list);
            oldest = uncollected.keys().next().copied();
        }
        if !wants_more || self.is_bare {
            return Ok(listed);
        }
        let options = pandodb_tm::BeginOptions::read_only();
        let transaction = self.manager.begin(self.system, options)?;
        let mut cursor = transaction.cursor(COMMITS)?;
        let mut more = cursor.last()?;
        while more {
            if let Some(value) = cursor.value()? {
                let commit: Commit = decode(&value)?;
                // Another session may have collected those meanwhile.
                let is_listed = oldest.is_some_and(|oldest| commit.commit >= oldest);
                if !is_listed && !list(&commit) {
                    break;
                }
            }
            more = cursor.previous()?;
        }
        Ok(listed)
    }

    /// One commit, by its number.
    pub fn commit(&self, number: u64) -> Result<Commit> {
        self.collect()?;
        if let Some(uncollected) = &*self.uncollected.lock()
            && let Some(commit) = uncollected.get(&number)
        {
            return Ok(commit.clone());
        }
        let row = if self.is_bare {
            None
        } else {
            let options = pandodb_tm::BeginOptions::read_only();
            let transaction = self.manager.begin(self.system, options)?;
            transaction.get(COMMITS, &rowid_key(number as i64))?
        };
        let Some(row) = row else {
            return Err(self.no_commit(number)?);
        };
        decode(&row)
    }

    /// A commit with the data before and after it, as [`commit_on`](Self::commit_on) and
    /// [`views_of`](Self::views_of) find them.
    pub fn commit_views(
        &self,
        number: u64,
        branch: Option<&Branch>,
    ) -> Result<(Commit, View, View)> {
        let commit = self.commit_on(number, branch)?;
        let (before, after) = self.views_of(&commit)?;
        Ok((commit, before, after))
    }

    /// One commit. Of a commit of several branches it is what happened on one of them: on
    /// `branch`, on one that this branch has merged, or else on the first.
    pub fn commit_on(&self, number: u64, branch: Option<&Branch>) -> Result<Commit> {
        let commit = self.commit(number)?;
        match branch {
            Some(branch) if !commit.others.is_empty() => self.part_on(commit, branch),
            _ => Ok(commit),
        }
    }

    /// The data before and after a commit. To pick it is a merge with the first as base and the
    /// second as source; to revert it, the other way round.
    pub fn views_of(&self, commit: &Commit) -> Result<(View, View)> {
        let number = commit.commit;
        let line = self.with(|state| state.line_with(commit.head, number))?;
        let Some(line) = line else {
            let message = format!("the branch of transaction {number} is gone");
            return Err(Error::new(ErrorKind::NotRetained, message));
        };
        let after = self.view_at(Position { line, commit: number })?;
        let before = self.view_at(Position { line, commit: commit.base });
        let before = before.map_err(|error| {
            if error.kind() != ErrorKind::NotRetained {
                return error;
            }
            let message = format!("what was there before transaction {number} is not kept");
            let hint = error.hint().unwrap_or("PRAGMA history_retention keeps more from now on");
            Error::new(ErrorKind::NotRetained, message).with_hint(hint)
        })?;
        Ok((before, after))
    }

    /// The part of a commit that a branch has.
    fn part_on(&self, commit: Commit, branch: &Branch) -> Result<Commit> {
        let parts = commit.parts();
        if let Some(own) = parts.iter().find(|part| part.head == branch.head) {
            return Ok(own.clone());
        }
        for part in parts {
            if self.has_commit(branch, &part)? {
                return Ok(part);
            }
        }
        Ok(commit)
    }

    /// Whether a branch holds a commit.
    pub fn has_commit(&self, branch: &Branch, commit: &Commit) -> Result<bool> {
        let at = self.position(branch)?;
        self.with(|state| {
            state.graph.clock(at).iter().any(|held| {
                state.graph.line(held.line).is_some_and(|line| {
                    line.head == commit.head
                        && commit.commit <= held.commit
                        && state.start_of(held.line) < commit.commit
                })
            })
        })
    }

    /// Which commits of a branch after `after` changed which of the `rows` (trees with keys).
    pub fn later_changes(
        &self,
        branch: &Branch,
        after: u64,
        rows: &BTreeSet<(TreeId, Vec<u8>)>,
    ) -> Result<RowCommits> {
        let mut later = RowCommits::new();
        if self.manager.is_in_memory() {
            self.later_in_memory(branch, after, rows, &mut later)?;
            return Ok(later);
        }
        let Some((oldest, _)) = self.manager.history_span()? else { return Ok(later) };
        let mut reader = self.manager.read_log(oldest.position)?;
        while let Some(transaction) = reader.next_transaction()? {
            let number = transaction.commit.0;
            if transaction.head.0 != branch.head || number <= after {
                continue;
            }
            for entry in transaction.operations() {
                let (tree, operation) = entry?;
                let (Operation::Put { key, .. } | Operation::Delete { key }) = operation else {
                    continue;
                };
                let place = (tree, key.to_vec());
                if !rows.contains(&place) {
                    continue;
                }
                let commits = later.entry(place).or_default();
                if commits.last() != Some(&number) {
                    commits.push(number);
                }
            }
        }
        Ok(later)
    }

    /// The same where there is no log: by what the versions of the branch differ in.
    fn later_in_memory(
        &self,
        branch: &Branch,
        after: u64,
        rows: &BTreeSet<(TreeId, Vec<u8>)>,
        later: &mut RowCommits,
    ) -> Result<()> {
        let head = HeadId(branch.head);
        let trees: BTreeSet<TreeId> = rows.iter().map(|(tree, _)| *tree).collect();
        let oldest = self.manager.history_span()?.map_or(0, |(oldest, _)| oldest.commit.0);
        for commit in self.manager.recent_commits().unwrap_or_default() {
            let part = commit.parts.iter().find(|part| part.head == head);
            let Some(part) = part.filter(|part| commit.commit.0 > after && part.base.0 >= oldest)
            else {
                continue;
            };
            let before = self.manager.version_at(head, part.base)?;
            let now = self.manager.version_at(head, commit.commit)?;
            for tree in &trees {
                let versions =
                    (before.version().forest.tree(*tree), now.version().forest.tree(*tree));
                let (Some(old), Some(new)) = versions else { continue };
                let mut changes = Diff::new(self.manager.pager(), old, new);
                while let Some(change) = changes.next_change()? {
                    let place = (*tree, change.key);
                    if rows.contains(&place) {
                        later.entry(place).or_default().push(commit.commit.0);
                    }
                }
            }
        }
        Ok(())
    }

    /// The newest commit of any branch.
    pub fn newest_commit(&self) -> CommitId {
        self.manager.progress().commit
    }
}
