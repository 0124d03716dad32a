//! Trees in memory: maps that snapshots share.
//!
//! Neighbours: the module above says what is promised.

use std::collections::BTreeMap;
use std::ops::Bound;

use pandodb_ds::sync::{Arc, Mutex};
use pandodb_tm::TreeId;

use super::{CATALOG_TREE, FIRST_OBJECT};
use crate::error::Result;

type Map = BTreeMap<Arc<[u8]>, Arc<[u8]>>;

#[derive(Clone, Debug, Default)]
struct Forest {
    trees: BTreeMap<TreeId, Arc<Map>>,
    next: u32,
}

/// A database: one head.
#[derive(Clone, Debug)]
pub struct Database(Arc<Mutex<Forest>>);

impl Default for Database {
    fn default() -> Self {
        let mut forest = Forest { trees: BTreeMap::new(), next: FIRST_OBJECT };
        forest.trees.insert(CATALOG_TREE, Arc::default());
        Self(Arc::new(Mutex::new(forest)))
    }
}

impl Database {
    /// Begins a transaction on the newest state.
    pub fn begin(&self, write: bool) -> Result<Transaction> {
        let forest = self.0.lock().clone();
        Ok(Transaction { database: self.clone(), forest, write, changed: false })
    }
}

/// A private state of the database.
#[derive(Debug)]
pub struct Transaction {
    database: Database,
    forest: Forest,
    write: bool,
    changed: bool,
}

/// A state to go back to.
#[derive(Clone, Debug)]
pub struct Savepoint(Forest);

impl Transaction {
    /// Whether it may write.
    pub fn is_write(&self) -> bool {
        self.write
    }

    /// Turns a reading transaction into a writing one.
    pub fn upgrade(&mut self) -> Result<()> {
        self.write = true;
        Ok(())
    }

    /// Whether it has changed anything.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// Makes all changes visible and durable.
    pub fn commit(self) -> Result<()> {
        if self.changed {
            *self.database.0.lock() = self.forest;
        }
        Ok(())
    }

    /// The value of `key`.
    pub fn get(&self, tree: TreeId, key: &[u8]) -> Result<Option<Arc<[u8]>>> {
        Ok(self.forest.trees.get(&tree).and_then(|map| map.get(key)).cloned())
    }

    /// Sets the value of `key`.
    pub fn put(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<()> {
        self.changed = true;
        if let Some(map) = self.forest.trees.get_mut(&tree) {
            Arc::make_mut(map).insert(Arc::from(key), Arc::from(value));
        }
        Ok(())
    }

    /// Removes `key`; whether it was there.
    pub fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool> {
        self.changed = true;
        let map = self.forest.trees.get_mut(&tree);
        Ok(map.is_some_and(|map| Arc::make_mut(map).remove(key).is_some()))
    }

    /// Removes all keys of a tree.
    pub fn clear(&mut self, tree: TreeId) -> Result<()> {
        self.changed = true;
        if let Some(map) = self.forest.trees.get_mut(&tree) {
            *map = Arc::default();
        }
        Ok(())
    }

    /// A new, empty tree; `fixed` for one whose keys all have eight bytes.
    pub fn create_tree(&mut self, _fixed: bool) -> Result<TreeId> {
        self.changed = true;
        let id = TreeId(self.forest.next);
        self.forest.next += 1;
        self.forest.trees.insert(id, Arc::default());
        Ok(id)
    }

    /// Drops a tree.
    pub fn drop_tree(&mut self, tree: TreeId) -> Result<()> {
        self.changed = true;
        self.forest.trees.remove(&tree);
        Ok(())
    }

    /// A number that no object of any branch has.
    pub fn fresh_number(&mut self) -> Result<u64> {
        self.forest.next += 1;
        Ok(u64::from(self.forest.next - 1))
    }

    /// A cursor over a tree as it is now, standing before its first key.
    pub fn cursor(&self, tree: TreeId) -> Result<Cursor> {
        let map = self.forest.trees.get(&tree).cloned().unwrap_or_default();
        Ok(Cursor { map, current: None })
    }

    /// How many keys lie from `from` (included) up to `to` (not included).
    pub fn count_range(&self, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Result<u64> {
        let Some(map) = self.forest.trees.get(&tree) else { return Ok(0) };
        if from.is_empty() && to.is_none() {
            return Ok(map.len() as u64);
        }
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        if to.is_some_and(|to| to <= from) {
            return Ok(0);
        }
        Ok(map.range::<[u8], _>((Bound::Included(from), end)).count() as u64)
    }

    /// The state as it is now.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.forest.clone())
    }

    /// Goes back to an earlier state.
    pub fn rollback_to(&mut self, savepoint: &Savepoint) -> Result<()> {
        let next = self.forest.next;
        self.forest = savepoint.0.clone();
        self.forest.next = next;
        Ok(())
    }
}

/// A place in a tree.
#[derive(Clone, Debug)]
pub struct Cursor {
    map: Arc<Map>,
    current: Option<(Arc<[u8]>, Arc<[u8]>)>,
}

impl Cursor {
    fn take(&mut self, found: Option<(Arc<[u8]>, Arc<[u8]>)>) -> bool {
        self.current = found;
        self.current.is_some()
    }

    /// Moves to the first key at or behind `key`; whether there is one.
    pub fn seek(&mut self, key: &[u8]) -> Result<bool> {
        let mut range = self.map.range::<[u8], _>((Bound::Included(key), Bound::Unbounded));
        let found = range.next().map(|(key, value)| (key.clone(), value.clone()));
        Ok(self.take(found))
    }

    /// Moves to the last key before `key`, or to the last of all; whether there is one.
    pub fn seek_before(&mut self, key: Option<&[u8]>) -> Result<bool> {
        let end = key.map_or(Bound::Unbounded, Bound::Excluded);
        let mut range = self.map.range::<[u8], _>((Bound::Unbounded, end));
        let found = range.next_back().map(|(key, value)| (key.clone(), value.clone()));
        Ok(self.take(found))
    }

    /// Moves to exactly `key`; whether it is there.
    pub fn seek_exact(&mut self, key: &[u8]) -> Result<bool> {
        let found = self.map.get_key_value(key).map(|(key, value)| (key.clone(), value.clone()));
        Ok(self.take(found))
    }

    /// Moves to the first key.
    pub fn first(&mut self) -> Result<bool> {
        self.seek(&[])
    }

    /// Moves to the last key.
    pub fn last(&mut self) -> Result<bool> {
        self.seek_before(None)
    }

    /// Moves to the next key; whether there is one.
    pub fn next(&mut self) -> Result<bool> {
        let Some((key, _)) = &self.current else { return Ok(false) };
        let mut range =
            self.map.range::<[u8], _>((Bound::Excluded(key.as_ref()), Bound::Unbounded));
        let found = range.next().map(|(key, value)| (key.clone(), value.clone()));
        Ok(self.take(found))
    }

    /// Moves to the previous key; whether there is one.
    pub fn previous(&mut self) -> Result<bool> {
        let Some((key, _)) = self.current.clone() else { return Ok(false) };
        self.seek_before(Some(&key))
    }

    /// The key here; empty where the cursor stands on none.
    pub fn key(&self) -> &[u8] {
        self.current.as_ref().map_or(&[], |(key, _)| key)
    }

    /// The value here; empty where the cursor stands on none.
    pub fn value(&self) -> &[u8] {
        self.current.as_ref().map_or(&[], |(_, value)| value)
    }
}
