//! SQLite as a contender: WAL mode, prepared statements that are kept, the same cache.
//!
//! Neighbours: `pando` does the same, `client` says what.

use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ToSql, params_from_iter};

use super::client::{CACHE_BYTES, Cell, Connection, Database, Durable, Statement, Table};
use super::items::Item;
use crate::turns::Outcome;

/// A database file; every connection opens it.
pub(super) struct Sqlite(PathBuf);

impl Database for Sqlite {
    const NAME: &'static str = "SQLite";
    type Connection = rusqlite::Connection;

    fn open(folder: &Path) -> Outcome<Self> {
        Ok(Self(folder.join("data.sqlite")))
    }

    fn connect(&self, durable: Durable) -> Outcome<Self::Connection> {
        let connection = rusqlite::Connection::open(&self.0)?;
        connection.busy_timeout(std::time::Duration::from_mins(1))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", durable.word())?;
        connection.pragma_update(None, "cache_size", -((CACHE_BYTES / 1024) as i64))?;
        // The bundled build turns them on, which is not SQLite's default.
        connection.pragma_update(None, "foreign_keys", false)?;
        Ok(connection)
    }
}

impl Connection for rusqlite::Connection {
    type Statement<'c> = rusqlite::Statement<'c>;

    fn run_all(&self, sql: &str) -> Outcome<()> {
        Ok(self.execute_batch(sql)?)
    }

    fn prepare<'c>(&'c self, sql: &str) -> Outcome<Self::Statement<'c>> {
        Ok(rusqlite::Connection::prepare(self, sql)?)
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        let handle = self.get_interrupt_handle();
        Box::new(move || handle.interrupt())
    }
}

impl Statement for rusqlite::Statement<'_> {
    fn change(&mut self, values: &[Cell]) -> Outcome<usize> {
        Ok(self.execute(params_from_iter(values))?)
    }

    fn insert(&mut self, item: &Item) -> Outcome<()> {
        let Item { id, k, name, val, payload } = item;
        self.execute((id, k, name, val, payload))?;
        Ok(())
    }

    fn touch(&mut self, keys: &[i64]) -> Outcome<u64> {
        let columns = self.column_count();
        let mut rows = self.query(params_from_iter(keys))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            for at in 0..columns {
                std::hint::black_box(row.get_ref(at)?);
            }
            count += 1;
        }
        Ok(count)
    }

    fn rows(&mut self, keys: &[i64]) -> Outcome<Table> {
        let columns = self.column_count();
        let mut rows = self.query(params_from_iter(keys))?;
        let mut table = Table::new();
        while let Some(row) = rows.next()? {
            let cells = (0..columns).map(|at| row.get_ref(at).map(cell));
            table.push(cells.collect::<Result<_, _>>()?);
        }
        Ok(table)
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}
