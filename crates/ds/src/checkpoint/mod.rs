//! Making the heads of one moment durable while writers go on.
//!
//! 1. Every page that is in memory only is written, children first in key order, into regions
//!    that lie one behind another; then the directories, then the registry.
//! 2. What the new registry reaches and the old one does not any more is settled.
//! 3. The record of that goes behind the pages; one sync; then the superblock slot that is not
//!    current; one sync.
//!
//! Nothing that is durable is overwritten on the way, so an end at any point leaves the old
//! state or the new one. Neighbours: `store` decides when and hands over the heads, `space`
//! settles.

use crate::error::{Error, ErrorKind, Result};
use crate::forest::{Entry, Forest, TreeId};
use crate::format::superblock::Superblock;
use crate::format::{Extent, Granule, PageRef, TreeKind, TreeRoot, granules_of};
use crate::pager::{Pager, Writing};
use crate::space::Ledger;
use crate::space::log::{Chain, Written};
use crate::space::settle::Settlement;
use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use crate::tree::{Cursor, Found, Relocation, Tree, Writer};
use rustc_hash::{FxHashMap, FxHashSet};

/// The number of a head; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeadId(pub u64);

impl HeadId {
    /// The head's key in the registry.
    pub(crate) fn key(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// The longest note of a head, in bytes.
pub const NOTE_BYTES_MAX: usize = 128;

/// What a checkpoint does to a head.
#[derive(Clone, Debug)]
pub enum HeadChange {
    /// The head holds these trees, and the owner's note of at most [`NOTE_BYTES_MAX`] bytes.
    Put {
        /// Its trees.
        forest: Forest,
        /// What the owner wants to find beside it.
        note: Vec<u8>,
    },
    /// The head is gone.
    Drop,
}

/// The heads of one moment: those that changed since the last checkpoint.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// What changes.
    pub heads: Vec<(HeadId, HeadChange)>,
    /// The newest commit that the heads hold.
    pub commit: u64,
    /// Where replay of the log starts once this is durable.
    pub log_position: u64,
}

/// What is durable.
#[derive(Clone, Debug)]
pub(crate) struct Durable {
    pub(crate) superblock: Superblock,
    pub(crate) registry: Tree,
    pub(crate) chain: Chain,
}

impl Durable {
    /// The birth that the checkpoint's own pages have: none in the file is newer.
    pub(crate) fn newest_birth(&self) -> u64 {
        let registry = self.superblock.registry.page.map_or(0, |page| page.birth);
        registry.max(self.superblock.space_map.map_or(0, |page| page.birth))
    }
}

/// A finished checkpoint.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) durable: Durable,
    /// The captured heads as they are in the file.
    pub(crate) heads: Vec<(HeadId, Forest)>,
    pub(crate) granules: u64,
}

/// A checkpoint that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// Whether it is unknown what is durable now, so that nothing may be written any more.
    pub(crate) is_fatal: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, is_fatal: false }
    }
}

fn fatal(error: Error) -> Failure {
    Failure { error, is_fatal: true }
}

/// Makes `captured` durable on top of `durable`. What it releases may be used again once no
/// reader is registered with `epoch` or before. Pages it wrote are noted in `ledger`.
pub(crate) fn run(
    pager: &Arc<Pager>,
    durable: &Durable,
    captured: &Captured,
    ledger: &mut Ledger,
    epoch: u64,
    time_micros: i64,
) -> Result<Done, Failure> {
    let number = durable.superblock.checkpoint + 1;
    let birth = next_birth(pager, durable, captured.commit);
    let mut writing = Writing::of_checkpoint(pager, ledger, birth, number);
    let mut registry = durable.registry.clone();
    let ceiling = pager.space.ceiling();
    let relocation = ceiling.map(|from| Relocation::within(pager, from, u64::MAX));
    let mut bases = Bases { pager, registry: &durable.registry, all: None, relocation };
    let mut heads = Vec::with_capacity(captured.heads.len());
    for (head, change) in &captured.heads {
        match change {
            HeadChange::Put { forest, note } => {
                let (saved, root) = write_forest(&mut bases, *head, forest, &mut writing)?;
                put_head(pager, &mut registry, *head, &root, note)?;
                heads.push((*head, saved));
            }
            HeadChange::Drop => {
                with_writer(pager, |writer| registry.remove(writer, &head.key()))?;
            }
        }
    }
    relocate_others(&mut bases, captured, &mut registry, &mut writing)?;
    let registry_root = write_whole(&registry, &mut writing)?;
    let mut granules = writing.granules();
    writing.finish()?;

    let registry = Tree::open(registry_root);
    let mut settlement = settle(pager, &durable.registry, &registry)?;
    let mut chain = durable.chain.clone();
    if !settlement.is_empty() || chain.newest().is_none() || pager.space.is_high(&chain) {
        let written = pager.space.write_log(&chain, &mut settlement, birth)?;
        if let Err(error) = write_records(pager, &written) {
            give_back(pager, &written);
            return Err(error.into());
        }
        granules +=
            written.writes.iter().map(|(_, bytes)| granules_of(bytes.len() as u32)).sum::<u64>();
        chain = written.chain;
    }
    let superblock = Superblock {
        checkpoint: number,
        commit: captured.commit,
        log_position: captured.log_position,
        granules: pager.space.counts().end,
        time_micros,
        registry: registry_root,
        space_map: chain.newest(),
        ..durable.superblock.clone()
    };
    pager.barrier().map_err(fatal)?;
    write_superblock(pager, &superblock).map_err(fatal)?;
    pager.space.apply(settlement, epoch);
    // Release: pairs with the load in `Space::begin_birth`.
    pager.commit.fetch_max(birth, Ordering::Release);
    // Release: pairs with the load in `Relocation::forget_old`.
    pager.durable.store(number, Ordering::Release);
    Ok(Done { durable: Durable { superblock, registry, chain }, heads, granules })
}

