//! The simulated disk: for each file what is durable, what programs read, and what lies between.
//!
//! A file is two buffers and the list of changes since its last sync; a sync replays the list on
//! the durable buffer, a crash replays what [`crash`](super::crash) lets survive. The table of
//! names has the same three parts, by directory. Nothing here is random or counted. Neighbours:
//! `crash` (what survives), `mod` (operations, faults and power), `buffer` (the bytes).

use std::collections::{BTreeMap, BTreeSet, TryReserveError, VecDeque};
use std::path::{Path, PathBuf};

use super::super::buffer::Buffer;

/// The unit that a disk writes whole or not at all.
pub const GRANULE: u64 = 512;

/// Old contents kept per file for stale reads, in granules.
const STALE_LIMIT: usize = 1024;

pub(super) type NodeId = u64;

/// What one file has been asked for since its last sync.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

/// The contents of one file, whatever its names.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) durable: Buffer,
    pub(super) current: Buffer,
    pub(super) pending: Vec<Change>,
    /// Granules as they were before they were overwritten, newest last.
    overwritten: VecDeque<(u64, Vec<u8>)>,
    handles: usize,
}

/// A change of the table of names; it says which file it means, so that it can be made durable
/// without those before it.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Create { path: PathBuf, node: NodeId },
    Remove { path: PathBuf, node: NodeId },
    Rename { from: PathBuf, to: PathBuf, node: NodeId },
}

impl NameChange {
    /// Whether a sync of `directory` makes it durable. A rename between directories is one
    /// record of the file system's journal and belongs to both.
    fn touches(&self, directory: &Path) -> bool {
        self.paths().any(|path| path.parent() == Some(directory))
    }

    /// The names that it changes.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match self {
            Self::Create { path, .. } | Self::Remove { path, .. } => (path, None),
            Self::Rename { from, to, .. } => (from, Some(to)),
        };
        std::iter::once(first).chain(second).map(PathBuf::as_path)
    }

    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, NodeId>) {
        match self {
            Self::Create { path, node } => _ = names.insert(path.clone(), *node),
            Self::Remove { path, node } => {
                if names.get(path) == Some(node) {
                    names.remove(path);
                }
            }
            Self::Rename { from, to, node } => {
                if names.get(from) == Some(node) {
                    names.remove(from);
                }
                names.insert(to.clone(), *node);
            }
        }
    }

    fn names(&self, name: &Path) -> bool {
        match self {
            Self::Create { path, .. } | Self::Remove { path, .. } => path == name,
            Self::Rename { to, .. } => to == name,
        }
    }

    fn node(&self) -> NodeId {
        match self {
            Self::Create { node, .. } | Self::Remove { node, .. } | Self::Rename { node, .. } => {
                *node
            }
        }
    }
}

/// All files and their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) names: BTreeMap<PathBuf, NodeId>,
    pub(super) durable_names: BTreeMap<PathBuf, NodeId>,
    pub(super) pending_names: Vec<NameChange>,
    pub(super) capacity: Option<u64>,
    last_node: NodeId,
}

impl Disk {
    pub(super) fn create(&mut self, path: &Path) -> NodeId {
        self.last_node += 1;
        let node = self.last_node;
        self.nodes.insert(node, Node::default());
        self.change_names(NameChange::Create { path: path.to_path_buf(), node });
        node
    }

    /// A file that is there durably from the start.
    pub(super) fn install(&mut self, path: &Path) -> NodeId {
        let node = self.create(path);
        self.durable_names.insert(path.to_path_buf(), node);
        // Nothing that was pending for this name may bring back what was there before.
        self.pending_names.retain(|change| !change.names(path));
        self.drop_nameless();
        node
    }

