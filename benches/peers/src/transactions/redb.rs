//! redb as a contender: a write transaction for each commit, `Immediate` or `None`.
//!
//! What `None` promises is less than what SQLite and PandoDB do with NORMAL (a killed process
//! loses it), so redb is measured with durable commits only. Neighbours: `pando`, `sqlite`.

use std::path::Path;

use redb::{Database, ReadableDatabase, TableDefinition};

use super::{CACHE_BYTES, Changes, Contender, Durable};
use crate::data::Data;
use crate::turns::Outcome;

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");

/// An open database.
pub(crate) struct Redb {
    database: Database,
}

impl Contender for Redb {
    const NAME: &'static str = "redb";

    fn create(folder: &Path, data: &Data) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("data.redb");
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        let transaction = database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        for key in 0..data.rows {
            table.insert(key, data.value(key))?;
        }
        drop(table);
        transaction.commit()?;
        Ok(Self { database })
    }

    fn commit_each(&self, changes: &Changes<'_>, _: Durable) -> Outcome<()> {
        for (key, value) in changes.iter() {
            let transaction = self.database.begin_write()?;
            let mut table = transaction.open_table(TABLE)?;
            table.insert(key, value)?;
            drop(table);
            transaction.commit()?;
        }
        Ok(())
    }

    fn read_each(&self, keys: &[u64]) -> Outcome<u64> {
        let mut sum = 0;
        for key in keys {
            let table = self.database.begin_read()?.open_table(TABLE)?;
            let guard = table.get(*key)?.ok_or("a key is missing")?;
            sum += guard.value().len() as u64;
        }
        Ok(sum)
    }
}
