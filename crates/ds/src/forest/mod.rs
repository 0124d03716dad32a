//! All trees of one head: what a branch's tip, a snapshot or a running transaction holds.
//!
//! A forest is cloned in O(1), like the trees in it. In the file it is a *directory*: a tree
//! from tree numbers to tree roots, so that a head is one root and forking it copies one
//! reference. In memory the trees stand in a shared table with a few changed ones beside it; the
//! table can be left in the file until somebody asks for the head ([`Forest::unread`]).
//! Neighbours: `tree` has the operations, `checkpoint` writes forests, `store` keeps heads.

mod lone;

use std::ops::Bound;

use crate::error::{Error, ErrorKind, Result};
use crate::format::{TreeKind, TreeRoot};
use crate::pager::Pager;
use crate::sync::{Arc, OnceLock, Padded};
use crate::tree::{
    Cursor, Edit, Found, OwnedValue, PutMode, Relocation, Survey, Tree, Writer, survey_of,
};

/// The number of a tree within its head; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeId(pub u64);

/// A tree and whether the directory in the file has it as it is.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: TreeId,
    /// None when the tree was dropped and the directory still names it.
    pub(crate) tree: Option<Tree>,
    pub(crate) is_saved: bool,
}

/// How many entries may stand beside the shared table.
const CHANGED_MAX: usize = 8;

/// The shared entries; empty until the directory is read.
type Table = OnceLock<Vec<Entry>>;

fn read_table(entries: Vec<Entry>) -> Arc<Padded<Table>> {
    Arc::new(Padded(OnceLock::from(entries)))
}

/// The trees of a head.
#[derive(Clone, Debug)]
pub struct Forest {
    /// The directory that was written last; entries that are saved equal it.
    pub(crate) directory: Tree,
    table: Arc<Padded<Table>>,
    /// Entries in place of those in the table, sorted.
    changed: Vec<Entry>,
}

impl Default for Forest {
    fn default() -> Self {
        Self::new()
    }
}

impl Forest {
    /// A forest without trees.
    pub fn new() -> Self {
        let directory = Tree::new(TreeKind::Fixed);
        Self { directory, table: read_table(Vec::new()), changed: Vec::new() }
    }

    /// The forest of a directory in the file.
    pub fn open(pager: &Arc<Pager>, directory: TreeRoot) -> Result<Self> {
        let forest = Self::unread(directory)?;
        forest.read(pager)?;
        Ok(forest)
    }

    /// The forest of a directory that is not looked at yet: nothing may be asked of it, nor of its
    /// clones, before one of them was [`read`](Self::read). As long as it is not, the directory
    /// must stay where it is in the file.
    pub fn unread(directory: TreeRoot) -> Result<Self> {
        if directory.kind != TreeKind::Fixed {
            return Err(Error::corrupt("the directory of a head has keys of any length"));
        }
        let directory = Tree::open(directory);
        Ok(Self { directory, table: Arc::default(), changed: Vec::new() })
    }

    /// Whether the directory was read.
    pub fn is_read(&self) -> bool {
        self.table.get().is_some()
    }

    /// Reads the directory, for all clones, if that was not done.
    pub fn read(&self, pager: &Arc<Pager>) -> Result<()> {
        if self.is_read() {
            return Ok(());
        }
        let mut table = Vec::new();
        let mut cursor = Cursor::new(Arc::clone(pager), self.directory.clone());
        let mut more = cursor.first()?;
        while more {
            let (Some(id), Some(Found::Subtree(root, _))) = (cursor.fixed_key(), cursor.found()?)
            else {
                return Err(Error::corrupt("the directory of a head holds more than trees"));
            };
            table.push(Entry { id: TreeId(id), tree: Some(Tree::open(root)), is_saved: true });
            more = cursor.next()?;
        }
        // Whoever was faster has read the same.
        let _ = self.table.set(table);
        Ok(())
    }

    /// The shared entries. Taking a directory that was not read for an empty one would lose trees.
    #[inline]
    fn table(&self) -> &[Entry] {
        match self.table.get() {
            Some(table) => table,
            None => unreachable!("a forest was used before its directory was read"),
        }
    }

    /// A forest whose directory in the file has every tree as it is.
    pub(crate) fn saved(directory: Tree, entries: Vec<Entry>) -> Self {
        Self { directory, table: read_table(entries), changed: Vec::new() }
    }