    pub(super) fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending_names.push(change);
        self.drop_nameless();
    }

    /// Makes the changes in `directory` durable, those for which `survives` holds; the others
    /// are forgotten, so that no later sync makes them durable either.
    pub(super) fn sync_names(&mut self, directory: &Path, mut survives: impl FnMut() -> bool) {
        let changes = std::mem::take(&mut self.pending_names);
        // A rename between directories takes along what happened to its two names before, or a
        // later sync of the other directory would bring back what it replaced.
        let (mut synced, mut taken) = (vec![false; changes.len()], BTreeSet::new());
        for (change, synced) in changes.iter().zip(&mut synced).rev() {
            *synced = change.touches(directory) || change.paths().any(|path| taken.contains(path));
            if *synced {
                taken.extend(change.paths());
            }
        }
        for (change, synced) in changes.into_iter().zip(synced) {
            if !synced {
                self.pending_names.push(change);
            } else if survives() {
                change.apply(&mut self.durable_names);
            }
        }
        self.drop_nameless();
    }

    pub(super) fn handle_opened(&mut self, node: NodeId) {
        if let Some(node) = self.nodes.get_mut(&node) {
            node.handles += 1;
        }
    }

    pub(super) fn handle_closed(&mut self, node: NodeId) {
        if let Some(node) = self.nodes.get_mut(&node) {
            node.handles -= 1;
        }
        self.drop_nameless();
    }

    /// Forgets every handle: their processes are gone.
    pub(super) fn close_all(&mut self) {
        for node in self.nodes.values_mut() {
            node.handles = 0;
        }
        self.drop_nameless();
    }

    /// Drops the contents that no name, handle or crash can lead to.
    fn drop_nameless(&mut self) {
        let Self { nodes, names, durable_names, pending_names, .. } = self;
        nodes.retain(|id, node| {
            node.handles > 0
                || names.values().any(|named| named == id)
                || durable_names.values().any(|named| named == id)
                || pending_names.iter().any(|change| change.node() == *id)
        });
    }

    /// The bytes that count against the capacity.
    pub(super) fn used(&self) -> u64 {
        self.nodes.values().map(|node| node.current.len()).sum()
    }

    /// How long a file of `len` may become before the disk is full.
    pub(super) fn room_for(&self, len: u64) -> u64 {
        let Some(capacity) = self.capacity else { return u64::MAX };
        len.saturating_add(capacity.saturating_sub(self.used()))
    }
}

impl Node {
    /// Changes what programs read, and remembers the change until the next sync.
    pub(super) fn change(&mut self, change: Change) -> Result<(), TryReserveError> {
        if let Change::Write { offset, bytes } = &change {
            self.keep_old(*offset, bytes.len());
        }
        change.apply(&mut self.current)?;
        self.pending.push(change);
        Ok(())
    }

    /// Makes the changes that `survives` chooses durable and forgets the others.
    pub(super) fn sync(
        &mut self,
        mut survives: impl FnMut() -> bool,
    ) -> Result<(), TryReserveError> {
        for change in std::mem::take(&mut self.pending) {
            if survives() {
                change.apply(&mut self.durable)?;
            }
        }
        Ok(())
    }

    /// Changes the medium itself, behind everybody's back.
    pub(super) fn damage(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TryReserveError> {
        for buffer in [&mut self.durable, &mut self.current] {
            let end = buffer.len();
            let count = (bytes.len() as u64).min(end.saturating_sub(offset)) as usize;
            buffer.write(offset, &bytes[..count])?;
        }
        Ok(())
    }

    /// An older state of a granule within `offset..offset + len`, the `choice`-th of those known.
    pub(super) fn stale(&self, offset: u64, len: u64, choice: u64) -> Option<(u64, &[u8])> {
        let inside = |at: u64| at < offset + len && offset < at + GRANULE;
        let known = || self.overwritten.iter().filter(|(at, _)| inside(*at));
        let count = known().count();
        let chosen = known().nth((choice % count.max(1) as u64) as usize)?;
        Some((chosen.0, &chosen.1))
    }

    fn keep_old(&mut self, offset: u64, len: usize) {
        let end = self.current.len().min(offset + len as u64);
        for (start, _) in granules(offset, end.saturating_sub(offset)) {
            let aligned = start - start % GRANULE;
            let mut old = vec![0; GRANULE as usize];
            self.current.read(aligned, &mut old);
            if self.overwritten.len() == STALE_LIMIT {
                self.overwritten.pop_front();
            }
            self.overwritten.push_back((aligned, old));
        }
    }
}

impl Change {
    pub(super) fn apply(&self, buffer: &mut Buffer) -> Result<(), TryReserveError> {
        match self {
            Self::Write { offset, bytes } => buffer.write(*offset, bytes),
            Self::SetLen(len) => {
                buffer.set_len(*len);
                Ok(())
            }
        }
    }

    /// The length it gives to a file that was shorter.
    pub(super) fn end(&self) -> u64 {
        match self {
            Self::Write { offset, bytes } => offset + bytes.len() as u64,
            Self::SetLen(len) => *len,
        }
    }
}

/// The parts of `offset..offset + len` in each granule, as start and length.
pub(super) fn granules(offset: u64, len: u64) -> impl Iterator<Item = (u64, u64)> {
    let end = offset + len;
    let mut next = offset;
    std::iter::from_fn(move || {
        let start = next;
        next = end.min(start - start % GRANULE + GRANULE);
        (start < end).then(|| (start, next - start))
    })
}
