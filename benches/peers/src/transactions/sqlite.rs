//! SQLite as a contender: WAL mode, prepared statements that are kept, one connection a thread.
//!
//! Neighbours: `pando` and `redb` do the same.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{CACHE_BYTES, Changes, Contender, Durable};
use crate::data::Data;
use crate::turns::Outcome;

/// A database file; every use opens a connection.
pub(crate) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    fn connect(&self, durable: Durable) -> Outcome<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(std::time::Duration::from_mins(1))?;
        let level = match durable {
            Durable::Later => "NORMAL",
            Durable::Now => "FULL",
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", level)?;
        connection.pragma_update(None, "cache_size", -((CACHE_BYTES / 1024) as i64))?;
        Ok(connection)
    }
}

impl Contender for Sqlite {
    const NAME: &'static str = "SQLite";

    fn create(folder: &Path, data: &Data) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let sqlite = Self { path: folder.join("data.sqlite") };
        let mut connection = sqlite.connect(Durable::Now)?;
        connection.execute_batch("CREATE TABLE rows (k INTEGER PRIMARY KEY, v BLOB)")?;
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare("INSERT INTO rows VALUES (?1, ?2)")?;
            for key in 0..data.rows {
                insert.execute((key as i64, data.value(key)))?;
            }
        }
        transaction.commit()?;
        connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
        Ok(sqlite)
    }

    fn commit_each(&self, changes: &Changes<'_>, durable: Durable) -> Outcome<()> {
        let connection = self.connect(durable)?;
        let mut update = connection.prepare("UPDATE rows SET v = ?2 WHERE k = ?1")?;
        for (key, value) in changes.iter() {
            update.execute((key as i64, value))?;
        }
        Ok(())
    }

    fn read_each(&self, keys: &[u64]) -> Outcome<u64> {
        let connection = self.connect(Durable::Later)?;
        let mut select = connection.prepare("SELECT v FROM rows WHERE k = ?1")?;
        let mut sum = 0;
        for key in keys {
            sum += select.query_row((*key as i64,), |row| {
                Ok(row.get_ref(0)?.as_blob().map_or(0, <[u8]>::len) as u64)
            })?;
        }
        Ok(sum)
    }
}
