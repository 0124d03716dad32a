//! Changes that wait to be done in the order of keys.
//!
//! A statement that changes many rows, or many statements that add one each, meet the trees in
//! the order of the rows: at random in most indexes. Each change alone pays the way from the root
//! and the processor's misses on it. So changes whose outcome nobody asks for are gathered, for
//! each tree, and done together, sorted: when somebody reads the tree, at a savepoint that keeps
//! versions, at the commit, and when they have become many. Whoever looks at the trees from
//! outside of this folder never meets a tree with something pending.
//!
//! The log has each change at its time, so that going back to a light savepoint and moving to a
//! newer version find all of them there. Neighbours: `write` gathers, `read` settles, `part` has
//! one of these.

use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeKind;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::OnceLock;
use pandodb_ds::tree::{Edit, Writer, check_key};
use smallvec::SmallVec;

use crate::error::Result;
use crate::ids::TreeId;

/// So many changes of a tree are done at once before the first one waits: a small transaction
/// gains nothing.
const WARM: u32 = 8;

/// Gathered bytes of changes in any order after which they are done: each page of the tree is
/// then met a few times in a large load, not once for each row.
const BYTES_MAX: usize = 12 << 20;

/// The same for a tree that has fewer keys than there are changes: all of its pages will be
/// written anew, so that the fewer times that is, the better. An index that is made in a load of a
/// million rows is written once, in its order.
const GROWING_BYTES_MAX: usize = 48 << 20;

/// The same for ascending keys, which meet each page once anyhow: what the processor's cache
/// holds.
const ASCENDING_BYTES_MAX: usize = 256 << 10;

/// Fewer than this when they are done: waiting was of no use.
const FEW: usize = 4;

/// That fewer have an order does not say that they leave their pages for good.
const ORDERED_MIN: usize = 64;

/// The changes of a head's trees that were not done yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    trees: Vec<Gathered>,
    /// Changes of all trees.
    count: usize,
}

/// How much waited at some moment.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    trees: SmallVec<[TreeMark; 4]>,
}

#[derive(Clone, Copy, Debug)]
struct TreeMark {
    tree: TreeId,
    changes: usize,
    bytes: usize,
    is_ascending: bool,
}

impl Mark {
    fn of(&self, tree: TreeId) -> TreeMark {
        let known = self.trees.iter().find(|mark| mark.tree == tree);
        known.copied().unwrap_or(TreeMark { tree, changes: 0, bytes: 0, is_ascending: true })
    }
}

/// What is gathered for one tree.
#[derive(Debug)]
struct Gathered {
    tree: TreeId,
    kind: TreeKind,
    /// How many changes were done at once so far, up to [`WARM`].
    warmth: u32,
    changes: Vec<Change>,
    /// Values, and long keys in front of them, in the order in which they came.
    bytes: Vec<u8>,
    /// Whether each key is greater than the one before.
    is_ascending: bool,
    /// The greatest key of the tree itself, once somebody asked.
    greatest: OnceLock<Option<Vec<u8>>>,
}

/// One change; its number in order is that of its place.
///
/// Sorting and doing it look at the key again and again, in another order than that in which the
/// changes came: a short key stands here, so that none of them waits for memory.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// The first bytes of the key, with zeros behind it.
    head: [u8; HEAD_BYTES],
    at: u32,
    key: u32,
    /// The bytes of the value, or [`REMOVED`].
    value: u32,
}

const REMOVED: u32 = u32::MAX;

/// The keys of most indexes are not longer.
const HEAD_BYTES: usize = 16;

/// What is pending says about a key.
pub(crate) enum Sight {
    /// Nothing: the tree itself tells.
    Nothing,
    /// It is not there, in the tree itself neither.
    Absent,
    /// That must be looked up with all changes done.
    Unclear,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether changes of a tree wait.
    #[inline]
    pub(crate) fn has(&self, tree: TreeId) -> bool {
        self.count > 0 && self.find(tree).is_some_and(|found| !found.changes.is_empty())
    }

    fn find(&self, tree: TreeId) -> Option<&Gathered> {
        self.trees.iter().find(|gathered| gathered.tree == tree)
    }

