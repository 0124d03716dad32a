//! PandoDB as a contender, through the library that applications use.
//!
//! Neighbours: `sqlite` does the same, `client` says what.

use std::path::Path;

use pandodb::{OpenOptions, ToSql, ToSqlOutput, ValueRef, params_from_iter};

use super::client::{CACHE_BYTES, Cell, Connection, Database, Durable, Statement, Table};
use super::items::Item;
use crate::turns::{Outcome, PANDO};

/// An open database.
pub(crate) struct Pando(pandodb::Database);

impl Database for Pando {
    const NAME: &'static str = PANDO;
    type Connection = pandodb::Connection;

    fn open(folder: &Path) -> Outcome<Self> {
        let path = folder.join("data.pando");
        Ok(Self(OpenOptions::new().cache_bytes(CACHE_BYTES).open(path)?))
    }

    fn connect(&self, durable: Durable) -> Outcome<Self::Connection> {
        let connection = self.0.connect()?;
        connection.busy_timeout(std::time::Duration::from_mins(1))?;
        connection.pragma_update("synchronous", durable.word())?;
        Ok(connection)
    }
}

impl Connection for pandodb::Connection {
    type Statement<'c> = pandodb::Statement<'c>;

    fn run_all(&self, sql: &str) -> Outcome<()> {
        Ok(self.execute_batch(sql)?)
    }

    fn prepare<'c>(&'c self, sql: &str) -> Outcome<Self::Statement<'c>> {
        Ok(pandodb::Connection::prepare(self, sql)?)
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        let handle = self.interrupt_handle();
        Box::new(move || handle.interrupt())
    }
}

impl Statement for pandodb::Statement<'_> {
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
    fn to_sql(&self) -> pandodb::Result<ToSqlOutput<'_>> {
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
