//! What is stored of branches, and how: one row for each thing in a tree of the system head.
//!
//! A key is a letter for the kind and then the thing's number or name; a value is a format
//! version and the record. Neighbours: `state` has them all in memory, `mod` writes them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::lineage::numbering::Run;
use crate::lineage::{LineId, Position};
use crate::shape::ObjectId;

/// The number of a branch; never used again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BranchId(pub u64);

/// How a branch's data relates to its parent's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Strategy {
    /// Pages are shared until one side changes them.
    #[default]
    Cow,
    /// The branch gets pages of its own at once.
    Copy,
    /// As `Cow`, and nothing can be written to it.
    ReadOnly,
}

impl Strategy {
    /// The strategy of a word.
    pub fn parse(word: &str) -> Result<Self> {
        match word.to_ascii_lowercase().as_str() {
            "cow" | "copy_on_write" => Ok(Self::Cow),
            "copy" | "full" | "full_copy" => Ok(Self::Copy),
            "readonly" | "read_only" | "snapshot" => Ok(Self::ReadOnly),
            _ => {
                let shown: String = word.chars().take(40).flat_map(char::escape_debug).collect();
                let message = format!("there is no branch strategy '{shown}'");
                let error = Error::new(ErrorKind::InvalidOption, message);
                Err(error.with_hint("cow, copy or readonly"))
            }
        }
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cow => "cow",
            Self::Copy => "copy",
            Self::ReadOnly => "readonly",
        }
    }
}

/// What was said about a branch.
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own in SQL")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchOptions {
    /// What it is for.
    pub description: String,
    /// Whether writes are refused.
    pub read_only: bool,
    /// Whether drop, reset, and rename are refused.
    pub protected: bool,
    /// Whether it is gone with its owner, and at the latest when branches are asked for in a
    /// database that was opened again.
    pub temporary: bool,
    /// Whether it is dropped once it was merged.
    pub auto_delete: bool,
    /// Microseconds after its creation at which it is dropped.
    pub ttl: Option<i64>,
    /// How it was made.
    pub strategy: Strategy,
    /// Whose it is.
    pub owner: String,
    /// Anything else, kept and shown.
    pub free: BTreeMap<String, String>,
}

/// Where a branch stands in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BranchState {
    /// It is worked on.
    #[default]
    Active,
    /// It was merged, and may be worked on and merged again.
    Merged {
        /// The branch that took it.
        into: String,
        /// When, in microseconds since 1970.
        time: i64,
    },
}

/// A branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its number.
    pub id: BranchId,
    /// Its name as written.
    pub name: String,
    /// The number of its head.
    pub head: u64,
    /// The line that it is on.
    pub line: LineId,
    /// The name of the branch that it left, as it was then; none for the first one.
    pub parent: Option<String>,
    /// The anchor that was made with it, where it left its parent.
    pub anchor: Option<u64>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Where it stands.
    pub state: BranchState,
    /// What was said about it.
    pub options: BranchOptions,
}

impl Branch {
    /// When it is dropped by itself.
    pub fn expires(&self) -> Option<i64> {
        self.options.ttl.map(|ttl| self.created.saturating_add(ttl))
    }
}

/// A name for a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The name as written.
    pub name: String,
    /// The head that keeps its data.
    pub head: u64,
    /// The moment.
    pub position: Position,
    /// The branch that it was made on; as it was called last, once that is gone.
    pub branch: String,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Why.
    pub message: String,
}

/// A head without a name that keeps a moment which merges need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The head.
    pub head: u64,
    /// The line of the moment.
    pub line: LineId,
    /// Its commit; none: that of the head.
    pub commit: Option<u64>,
}

/// Where a branch stood before it was reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReflogEntry {
    /// The branch.
    pub branch: BranchId,
    /// Counts the entries of all branches.
    pub number: u64,
    /// Where it stood.
    pub position: Position,
    /// The head that keeps it.
    pub head: u64,
    /// When it was reset, in microseconds since 1970.
    pub time: i64,
    /// What it was reset to.
    pub reason: String,
}

/// A commit as history lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its number.
    pub commit: u64,
    /// The head that it moved.
    pub head: u64,
    /// The commit that it stood on.
    pub base: u64,
    /// When, in microseconds since 1970.
    pub time: i64,
    /// Who.
    pub author: String,
    /// Why.
    pub message: String,
    /// Bits of the layers above.
    pub flags: u64,
    /// Rows (keys) that it wrote or removed; none for one too large to be logged.
    pub operations: Option<u64>,
    /// What it did to other heads: one transaction may change several branches.
    pub others: Vec<CommitPart>,
}