    /// Takes a change to be done later; false: do it at once.
    pub(crate) fn take(
        &mut self,
        tree: TreeId,
        kind: impl FnOnce() -> Result<TreeKind>,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<bool> {
        let known = self.trees.iter().position(|gathered| gathered.tree == tree);
        let place = known.unwrap_or(self.trees.len());
        if known.is_none() {
            self.trees.push(Gathered::new(tree, kind()?));
        }
        let gathered = &mut self.trees[place];
        if gathered.warmth < WARM {
            gathered.warmth += 1;
            return Ok(false);
        }
        check_key(gathered.kind, key)?;
        gathered.push(key, value);
        self.count += 1;
        Ok(true)
    }

    /// Whether the changes of a tree, which is in `forest`, have become many.
    #[inline]
    pub(crate) fn are_many(&self, forest: &Forest, tree: TreeId) -> bool {
        let Some(gathered) = self.find(tree) else { return false };
        let memory = gathered.memory();
        if gathered.is_ascending {
            return memory >= ASCENDING_BYTES_MAX;
        }
        memory >= BYTES_MAX && (memory >= GROWING_BYTES_MAX || !gathered.outgrows(forest))
    }

    /// What is known of a key without doing the changes of its tree, which is in `forest`.
    pub(crate) fn look(
        &self,
        forest: &Forest,
        pager: &Pager,
        tree: TreeId,
        key: &[u8],
    ) -> Result<Sight> {
        let Some(gathered) = self.find(tree).filter(|found| !found.changes.is_empty()) else {
            return Ok(Sight::Nothing);
        };
        if !gathered.is_ascending || gathered.last_key().is_some_and(|last| key <= last) {
            return Ok(Sight::Unclear);
        }
        let is_behind = match gathered.greatest_below(forest, pager)? {
            Some(greatest) => greatest < key,
            None => true,
        };
        Ok(if is_behind { Sight::Absent } else { Sight::Nothing })
    }

    /// The greatest key of a tree with its changes, where that is known without doing them.
    pub(crate) fn greatest_key(
        &self,
        forest: &Forest,
        pager: &Pager,
        tree: TreeId,
    ) -> Result<Option<&[u8]>> {
        let Some(gathered) = self.find(tree) else { return Ok(None) };
        let Some(last) = gathered.last_put().filter(|_| gathered.is_ascending) else {
            return Ok(None);
        };
        let below = gathered.greatest_below(forest, pager)?;
        Ok(below.is_none_or(|below| below < last).then_some(last))
    }

    /// Does the changes of one tree, or of all.
    pub(crate) fn settle(
        &mut self,
        forest: &mut Forest,
        writer: &mut Writer<'_>,
        tree: Option<TreeId>,
    ) -> Result<()> {
        for gathered in &mut self.trees {
            if tree.is_none_or(|tree| tree == gathered.tree) && !gathered.changes.is_empty() {
                self.count -= gathered.changes.len();
                gathered.settle(forest, writer)?;
            }
        }
        Ok(())
    }

    /// How much waits now.
    pub(crate) fn mark(&self) -> Mark {
        let gathered = self.trees.iter().filter(|gathered| !gathered.changes.is_empty());
        let trees = gathered.map(|gathered| TreeMark {
            tree: gathered.tree,
            changes: gathered.changes.len(),
            bytes: gathered.bytes.len(),
            is_ascending: gathered.is_ascending,
        });
        Mark { trees: trees.collect() }
    }

    /// Forgets what came after `mark`, since when nothing was done.
    pub(crate) fn rewind(&mut self, mark: &Mark) {
        for gathered in &mut self.trees {
            let TreeMark { changes, bytes, is_ascending, .. } = mark.of(gathered.tree);
            gathered.changes.truncate(changes);
            gathered.bytes.truncate(bytes);
            gathered.is_ascending = is_ascending;
        }
        self.count = self.trees.iter().map(|gathered| gathered.changes.len()).sum();
    }

    /// Does what waited at `mark` for one tree, or for all, if nothing of the tree was done since;
    /// what came later waits on. The mark has the trees no more, which are told.
    pub(crate) fn settle_to(
        &mut self,
        mark: &mut Mark,
        forest: &mut Forest,
        writer: &mut Writer<'_>,
        tree: Option<TreeId>,
    ) -> Result<SmallVec<[TreeId; 4]>> {
        let mut done = SmallVec::new();
        for gathered in &mut self.trees {
            let is_meant = tree.is_none_or(|tree| tree == gathered.tree);
            let TreeMark { changes, bytes, is_ascending, .. } = mark.of(gathered.tree);
            if !is_meant || changes == 0 {
                continue;
            }
            let owned = |change: &Change| {
                let Edit { key, value } = change.edit(&gathered.bytes);
                (key.to_vec(), value.map(<[u8]>::to_vec))
            };
            let later: Vec<_> = gathered.changes[changes..].iter().map(owned).collect();
            self.count -= gathered.changes.len();
            gathered.changes.truncate(changes);
            gathered.bytes.truncate(bytes);
            gathered.is_ascending = is_ascending;
            mark.trees.retain(|mark| mark.tree != gathered.tree);
            done.push(gathered.tree);
            gathered.settle(forest, writer)?;
            for (key, value) in &later {
                gathered.push(key, value.as_deref());
            }
            self.count += later.len();
        }
        Ok(done)
    }

    /// Forgets a tree that is another one from now on.
    pub(crate) fn forget(&mut self, tree: TreeId) {
        self.trees.retain(|gathered| gathered.tree != tree);
        self.count = self.trees.iter().map(|gathered| gathered.changes.len()).sum();
    }
}

impl Gathered {
    fn new(tree: TreeId, kind: TreeKind) -> Self {
        Self {
            tree,
            kind,
            warmth: 0,
            changes: Vec::new(),
            bytes: Vec::new(),
            is_ascending: true,
            greatest: OnceLock::new(),
        }
    }