/// The birth of the pages that a checkpoint writes: its newest commit, or later, so that it is
/// newer than every page of the checkpoint before (two checkpoints of the same commit differ
/// when a head was dropped in between) and than everything that transactions have spilled.
/// Incremental backups rely on both.
fn next_birth(pager: &Pager, durable: &Durable, commit: u64) -> u64 {
    let published = pager.commit.load(Ordering::Acquire);
    commit.max(published).max(durable.newest_birth().saturating_add(1))
}

/// Writes a superblock into its slot and waits until it is durable.
pub(crate) fn write_superblock(pager: &Pager, superblock: &Superblock) -> Result<()> {
    let offset = Superblock::slot_offset(superblock.checkpoint);
    pager.file.write_at(offset, &superblock.encode())?;
    pager.barrier()
}

fn with_writer<R>(pager: &Pager, change: impl FnOnce(&mut Writer<'_>) -> Result<R>) -> Result<R> {
    let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
    change(&mut Writer::new(pager, &mut ledger, &mut dirty_bytes))
}

fn write_whole(tree: &Tree, writing: &mut Writing<'_>) -> Result<TreeRoot> {
    let page = tree.root().map(|root| writing.write_tree(&root.link)).transpose()?;
    Ok(TreeRoot { kind: tree.kind(), page })
}

/// The directory that a head's new one is made from.
///
/// The truth about what is in the file is the registry, not what a forest remembers: a head may
/// have been changed from a version whose directory an earlier checkpoint released. So a
/// remembered directory counts only where the registry still names it, be it for another head
/// that this one was forked from.
struct Bases<'a> {
    pager: &'a Arc<Pager>,
    registry: &'a Tree,
    /// Every directory that the registry names, collected when the first new head asks.
    all: Option<FxHashMap<Granule, PageRef>>,
    /// While the end of the file is being emptied.
    relocation: Option<Relocation>,
}

impl Bases<'_> {
    fn of(&mut self, head: HeadId, forest: &Forest) -> Result<(Tree, bool)> {
        let own = self.registry.get_with(self.pager, &head.key(), |found| match found {
            None => Ok(None),
            Some(Found::Subtree(root, _)) => Ok(Some(Tree::open(root))),
            Some(_) => Err(Error::corrupt("the registry holds more than heads")),
        })??;
        match own {
            Some(own) if own.is_same_version(&forest.directory) => Ok((own, true)),
            Some(own) => Ok((own, false)),
            None if self.is_named(&forest.directory)? => Ok((forest.directory.clone(), true)),
            None => Ok((Tree::new(TreeKind::Fixed), false)),
        }
    }

    fn is_named(&mut self, directory: &Tree) -> Result<bool> {
        let Some(page) = directory.stored_root().and_then(|root| root.page) else {
            return Ok(false);
        };
        let all = match &mut self.all {
            Some(all) => all,
            none => none.insert(named_directories(self.pager, self.registry)?),
        };
        Ok(all.get(&page.version()).is_some_and(|named| named.is_same_version(&page)))
    }
}

fn named_directories(pager: &Arc<Pager>, registry: &Tree) -> Result<FxHashMap<Granule, PageRef>> {
    let mut all = FxHashMap::default();
    let mut cursor = Cursor::new(Arc::clone(pager), registry.clone());
    let mut more = cursor.first()?;
    while more {
        if let Some(Found::Subtree(TreeRoot { page: Some(page), .. }, _)) = cursor.found()? {
            all.insert(page.version(), page);
        }
        more = cursor.next()?;
    }
    Ok(all)
}

/// What the directory `base` holds that `forest` does not hold as it is: numbers of trees.
fn stale_entries(pager: &Arc<Pager>, base: &Tree, forest: &Forest) -> Result<Vec<(TreeId, bool)>> {
    let saved = Forest::open(pager, base.stored_root().unwrap_or(EMPTY_DIRECTORY))?;
    let mut stale = Vec::new();
    for id in saved.ids() {
        if forest.tree(id).is_none() {
            stale.push((id, false));
        }
    }
    for id in forest.ids() {
        let is_same = match (saved.tree(id), forest.tree(id)) {
            (Some(saved), Some(tree)) => saved.is_same_version(tree),
            _ => false,
        };
        if !is_same {
            stale.push((id, true));
        }
    }
    Ok(stale)
}