impl Commit {
    /// What it did to each head, as commits of their own.
    pub fn parts(&self) -> Vec<Self> {
        let own = CommitPart { head: self.head, base: self.base, operations: self.operations };
        let parts = std::iter::once(&own).chain(&self.others);
        let others = || std::iter::once(&own).chain(&self.others);
        let part = |part: &CommitPart| Self {
            head: part.head,
            base: part.base,
            operations: part.operations,
            others: others().filter(|other| other.head != part.head).cloned().collect(),
            ..self.clone()
        };
        parts.map(part).collect()
    }
}

/// What a commit did to one head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitPart {
    /// The head that it moved.
    pub head: u64,
    /// The commit that it stood on.
    pub base: u64,
    /// Rows (keys) that it wrote or removed; none for one too large to be logged.
    pub operations: Option<u64>,
}

/// A merge that waits for its conflicts to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMerge {
    /// Its number.
    pub id: u64,
    /// The branch that is merged.
    pub source: BranchId,
    /// The branch that takes it.
    pub target: BranchId,
    /// The head that keeps the source as it was.
    pub anchor: u64,
    /// The source's moment.
    pub position: Position,
    /// When it was begun, in microseconds since 1970.
    pub created: i64,
    /// The options, in the layer above's own words.
    pub options: Vec<u8>,
    /// The resolutions so far, in [`resolutions`](crate::registry::resolutions)' words.
    pub resolutions: Vec<u8>,
    /// Where no branch is merged but one commit is picked, undone, or a table restored: what.
    pub pick: Option<OpenPick>,
}

/// A pick that waits for its conflicts to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPick {
    /// The head that keeps the base.
    pub base: u64,
    /// The base's moment.
    pub position: Position,
    /// What is done, as the commit will say it.
    pub label: String,
}

/// A piece of what a merge calls the rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The number that the table has after the merge.
    pub table: ObjectId,
    /// The rowids that differ.
    pub runs: Vec<Run>,
}

/// A piece of what a merge says of rowids that are other rows of one table since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OthersLabel {
    /// The number that the table has after the merge.
    pub table: ObjectId,
    /// The first and the last rowid of each range.
    pub ranges: Vec<(i64, i64)>,
}

/// The newest backup: increments stand on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// Where it was written.
    pub file: String,
    /// What it calls itself.
    pub id: [u8; 16],
    /// When, in microseconds since 1970.
    pub time: i64,
}

/// The counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) branch: u64,
    pub(crate) line: u64,
    pub(crate) merge: u64,
    pub(crate) reflog: u64,
    /// Numbers for objects and columns that were given out, and a few more.
    pub(crate) object: u64,
    /// How far commits were collected from the log.
    pub(crate) collected: u64,
}

/// The kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counters = b'0' as isize,
    Branch = b'B' as isize,
    Tag = b'T' as isize,
    Line = b'L' as isize,
    Anchor = b'A' as isize,
    Grant = b'G' as isize,
    Merge = b'M' as isize,
    Conflict = b'C' as isize,
    Reflog = b'R' as isize,
    Backup = b'K' as isize,
    Start = b'S' as isize,
    Filled = b'F' as isize,
    Label = b'N' as isize,
    Level = b'E' as isize,
    Setting = b'P' as isize,
}

/// The key of a row.
pub(crate) fn key(kind: Kind, rest: &[u8]) -> Vec<u8> {
    let mut key = vec![kind as u8];
    key.extend_from_slice(rest);
    key
}

/// The key of a row with a number.
pub(crate) fn number_key(kind: Kind, number: u64) -> Vec<u8> {
    key(kind, &number.to_be_bytes())
}

const FORMAT: u8 = 1;

/// A record's bytes.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![FORMAT];
    let encoded = bincode::serde::encode_to_vec(record, bincode::config::standard());
    bytes.extend(encoded.map_err(|cause| Error::new(ErrorKind::Limit, cause.to_string()))?);
    Ok(bytes)
}

/// The record of bytes.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    decode_first(bytes).map(|(record, _)| record)
}

/// The first record of bytes, and the bytes behind it.
pub(crate) fn decode_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8])> {
    let (&format, rest) = bytes.split_first().ok_or_else(|| Error::corrupt("a record is empty"))?;
    if format != FORMAT {
        let message = format!("a record of branches has the unknown format {format}");
        return Err(Error::corrupt(message).with_hint("open the database with a newer version"));
    }
    let decoded = bincode::serde::decode_from_slice(rest, bincode::config::standard());
    let (record, length) = decoded
        .map_err(|cause| Error::corrupt(format!("a record of branches cannot be read: {cause}")))?;
    Ok((record, rest.get(length..).unwrap_or_default()))
}