    fn memory(&self) -> usize {
        self.bytes.len() + self.changes.len() * size_of::<Change>()
    }

    fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        if self.is_ascending && self.last_key().is_some_and(|last| key <= last) {
            self.is_ascending = false;
        }
        let mut head = [0; HEAD_BYTES];
        let shown = key.len().min(HEAD_BYTES);
        head[..shown].copy_from_slice(&key[..shown]);
        let change = Change {
            head,
            at: self.bytes.len() as u32,
            key: key.len() as u32,
            value: value.map_or(REMOVED, |value| value.len() as u32),
        };
        if key.len() > HEAD_BYTES {
            self.bytes.extend_from_slice(key);
        }
        self.bytes.extend_from_slice(value.unwrap_or_default());
        if self.bytes.len() == change.at as usize {
            // Places tell which change came first.
            self.bytes.push(0);
        }
        self.changes.push(change);
    }

    fn last_key(&self) -> Option<&[u8]> {
        self.changes.last().map(|change| change.key_in(&self.bytes))
    }

    /// The last key, if it was put.
    fn last_put(&self) -> Option<&[u8]> {
        let last = self.changes.last().filter(|change| change.value != REMOVED)?;
        Some(last.key_in(&self.bytes))
    }

    /// The greatest key of the tree without its changes.
    fn greatest_below(&self, forest: &Forest, pager: &Pager) -> Result<Option<&[u8]>> {
        if self.greatest.get().is_none() {
            let greatest = forest.existing(self.tree)?.greatest_key(pager)?;
            let _ = self.greatest.set(greatest);
        }
        Ok(self.greatest.get().and_then(Option::as_deref))
    }

    /// Whether there are more changes than keys in the tree itself.
    fn outgrows(&self, forest: &Forest) -> bool {
        forest.tree(self.tree).is_some_and(|tree| tree.len() < self.changes.len() as u64)
    }

    fn settle(&mut self, forest: &mut Forest, outer: &mut Writer<'_>) -> Result<()> {
        let is_growing = self.outgrows(forest);
        let is_ordered = self.is_ascending && self.changes.len() >= ORDERED_MIN;
        let Self { bytes, changes, .. } = self;
        if !self.is_ascending {
            // Of several changes of one key the last one counts.
            changes.sort_unstable_by(|left, right| {
                let by_key = || left.key_in(bytes).cmp(right.key_in(bytes));
                left.order().cmp(&right.order()).then_with(by_key).then(left.at.cmp(&right.at))
            });
        }
        let mut writer = Writer {
            pager: outer.pager,
            ledger: outer.ledger,
            dirty_bytes: outer.dirty_bytes,
            copied_bytes: 0,
            // Pages that are met in any order are met again, unless nearly all of them are new.
            ahead: outer.ahead.filter(|_| is_ordered || is_growing),
        };
        let mut edits = changes.iter().map(|change| change.edit(bytes));
        let outcome = forest.edit_sorted(&mut writer, self.tree, &mut edits);
        outer.copied_bytes += writer.copied_bytes;
        if changes.len() < FEW {
            self.warmth = 0;
        }
        changes.clear();
        bytes.clear();
        self.is_ascending = true;
        self.greatest = OnceLock::new();
        Ok(outcome?)
    }
}

impl Change {
    /// The first bytes of the key as an integer that orders like them.
    fn order(&self) -> u128 {
        u128::from_be_bytes(self.head)
    }

    fn key_in<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        let length = self.key as usize;
        match self.head.get(..length) {
            Some(key) => key,
            None => &bytes[self.at as usize..][..length],
        }
    }

    fn edit<'a>(&'a self, bytes: &'a [u8]) -> Edit<'a> {
        let long = if self.key as usize > HEAD_BYTES { self.key } else { 0 };
        let at = (self.at + long) as usize;
        let value = (self.value != REMOVED).then(|| &bytes[at..at + self.value as usize]);
        Edit { key: self.key_in(bytes), value }
    }
}
