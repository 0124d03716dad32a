//! redb as a contender: native integer keys, the same cache budget as PandoDB.
//!
//! Commits in the middle of a workload have durability `None`, the last one `Immediate`, which
//! makes all of them durable. Neighbours: `pando` and `lmdb` do the same workloads.

use std::path::{Path, PathBuf};

use redb::{Database, Durability, ReadableDatabase, TableDefinition};

use super::{CACHE_BYTES, Contender};
use crate::data::Data;
use crate::turns::Outcome;

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");

/// An open database.
pub(crate) struct Redb {
    database: Database,
    path: PathBuf,
}

impl Contender for Redb {
    const NAME: &'static str = "redb";

    fn create(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("data.redb");
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(&path)?;
        Ok(Self { database, path })
    }

    fn load(&mut self, data: &Data) -> Outcome<()> {
        let transaction = self.database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        for key in 0..data.rows {
            table.insert(key, data.value(key))?;
        }
        drop(table);
        transaction.commit()?;
        Ok(())
    }

    fn insert(&mut self, data: &Data, batches: &[&[u64]]) -> Outcome<()> {
        for (index, batch) in batches.iter().enumerate() {
            let mut transaction = self.database.begin_write()?;
            if index + 1 < batches.len() {
                transaction.set_durability(Durability::None)?;
            }
            let mut table = transaction.open_table(TABLE)?;
            for key in *batch {
                table.insert(*key, data.value(*key))?;
            }
            drop(table);
            transaction.commit()?;
        }
        Ok(())
    }

    fn read(&mut self, keys: &[u64]) -> Outcome<u64> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        let mut sum = 0;
        for key in keys {
            let guard = table.get(*key)?.ok_or("a key is missing")?;
            let value = guard.value();
            sum += u64::from(value[0]) + u64::from(value[value.len() - 1]);
        }
        Ok(sum)
    }

    fn scan(&mut self) -> Outcome<u64> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        let mut sum = 0;
        for entry in table.range::<u64>(..)? {
            let (key, value) = entry?;
            let value = value.value();
            sum += key.value() + u64::from(value[0]) + u64::from(value[value.len() - 1]);
        }
        Ok(sum)
    }

    fn file_bytes(&mut self) -> Outcome<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