    #[inline]
    fn entry(&self, id: TreeId) -> Option<&Entry> {
        if let Ok(at) = self.changed.binary_search_by_key(&id, |entry| entry.id) {
            return Some(&self.changed[at]);
        }
        let table = self.table();
        let at = table.binary_search_by_key(&id, |entry| entry.id).ok()?;
        Some(&table[at])
    }

    /// Every entry in order, dropped ones included.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let table = self.table();
        let mut entries = Vec::with_capacity(table.len() + self.changed.len());
        let mut changed = self.changed.iter().peekable();
        for entry in table {
            while let Some(before) = changed.next_if(|other| other.id < entry.id) {
                entries.push(before.clone());
            }
            let instead = changed.next_if(|other| other.id == entry.id);
            entries.push(instead.unwrap_or(entry).clone());
        }
        entries.extend(changed.cloned());
        entries
    }

    /// The tree of a number.
    #[inline]
    pub fn tree(&self, id: TreeId) -> Option<&Tree> {
        self.entry(id)?.tree.as_ref()
    }

    /// The tree of a number, or the error that tells it is missing.
    #[inline]
    pub fn existing(&self, id: TreeId) -> Result<&Tree> {
        self.tree(id).ok_or_else(|| missing(id))
    }

    /// The numbers of all trees.
    pub fn ids(&self) -> Vec<TreeId> {
        let entries = self.entries().into_iter();
        entries.filter(|entry| entry.tree.is_some()).map(|entry| entry.id).collect()
    }

    /// Whether every tree is the same version in both.
    pub fn is_same_version(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.table, &other.table)
            && self.changed.is_empty()
            && other.changed.is_empty()
        {
            return true;
        }
        let alive = |forest: &Self| -> Vec<(TreeId, Tree)> {
            let entries = forest.entries().into_iter();
            entries.filter_map(|entry| Some((entry.id, entry.tree?))).collect()
        };
        let (left, right) = (alive(self), alive(other));
        left.len() == right.len()
            && left.iter().zip(&right).all(|((id, tree), (other_id, other))| {
                id == other_id && tree.is_same_version(other)
            })
    }

    /// Whether the directory in the file has everything.
    pub fn is_saved(&self) -> bool {
        self.entries().iter().all(|entry| entry.is_saved)
    }

    fn put_entry(&mut self, entry: Entry) {
        match self.changed.binary_search_by_key(&entry.id, |changed| changed.id) {
            Ok(at) => self.changed[at] = entry,
            Err(at) => {
                if let Some(table) = alone(&mut self.table) {
                    match table.binary_search_by_key(&entry.id, |other| other.id) {
                        Ok(at) => table[at] = entry,
                        Err(at) => table.insert(at, entry),
                    }
                    return;
                }
                self.changed.insert(at, entry);
                if self.changed.len() > CHANGED_MAX {
                    self.table = read_table(self.entries());
                    self.changed.clear();
                }
            }
        }
    }

    /// Puts a tree in the place of a number: a new one, another version, or a tree of another
    /// head, which is then shared.
    pub fn set_tree(&mut self, id: TreeId, tree: Tree) {
        self.put_entry(Entry { id, tree: Some(tree), is_saved: false });
    }

    /// Makes an empty tree.
    pub fn create_tree(&mut self, id: TreeId, kind: TreeKind) -> Result<()> {
        if self.tree(id).is_some() {
            return Err(Error::new(ErrorKind::Exists, format!("tree {} exists already", id.0)));
        }
        self.set_tree(id, Tree::new(kind));
        Ok(())
    }

    /// Drops a tree; returns whether it was there.
    pub fn drop_tree(&mut self, id: TreeId) -> bool {
        if self.tree(id).is_none() {
            return false;
        }
        self.put_entry(Entry { id, tree: None, is_saved: false });
        true
    }

    /// The value of a key.
    pub fn get(&self, pager: &Pager, id: TreeId, key: &[u8]) -> Result<Option<OwnedValue>> {
        self.existing(id)?.get(pager, key)
    }

    /// Changes a tree in place.
    pub fn change<R>(
        &mut self,
        id: TreeId,
        change: impl FnOnce(&mut Tree) -> Result<R>,
    ) -> Result<R> {
        // The tree is taken out for the time of the change, so that it holds its root alone.
        if let Ok(at) = self.changed.binary_search_by_key(&id, |entry| entry.id) {
            let entry = &mut self.changed[at];
            entry.is_saved = false;
            return change(entry.tree.as_mut().ok_or_else(|| missing(id))?);
        }
        if let Some(table) = alone(&mut self.table) {
            let at = table.binary_search_by_key(&id, |entry| entry.id).map_err(|_| missing(id))?;
            let entry = &mut table[at];
            entry.is_saved = false;
            return change(entry.tree.as_mut().ok_or_else(|| missing(id))?);
        }
        let mut tree = self.existing(id)?.clone();
        let outcome = change(&mut tree);
        self.set_tree(id, tree);
        outcome
    }

    /// Puts a value under a key; returns whether the key was there.
    pub fn put(
        &mut self,
        writer: &mut Writer<'_>,
        id: TreeId,
        key: &[u8],
        value: &[u8],
        mode: PutMode,
    ) -> Result<bool> {
        self.change(id, |tree| tree.put(writer, key, value, mode))
    }

    /// Removes a key; returns whether it was there.
    pub fn remove(&mut self, writer: &mut Writer<'_>, id: TreeId, key: &[u8]) -> Result<bool> {
        self.change(id, |tree| tree.remove(writer, key))
    }

    /// Does many changes of one tree, in the order of their keys.
    pub fn edit_sorted(
        &mut self,
        writer: &mut Writer<'_>,
        id: TreeId,
        edits: &mut dyn Iterator<Item = Edit<'_>>,
    ) -> Result<()> {
        self.change(id, |tree| tree.edit_sorted(writer, edits))
    }

    /// Removes all keys between the bounds; returns how many.
    pub fn remove_range(
        &mut self,
        writer: &mut Writer<'_>,
        id: TreeId,
        lower: Bound<&[u8]>,
        upper: Bound<&[u8]>,
    ) -> Result<u64> {
        self.change(id, |tree| tree.remove_range(writer, lower, upper))
    }

    /// A cursor on a tree as it is now.
    pub fn cursor(&self, pager: &Arc<Pager>, id: TreeId) -> Result<Cursor> {
        Ok(Cursor::new(Arc::clone(pager), self.existing(id)?.clone()))
    }

    /// What pages each tree has, and whether they are this head's alone.
    pub fn survey(&self, pager: &Pager) -> Result<Vec<(TreeId, Survey)>> {
        let directory = self.directory.stored_root().and_then(|root| root.page);
        let is_shared =
            directory.is_some_and(|page| pager.space.count(page.version()).versions > 1);
        let mut surveys = Vec::new();
        for entry in self.entries() {
            if let Some(tree) = &entry.tree {
                surveys.push((entry.id, survey_of(tree, pager, is_shared && entry.is_saved)?));
            }
        }
        Ok(surveys)
    }

    /// Copies into memory what lies in the part of the file that `relocation` is about; returns
    /// whether there was anything. The forest must then be published as a change of its head,
    /// and no checkpoint may run between the two.
    pub fn relocate(
        &mut self,
        writer: &mut Writer<'_>,
        relocation: &mut Relocation,
    ) -> Result<bool> {
        let mut is_moved = false;
        for id in self.ids() {
            let mut tree = self.existing(id)?.clone();
            if tree.relocate(writer, relocation)? {
                self.set_tree(id, tree);
                is_moved = true;
            }
        }
        Ok(is_moved)
    }

    /// Moves the changed pages that only this forest holds out of memory.
    pub fn spill(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        if !self.is_read() {
            return Ok(());
        }
        let entries = self.entries().into_iter();
        let changed: Vec<TreeId> = entries
            .filter(|entry| !entry.is_saved && entry.tree.is_some())
            .map(|entry| entry.id)
            .collect();
        for id in changed {
            self.change(id, |tree| tree.spill(writer))?;
        }
        *writer.dirty_bytes = 0;
        Ok(())
    }
}

/// The entries, where one forest has them alone. The count is looked at first: `get_mut` would
/// write it.
fn alone(table: &mut Arc<Padded<Table>>) -> Option<&mut Vec<Entry>> {
    if Arc::strong_count(table) > 1 {
        return None;
    }
    Arc::get_mut(table)?.0.get_mut()
}

#[cold]
fn missing(id: TreeId) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no tree {}", id.0))
}