const EMPTY_DIRECTORY: TreeRoot = TreeRoot { kind: TreeKind::Fixed, page: None };

/// Writes what changed in a forest; returns it as it is in the file, and its directory.
fn write_forest(
    bases: &mut Bases<'_>,
    head: HeadId,
    forest: &Forest,
    writing: &mut Writing<'_>,
) -> Result<(Forest, TreeRoot)> {
    let pager = bases.pager;
    forest.read(pager)?;
    let (mut directory, is_remembered) = bases.of(head, forest)?;
    let changed = if is_remembered {
        let entries = forest.entries().into_iter().filter(|entry| !entry.is_saved);
        entries.map(|entry| (entry.id, entry.tree.is_some())).collect()
    } else {
        stale_entries(pager, &directory, forest)?
    };
    if let Some(relocation) = &mut bases.relocation {
        with_writer(pager, |writer| directory.relocate(writer, relocation))?;
    }
    for (id, exists) in changed {
        let key = id.0.to_be_bytes();
        match forest.tree(id) {
            Some(tree) if exists => {
                let root = write_whole(tree, writing)?;
                with_writer(pager, |writer| directory.put_subtree(writer, &key, &root, &[]))?;
            }
            _ => {
                with_writer(pager, |writer| directory.remove(writer, &key))?;
            }
        }
    }
    let mut saved = Vec::new();
    for id in forest.ids() {
        // Everything is written by now: this looks up where.
        let root = write_whole(forest.existing(id)?, writing)?;
        saved.push(Entry { id, tree: Some(Tree::open(root)), is_saved: true });
    }
    let root = write_whole(&directory, writing)?;
    Ok((Forest::saved(Tree::open(root), saved), root))
}

/// Moves the pages of the registry, and of the directories of heads that do not change, out of
/// the end of the file that is being emptied. Whoever remembers such a directory finds another
/// one in the registry, and compares.
fn relocate_others(
    bases: &mut Bases<'_>,
    captured: &Captured,
    registry: &mut Tree,
    writing: &mut Writing<'_>,
) -> Result<()> {
    let Some(relocation) = &mut bases.relocation else { return Ok(()) };
    let pager = bases.pager;
    let captured: FxHashSet<HeadId> = captured.heads.iter().map(|(head, _)| *head).collect();
    let mut cursor = Cursor::new(Arc::clone(pager), bases.registry.clone());
    let mut more = cursor.first()?;
    while more {
        let key = cursor.key();
        let is_captured = cursor.fixed_key().is_some_and(|key| captured.contains(&HeadId(key)));
        if let (Some(Found::Subtree(root, note)), false) = (cursor.found()?, is_captured) {
            let mut directory = Tree::open(root);
            if with_writer(pager, |writer| directory.relocate(writer, relocation))? {
                let note = note.to_vec();
                let root = write_whole(&directory, writing)?;
                with_writer(pager, |writer| registry.put_subtree(writer, &key, &root, &note))?;
            }
        }
        more = cursor.next()?;
    }
    with_writer(pager, |writer| registry.relocate(writer, relocation))?;
    Ok(())
}

fn put_head(
    pager: &Pager,
    registry: &mut Tree,
    head: HeadId,
    root: &TreeRoot,
    note: &[u8],
) -> Result<()> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("the note of a head has {} bytes, more than {NOTE_BYTES_MAX}", note.len()),
        ));
    }
    debug_assert_eq!(registry.kind(), TreeKind::Fixed);
    with_writer(pager, |writer| registry.put_subtree(writer, &head.key(), root, note))?;
    Ok(())
}

/// What it means that the registry is another one.
fn settle(pager: &Pager, old: &Tree, new: &Tree) -> Result<Settlement> {
    let page_of = |tree: &Tree| tree.stored_root().and_then(|root| root.page);
    let (old, new): (Option<PageRef>, Option<PageRef>) = (page_of(old), page_of(new));
    let is_same = match (&old, &new) {
        (Some(old), Some(new)) => old.is_same_version(new),
        (None, None) => true,
        _ => false,
    };
    if is_same {
        return Ok(Settlement::default());
    }
    let edges: Vec<_> = new.iter().map(PageRef::version).collect();
    let releases = old.into_iter().collect();
    pager.space.settle(&edges, releases, &mut |page| pager.edges_of(page))
}

fn write_records(pager: &Pager, written: &Written) -> Result<()> {
    for (granule, bytes) in &written.writes {
        pager.file.write_at(granule.offset(), bytes)?;
    }
    Ok(())
}

/// Returns the room of records that no superblock will name.
fn give_back(pager: &Pager, written: &Written) {
    for (granule, bytes) in &written.writes {
        let extent = Extent { start: *granule, granules: granules_of(bytes.len() as u32) };
        // It was allocated a moment ago, so it cannot be free already.
        let _ = pager.space.give_back(extent);
    }
}
