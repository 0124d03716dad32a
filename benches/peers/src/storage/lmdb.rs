//! LMDB as a contender, through `heed`, with the settings that suit it best: integer keys (no
//! comparison of bytes), its append mode for ordered loads, a map that is large enough, no
//! transparent read-ahead changes. It maps its file, so the operating system is its cache.
//!
//! It syncs at the end of a workload, as the others do: commits in between use `NO_SYNC`.
//! Neighbours: `pando` and `redb` do the same workloads.
#![allow(unsafe_code, reason = "LMDB's door is unsafe: nobody else may change the mapped file")]

use std::ops::Bound;
use std::path::Path;

use heed::byteorder::NativeEndian;
use heed::types::{Bytes, U64};
use heed::{
    CommitOrAbort, DatabaseFlags, Env, EnvFlags, EnvOpenOptions, IntegerComparator, PutFlags,
};

use super::Contender;
use crate::data::Data;
use crate::turns::Outcome;

const MAP_BYTES: usize = 64 * 1024 * 1024 * 1024;

type Database<'e> = heed::Database<'e, U64<NativeEndian>, Bytes, IntegerComparator>;

/// An open environment.
pub(crate) struct Lmdb {
    env: Env,
}

impl Lmdb {
    fn create_database(&self) -> Outcome<Database<'_>> {
        let transaction = self.env.write_txn()?;
        let made = self.env.create_databases_and_commit(transaction, |opener, transaction| {
            let mut options = opener
                .database_options()
                .types::<U64<NativeEndian>, Bytes>()
                .key_comparator::<IntegerComparator>();
            options.flags(DatabaseFlags::empty());
            options.create(transaction).map(CommitOrAbort::<_, ()>::Commit)
        })?;
        match made {
            CommitOrAbort::Commit(database) => Ok(database),
            CommitOrAbort::Abort(()) => Err("LMDB made no database".into()),
        }
    }
}

impl Contender for Lmdb {
    const NAME: &'static str = "LMDB";

    fn create(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        // SAFETY: the folder is new and this process's own; nobody else opens its files.
        let env = unsafe {
            EnvOpenOptions::new().map_size(MAP_BYTES).flags(EnvFlags::NO_SYNC).open(folder)?
        };
        Ok(Self { env })
    }

    fn load(&mut self, data: &Data) -> Outcome<()> {
        let database = self.create_database()?;
        let mut transaction = self.env.write_txn()?;
        for key in 0..data.rows {
            database.put_with_flags(&mut transaction, PutFlags::APPEND, &key, data.value(key))?;
        }
        transaction.commit()?;
        self.env.force_sync()?;
        Ok(())
    }

    fn insert(&mut self, data: &Data, batches: &[&[u64]]) -> Outcome<()> {
        let database = self.create_database()?;
        for batch in batches {
            let mut transaction = self.env.write_txn()?;
            for key in *batch {
                database.put(&mut transaction, key, data.value(*key))?;
            }
            transaction.commit()?;
        }
        self.env.force_sync()?;
        Ok(())
    }

    fn read(&mut self, keys: &[u64]) -> Outcome<u64> {
        let database = self.create_database()?;
        let transaction = self.env.read_txn()?;
        let mut sum = 0;
        for key in keys {
            let value = database.get(&transaction, key)?.ok_or("a key is missing")?;
            sum += u64::from(value[0]) + u64::from(value[value.len() - 1]);
        }
        Ok(sum)
    }

    fn scan(&mut self) -> Outcome<u64> {
        let database = self.create_database()?;
        let transaction = self.env.read_txn()?;
        let all = (Bound::<u64>::Unbounded, Bound::<u64>::Unbounded);
        let mut sum = 0;
        for entry in database.range(&transaction, &all)? {
            let (key, value) = entry?;
            sum += key + u64::from(value[0]) + u64::from(value[value.len() - 1]);
        }
        Ok(sum)
    }

    fn file_bytes(&mut self) -> Outcome<u64> {
        Ok(self.env.real_disk_size()?)
    }
}
