//! Everything the registry knows, in memory: small, and read by every statement.
//!
//! It mirrors the rows of the system head as of one commit. What this process writes is applied
//! row by row once it is committed; a commit that somebody else made in between (a merge within a
//! caller's transaction) makes it be read again. Neighbours: `records` has the rows.

use std::collections::BTreeMap;

use super::records::{
    Anchor, Branch, BranchId, Counters, Kind, LastBackup, OpenMerge, ReflogEntry, Tag, decode,
};
use crate::error::{Error, ErrorKind, Result, near};
use crate::lineage::{Graph, Line, LineId, Position};
use crate::name::fold;

/// The registry as of one commit of the system head.
#[derive(Clone, Debug, Default)]
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
    pub(super) backup: Option<LastBackup>,
}

impl State {
    /// The branch called `name`, in any case.
    pub fn branch(&self, name: &str) -> Result<&Branch> {
        let found = self.names.get(&fold(name)).and_then(|id| self.branches.get(id));
        found.ok_or_else(|| {
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

    /// All branches in the order of their numbers.
    pub fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.branches.values()
    }

    /// The tag called `name`, in any case.
    pub fn tag(&self, name: &str) -> Result<&Tag> {
        self.tags.get(&fold(name)).ok_or_else(|| {
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

    /// The moment that an anchor keeps; `commit_of` tells the newest commit of a head.
    pub(super) fn anchored(
        &self,
        anchor: &Anchor,
        commit_of: impl Fn(u64) -> Option<u64>,
    ) -> Option<Position> {
        let commit = anchor.commit.or_else(|| commit_of(anchor.head))?;
        Some(self.graph.normalized(Position { line: anchor.line, commit }))
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
            _ if kind == Kind::Line as u8 => match value {
                Some(value) => self.graph.put(LineId(number()?), decode::<Line>(value)?),
                None => self.graph.remove(LineId(number()?)),
            },
            _ if kind == Kind::Anchor as u8 => put(&mut self.anchors, number()?, value)?,
            _ if kind == Kind::Grant as u8 => {
                let user = String::from_utf8_lossy(rest.get(8..).unwrap_or(&[])).into_owned();
                put(&mut self.grants, (BranchId(number()?), user), value)?;
            }
            _ if kind == Kind::Merge as u8 => put(&mut self.merges, number()?, value)?,
            _ if kind == Kind::Reflog as u8 => put(&mut self.reflog, number()?, value)?,
            _ if kind == Kind::Backup as u8 => self.backup = value.map(decode).transpose()?,
            // Conflicts are read from the tree when they are asked for: there may be many.
            _ if kind == Kind::Conflict as u8 => {}
            _ => {
                let message = format!("a row of the registry has the unknown kind {kind}");
                return Err(Error::corrupt(message));
            }
        }
        Ok(())
    }

    fn apply_branch(&mut self, id: BranchId, value: Option<&[u8]>) -> Result<()> {
        if let Some(old) = self.branches.remove(&id) {
            self.names.remove(&fold(&old.name));
            self.heads.remove(&old.head);
        }
        if let Some(value) = value {
            let branch: Branch = decode(value)?;
            self.names.insert(fold(&branch.name), id);
            self.heads.insert(branch.head, id);
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
    let error = Error::new(kind, format!("there is no {what} '{shown}'"));
    match near {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error,
    }
}
