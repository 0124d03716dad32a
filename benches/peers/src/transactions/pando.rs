//! PandoDB's transaction layer as a contender, with its default options.
//!
//! One commit is one transaction that gives one key a new value. Neighbours: `sqlite` and
//! `redb` do the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pandodb_ds::format::TreeKind;
use pandodb_ds::store::StoreOptions;
use pandodb_ds::vfs::{OsVfs, Vfs};
use pandodb_tm::{BeginOptions, CheckpointMode, MAIN, Manager, Options, Synchronous, TreeId};

use super::{CACHE_BYTES, Changes, Contender, Durable};
use crate::data::Data;
use crate::turns::{Outcome, PANDO};

const TREE: TreeId = TreeId(100);

/// An open database.
pub(crate) struct Pando {
    manager: Manager,
    path: PathBuf,
}

impl Pando {
    fn open(path: &Path, options: &Options) -> Outcome<Manager> {
        let vfs: Arc<dyn Vfs> = Arc::new(OsVfs::new());
        Ok(Manager::open(&vfs, path, options)?)
    }

    fn options() -> Options {
        let store = StoreOptions { cache_bytes: CACHE_BYTES, ..StoreOptions::default() };
        Options { store, ..Options::default() }
    }

    /// A database without rows that makes no checkpoint by itself.
    pub(crate) fn without_checkpoints(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("data.pando");
        let options = Options { checkpoints: None, ..Self::options() };
        let manager = Self::open(&path, &options)?;
        let mut transaction = manager.begin(MAIN, BeginOptions::default())?;
        transaction.create_tree(TREE, TreeKind::Fixed)?;
        transaction.commit()?;
        Ok(Self { manager, path })
    }

    /// Puts rows in transactions of `batch` rows.
    pub(crate) fn put_all(&self, data: &Data, keys: &[u64], batch: usize) -> Outcome<()> {
        for part in keys.chunks(batch) {
            let mut transaction = self.manager.begin(MAIN, BeginOptions::default())?;
            for key in part {
                transaction.put(TREE, &key.to_be_bytes(), data.value(*key))?;
            }
            transaction.commit()?;
        }
        Ok(())
    }

    /// Leaves the database as a killed process does, opens it again and counts the rows.
    pub(crate) fn recover(self) -> Outcome<u64> {
        drop(self.manager);
        let manager = Self::open(&self.path, &Self::options())?;
        let rows = manager.begin(MAIN, BeginOptions::read_only())?.len(TREE)?;
        Ok(rows)
    }

    /// Bytes written to file and log so far, and bytes of the file in use.
    pub(crate) fn written(&self) -> Outcome<(u64, u64)> {
        let info = self.manager.store().info()?;
        let written = info.bytes_written + self.manager.log_bytes();
        Ok((written, info.space.reachable() * 512))
    }

    pub(crate) fn checkpoint(&self) -> Outcome<()> {
        self.manager.checkpoint(CheckpointMode::Full)?;
        Ok(())
    }
}

impl Contender for Pando {
    const NAME: &'static str = PANDO;

    fn create(folder: &Path, data: &Data) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("data.pando");
        let manager = Self::open(&path, &Self::options())?;
        let mut transaction = manager.begin(MAIN, BeginOptions::default())?;
        transaction.create_tree(TREE, TreeKind::Fixed)?;
        for key in 0..data.rows {
            transaction.put(TREE, &key.to_be_bytes(), data.value(key))?;
        }
        transaction.commit()?;
        manager.checkpoint(CheckpointMode::Full)?;
        Ok(Self { manager, path })
    }

    fn commit_each(&self, changes: &Changes<'_>, durable: Durable) -> Outcome<()> {
        self.manager.set_synchronous(match durable {
            Durable::Later => Synchronous::Normal,
            Durable::Now => Synchronous::Full,
        });
        for (key, value) in changes.iter() {
            let mut transaction = self.manager.begin(MAIN, BeginOptions::default())?;
            transaction.put(TREE, &key.to_be_bytes(), value)?;
            transaction.commit()?;
        }
        Ok(())
    }

    fn read_each(&self, keys: &[u64]) -> Outcome<u64> {
        let mut sum = 0;
        for key in keys {
            let transaction = self.manager.begin(MAIN, BeginOptions::read_only())?;
            sum += transaction
                .get_with(TREE, &key.to_be_bytes(), |found| found.map_or(0, |found| found.len()))?;
        }
        Ok(sum)
    }
}
