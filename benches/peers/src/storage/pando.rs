//! PandoDB's storage layer as a contender: a store with the default options (16 KiB pages, LZ4)
//! and heads, kept as the transaction layer keeps them.
//!
//! A batch is a changed forest that is published; what was published becomes durable with the
//! checkpoint at the end of a workload. Neighbours: `redb` and `lmdb` do the same workloads.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pandodb_ds::checkpoint::{Captured, HeadChange, HeadId};
use pandodb_ds::forest::{Forest, TreeId};
use pandodb_ds::format::TreeKind;
use pandodb_ds::pager::Pager;
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::tree::{Diff, Found, PutMode, Tree, TreeBuilder, Writer};
use pandodb_ds::vfs::{OsVfs, Vfs};

use super::{CACHE_BYTES, Contender};
use crate::data::Data;
use crate::turns::{Outcome, PANDO};

pub(crate) const TREE: TreeId = TreeId(1);
const HEAD: u64 = 1;

/// An open store and its head.
pub(crate) struct Pando {
    store: Store,
    pub(crate) head: Forest,
    path: PathBuf,
    commit: u64,
}

impl Pando {
    fn pager(&self) -> &Arc<Pager> {
        self.store.pager()
    }

    /// The tree of the rows.
    pub(crate) fn tree(&self) -> Outcome<Tree> {
        Ok(self.head.existing(TREE)?.clone())
    }

    fn note_commit(&mut self) {
        self.commit += 1;
        self.store.note_commit(self.commit);
    }

    /// Puts rows into a fork of `head` and returns it.
    pub(crate) fn change(
        &mut self,
        head: &Forest,
        rows: impl Iterator<Item = (u64, Vec<u8>)>,
    ) -> Outcome<Forest> {
        let pager = Arc::clone(self.pager());
        let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
        let mut forest = head.clone();
        let mut writer = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
        for (key, value) in rows {
            forest.put(&mut writer, TREE, &key.to_be_bytes(), &value, PutMode::Replace)?;
        }
        self.store.adopt(ledger);
        self.note_commit();
        Ok(forest)
    }

    /// Makes heads durable and returns them as they are in the file.
    pub(crate) fn checkpoint(&mut self, heads: &[(u64, Forest)]) -> Outcome<Vec<Forest>> {
        let put = |(id, forest): &(u64, Forest)| {
            (HeadId(*id), HeadChange::Put { forest: forest.clone(), note: Vec::new() })
        };
        let captured = Captured {
            heads: heads.iter().map(put).collect(),
            commit: self.commit,
            log_position: 0,
        };
        let done = self.store.checkpoint(|| captured)?;
        Ok(done.heads.into_iter().map(|(_, forest)| forest).collect())
    }

    /// Makes the head durable.
    fn save(&mut self) -> Outcome<()> {
        let saved = self.checkpoint(&[(HEAD, self.head.clone())])?;
        self.head = saved.into_iter().next().ok_or("the checkpoint returned no head")?;
        Ok(())
    }

    /// How many keys the two versions of the tree do not share.
    pub(crate) fn count_differences(&self, left: &Tree, right: &Tree) -> Outcome<u64> {
        let mut diff = Diff::new(self.pager(), left, right);
        let mut found = 0;
        while let Some(change) = diff.next_change()? {
            found += u64::from(change.old != change.new);
        }
        Ok(found)
    }

    /// How many keys lie in each of the ranges, in all.
    pub(crate) fn count_ranges(&self, ranges: &[(u64, u64)]) -> Outcome<u64> {
        let tree = self.tree()?;
        let mut sum = 0;
        for (from, to) in ranges {
            let (from, to) = (from.to_be_bytes(), to.to_be_bytes());
            sum += tree.count_range(
                self.pager(),
                Bound::Included(from.as_slice()),
                Bound::Excluded(to.as_slice()),
            )?;
        }
        Ok(sum)
    }
}

impl Contender for Pando {
    const NAME: &'static str = PANDO;

    fn create(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("data.pando");
        let vfs: Arc<dyn Vfs> = Arc::new(OsVfs::new());
        let options = StoreOptions { cache_bytes: CACHE_BYTES, ..StoreOptions::default() };
        let store = Store::open(&vfs, &path, &options)?;
        let mut head = Forest::new();
        head.create_tree(TREE, TreeKind::Fixed)?;
        Ok(Self { store, head, path, commit: 0 })
    }

    fn load(&mut self, data: &Data) -> Outcome<()> {
        let pager = Arc::clone(self.pager());
        let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
        let writer = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
        let mut builder = TreeBuilder::new(writer, TreeKind::Fixed);
        for key in 0..data.rows {
            builder.push(&key.to_be_bytes(), data.value(key))?;
        }
        self.head.set_tree(TREE, builder.finish()?);
        self.store.adopt(ledger);
        self.note_commit();
        self.save()
    }

    fn insert(&mut self, data: &Data, batches: &[&[u64]]) -> Outcome<()> {
        let pager = Arc::clone(self.pager());
        for batch in batches {
            let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
            // What a reader holds meanwhile: publishing replaces it.
            let mut forest = self.head.clone();
            let mut writer = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
            for key in *batch {
                let value = data.value(*key);
                forest.put(&mut writer, TREE, &key.to_be_bytes(), value, PutMode::Replace)?;
            }
            self.head = forest;
            self.store.adopt(ledger);
            self.note_commit();
        }
        self.save()
    }

    fn read(&mut self, keys: &[u64]) -> Outcome<u64> {
        let tree = self.tree()?;
        let mut sum = 0;
        for key in keys {
            sum += tree.get_with(self.pager(), &key.to_be_bytes(), |found| match found {
                Some(Found::Inline(value)) => {
                    u64::from(value[0]) + u64::from(value[value.len() - 1])
                }
                _ => 0,
            })?;
        }
        Ok(sum)
    }

    fn scan(&mut self) -> Outcome<u64> {
        let mut cursor = self.head.cursor(self.pager(), TREE)?;
        let mut sum = 0;
        let mut more = cursor.first()?;
        while more {
            if let (Some(key), Some(Found::Inline(value))) = (cursor.fixed_key(), cursor.found()?) {
                sum += key + u64::from(value[0]) + u64::from(value[value.len() - 1]);
            }
            more = cursor.next()?;
        }
        Ok(sum)
    }

    fn file_bytes(&mut self) -> Outcome<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
