//! Everything the registry knows, in memory: small, and read by every statement.
//!
//! It mirrors the rows of the system head as of one commit. What this process writes is applied
//! row by row once it is committed; a commit that somebody else made in between (a merge within a
//! caller's transaction) makes it be read again. Neighbours: `records` has the rows.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::records::{
    Anchor, Branch, BranchId, Counters, Kind, LastBackup, OpenMerge, ReflogEntry, Tag, decode,
};
use crate::error::{Error, ErrorKind, Result, near};
use crate::lineage::path::Edge;
use crate::lineage::{Graph, Line, LineId, Position};
use crate::name::fold;

/// The registry as of one commit of the system head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub(super) commit: u64,
    pub(super) counters: Counters,
    pub(super) branches: BTreeMap<BranchId, Branch>,
    pub(super) names: BTreeMap<String, BranchId>,
    pub(super) heads: BTreeMap<u64, BranchId>,
    pub(super) tags: BTreeMap<String, Tag>,
    pub(super) anchors: BTreeMap<u64, Anchor>,
    pub(super) graph: Graph,
    pub(super) grants: BTreeMap<(BranchId, String), u8>,
    pub(super) merges: BTreeMap<u64, OpenMerge>,
    pub(super) reflog: BTreeMap<u64, ReflogEntry>,
    /// Where lines that a reset began were cut off from the ones before.
    pub(super) starts: BTreeMap<LineId, u64>,
    /// The merges that left labels; what these say is read when it is asked for.
    pub(super) labelled: BTreeSet<Edge>,
    /// The moments that lines are level with since a fast-forward.
    pub(super) levels: BTreeMap<Edge, Position>,
    pub(super) backup: Option<LastBackup>,
    pub(super) index: Index,
    /// Whether the index is kept: not before somebody asks for it, so that opening a database
    /// with many branches does not wait for it.
    pub(super) is_indexed: bool,
    /// Branches by the time that they go at.
    pub(super) expiring: BTreeSet<(i64, BranchId)>,
}

impl State {
    /// The branch called `name`, in any case, where it is no error that there is none: no time goes
    /// into near names.
    pub fn find_branch(&self, name: &str) -> Option<&Branch> {
        self.branches.get(self.names.get(&fold(name))?)
    }

    /// The branch called `name`, in any case.
    pub fn branch(&self, name: &str) -> Result<&Branch> {
        self.find_branch(name).ok_or_else(|| {
            let names = self.branches.values().map(|branch| &*branch.name);
            unknown(ErrorKind::UnknownBranch, "branch", name, near(name, names))
        })
    }

    /// The branch of a head.
    pub fn branch_of(&self, head: u64) -> Option<&Branch> {
        self.branches.get(self.heads.get(&head)?)
    }

    /// The branch of a number.
    pub fn branch_by_id(&self, id: BranchId) -> Option<&Branch> {
        self.branches.get(&id)
    }

    /// How many branches there are.
    pub fn branch_count(&self) -> usize {
        self.branches.len()
    }

    /// All branches in the order of their numbers.
    pub fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.branches.values()
    }

    /// The tag called `name`, in any case, where it is no error that there is none.
    pub fn find_tag(&self, name: &str) -> Option<&Tag> {
        self.tags.get(&fold(name))
    }

    /// The tag called `name`, in any case.
    pub fn tag(&self, name: &str) -> Result<&Tag> {
        self.find_tag(name).ok_or_else(|| {
            let names = self.tags.values().map(|tag| &*tag.name);
            unknown(ErrorKind::UnknownTag, "tag", name, near(name, names))
        })
    }

    /// All tags by name.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.values()
    }

    /// The graph of commits.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The merges that wait for resolutions.
    pub fn open_merges(&self) -> impl Iterator<Item = &OpenMerge> {
        self.merges.values()
    }

    /// Where branches stood before they were reset, oldest first.
    pub fn reflog(&self) -> impl Iterator<Item = &ReflogEntry> {
        self.reflog.values()
    }

    /// The newest backup.
    pub fn last_backup(&self) -> Option<&LastBackup> {
        self.backup.as_ref()
    }

    /// Takes a row over, or (without a value) its removal.
    pub(super) fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let Some((&kind, rest)) = key.split_first() else {
            return Err(Error::corrupt("a row of the registry has no key"));
        };
        let number = || -> Result<u64> {
            let bytes = rest.first_chunk::<8>();
            let bytes = bytes.ok_or_else(|| Error::corrupt("a key of the registry is short"))?;
            Ok(u64::from_be_bytes(*bytes))
        };
        match kind {
            _ if kind == Kind::Counters as u8 => {
                self.counters = value.map(decode).transpose()?.unwrap_or_default();
            }
            _ if kind == Kind::Branch as u8 => self.apply_branch(BranchId(number()?), value)?,
            _ if kind == Kind::Tag as u8 => {
                let name = String::from_utf8_lossy(rest).into_owned();
                put(&mut self.tags, name, value)?;
            }
            _ if kind == Kind::Line as u8 => self.apply_line(LineId(number()?), value)?,
            _ if kind == Kind::Anchor as u8 => {
                let head = number()?;
                put(&mut self.anchors, head, value)?;
                match self.anchors.get(&head).filter(|_| self.is_indexed) {
                    Some(anchor) => self.index.add_anchor(anchor, &self.graph),
                    None => self.index.remove_anchor(head, &self.graph),
                }
            }
            _ if kind == Kind::Grant as u8 => {
                let user = String::from_utf8_lossy(rest.get(8..).unwrap_or(&[])).into_owned();
                put(&mut self.grants, (BranchId(number()?), user), value)?;
            }
            _ if kind == Kind::Merge as u8 => self.apply_merge(number()?, value)?,
            _ if kind == Kind::Reflog as u8 => put(&mut self.reflog, number()?, value)?,
            _ if kind == Kind::Start as u8 => put(&mut self.starts, LineId(number()?), value)?,
            _ if kind == Kind::Filled as u8 => {
                self.graph.put_filled(LineId(number()?), value.map(decode).transpose()?);
            }
            _ if kind == Kind::Backup as u8 => self.backup = value.map(decode).transpose()?,
            _ if kind == Kind::Label as u8 => {
                // They stay as long as their lines, which is always.
                self.labelled.insert(super::merging::edge_of(key)?);
            }
            _ if kind == Kind::Level as u8 => {
                put(&mut self.levels, super::merging::edge_of(key)?, value)?;
            }
            // Conflicts are read from the tree when they are asked for: there may be many.
            // Settings are read when the file is opened.
            _ if [Kind::Conflict as u8, Kind::Setting as u8].contains(&kind) => {}
            _ => {
                let message = format!("a row of the registry has the unknown kind {kind}");
                return Err(Error::corrupt(message));
            }
        }
        Ok(())
    }

    fn apply_line(&mut self, id: LineId, value: Option<&[u8]>) -> Result<()> {
        let Some(value) = value else {
            self.graph.remove(id);
            return Ok(());
        };
        let line: Line = decode(value)?;
        let head = line.head;
        let began = self.graph.line(id).map(|line| line.parent);
        let has_moved = began.is_some_and(|parent| parent != line.parent);
        self.graph.put(id, line);
        if self.is_indexed {
            if has_moved {
                self.index.move_line(id, &self.anchors, &self.graph);
            }
            let branch = self.heads.get(&head).and_then(|id| self.branches.get(id));
            if let Some(branch) = branch.filter(|branch| branch.line == id) {
                self.index.add_branch(branch, &self.graph);
            }
        }
        Ok(())
    }

    fn apply_merge(&mut self, id: u64, value: Option<&[u8]>) -> Result<()> {
        put(&mut self.merges, id, value)?;
        if !self.is_indexed {
            return Ok(());
        }
        match self.merges.get(&id) {
            Some(merge) => self.index.add_merge(merge, &self.graph),
            None => self.index.remove_merge(id, &self.graph),
        }
        Ok(())
    }

    /// Makes the index, if there is none yet.
    pub(super) fn make_index(&mut self) {
        if self.is_indexed {
            return;
        }
        let (branches, anchors) = (self.branches.values(), self.anchors.values());
        self.index = Index::of(branches, anchors, self.merges.values(), &self.graph);
        self.is_indexed = true;
    }

    /// The line of a head that made a commit.
    pub(super) fn line_with(&self, head: u64, commit: u64) -> Option<LineId> {
        let mut lines = self
            .graph
            .lines()
            .filter(|(id, line)| line.head == head && self.start_of(*id) < commit);
        lines.next_back().map(|(line, _)| line)
    }

    /// The commit after which those of a head belong to a line: where it left its parent, or, for
    /// one that a reset began, where the line before it ended. The reset noted that, for the
    /// reflog goes with its branch and keeps its newest entries only; older files have the reflog
    /// alone.
    pub(super) fn start_of(&self, id: LineId) -> u64 {
        if let Some(start) = self.starts.get(&id).copied().or_else(|| self.graph.filled(id)) {
            return start;
        }
        let Some(line) = self.graph.line(id) else { return 0 };
        let is_before = |at: &Position| {
            at.line < id && self.graph.line(at.line).is_some_and(|old| old.head == line.head)
        };
        let ended = self.reflog.values().map(|entry| entry.position).filter(is_before);
        let ended = ended.map(|at| at.commit).max().unwrap_or(0);
        line.parent.map_or(0, |parent| parent.commit).max(ended)
    }

    /// The branches whose time is over, but for those that stay.
    pub(super) fn expired(&self, now: i64) -> impl Iterator<Item = &Branch> {
        let over = self.expiring.iter().take_while(move |(expires, _)| *expires <= now);
        over.filter_map(|(_, id)| self.branches.get(id)).filter(|branch| !self.stays(branch))
    }

    /// Whether a branch does not go by itself, whatever its options say: the first one, one that
    /// is protected, and one whose open merge waits for somebody.
    pub(super) fn stays(&self, branch: &Branch) -> bool {
        branch.head == pandodb_tm::MAIN.0
            || branch.options.protected
            || self.open_merge_of(branch.id).is_some()
    }

    /// An open merge that a branch is the source or the target of.
    pub(super) fn open_merge_of(&self, id: BranchId) -> Option<&OpenMerge> {
        self.merges.values().find(|merge| merge.source == id || merge.target == id)
    }

    /// The branch that a tag was made on, if it is still there. A branch that is younger than the
    /// tag only took the name.
    pub fn branch_of_tag(&self, tag: &Tag) -> Option<&Branch> {
        self.find_branch(&tag.branch).filter(|branch| branch.created <= tag.created)
    }

    /// Looks up the commits of anchors that do not say them.
    pub(super) fn resolve_anchors(&mut self, commit_of: impl Fn(u64) -> Option<u64>) {
        if self.index.is_open() {
            self.index.resolve(&self.anchors, &self.graph, commit_of);
        }
    }

    /// How many merges into a line there were.
    pub(super) fn merges_into(&self, line: LineId) -> usize {
        self.graph.line(line).map_or(0, |line| line.merges.len())
    }

    /// The anchor that keeps a moment, if one does.
    pub(super) fn anchor_at(&self, position: Position) -> Option<u64> {
        self.index.anchor_at(self.graph.normalized(position))
    }

    /// The head that keeps a moment, if one does: an anchor, or a tag.
    pub(super) fn head_at(&self, position: Position) -> Option<u64> {
        let wanted = self.graph.normalized(position);
        self.index.anchor_at(wanted).or_else(|| {
            let mut tags = self.tags.values();
            let tag = tags.find(|tag| self.graph.normalized(tag.position) == wanted);
            tag.map(|tag| tag.head)
        })
    }

    /// The anchors that lose their use when a branch goes.
    pub(super) fn surplus_without(&mut self, branch: BranchId) -> Vec<u64> {
        self.index.surplus_without(branch, &self.graph)
    }

    /// Whether another anchor than `head` keeps a moment.
    pub(super) fn has_other_anchor(&self, position: Position, head: u64) -> bool {
        self.index.has_other(self.graph.normalized(position), head)
    }

    /// Anchors that open merges need.
    pub(super) fn is_pinned(&self, anchor: u64) -> bool {
        self.merges.values().any(|merge| merge.anchor == anchor)
    }

    /// The ways back of a branch, oldest first.
    pub(super) fn reflog_of(&self, branch: BranchId) -> Vec<(u64, u64)> {
        let entries = self.reflog.values().filter(|entry| entry.branch == branch);
        entries.map(|entry| (entry.number, entry.head)).collect()
    }

    fn apply_branch(&mut self, id: BranchId, value: Option<&[u8]>) -> Result<()> {
        let branch: Option<Branch> = value.map(decode).transpose()?;
        let old = self.branches.remove(&id);
        if let Some(old) = &old {
            self.names.remove(&fold(&old.name));
            self.heads.remove(&old.head);
            if let Some(expires) = old.expires() {
                self.expiring.remove(&(expires, id));
            }
        }
        if let Some(branch) = &branch {
            self.names.insert(fold(&branch.name), id);
            self.heads.insert(branch.head, id);
            if let Some(expires) = branch.expires() {
                self.expiring.insert((expires, id));
            }
        }
        if self.is_indexed && old.map(|old| old.line) != branch.as_ref().map(|it| it.line) {
            match &branch {
                Some(branch) => self.index.add_branch(branch, &self.graph),
                None => self.index.remove_branch(id, &self.graph),
            }
        }
        if let Some(branch) = branch {
            self.branches.insert(id, branch);
        }
        Ok(())
    }
}

fn put<K: Ord, T: serde::de::DeserializeOwned>(
    map: &mut BTreeMap<K, T>,
    key: K,
    value: Option<&[u8]>,
) -> Result<()> {
    match value {
        Some(value) => drop(map.insert(key, decode(value)?)),
        None => drop(map.remove(&key)),
    }
    Ok(())
}

#[cold]
fn unknown(kind: ErrorKind, what: &str, name: &str, near: Option<&str>) -> Error {
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    Error::new(kind, format!("there is no {what} '{shown}'")).with_near(near)
}
