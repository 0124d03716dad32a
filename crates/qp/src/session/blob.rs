//! Values that are read and written in pieces: incremental blob I/O.
//!
//! A handle knows a value by the stored form of its row: the row's bytes where they are in a
//! leaf, the reference of its extents where they are large. Each call compares that with the row
//! of now, so that a row that was changed, deleted or rolled back is found out without a
//! transaction being kept open, and reads no more of a large row than the pieces that are asked
//! for. Writing replaces the row by an UPDATE of one column without triggers: indexes, CHECKs,
//! foreign keys, generated columns and conflicts of transactions are what they always are.
//! Neighbours: `inside` (the transaction around it), `ds::pager` (the pieces).

use std::cell::RefCell;

use pandodb_ds::format::PageRef;
use pandodb_ds::pager::OverflowParts;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::{ColumnKind, RowView};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Found;

use super::{Session, Sources};
use crate::ast::Name;
use crate::bind::Binder;
use crate::catalog::{Column, DatabaseIndex, Schema, Table, TableKind};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Context, Frame, Outer, Parameters, RunState, SharedTransaction, Versions};
use crate::modify::{modify_statement, quoted};
use crate::parse::parse_statement;
use crate::store::{HeadId, Transaction, TreeId};

/// How much of a large row is read to find its columns: the codes and lengths of all columns
/// that a table may have.
const HEAD_BYTES_MAX: u64 = 256 * 1024;

/// A text or blob of one row, open for pieces.
#[derive(Debug)]
pub struct BlobHandle {
    place: Place,
    row: Row,
}

/// Which column is meant.
#[derive(Debug)]
struct Place {
    database: DatabaseIndex,
    head: HeadId,
    table: Box<str>,
    column: Box<str>,
    tree: TreeId,
    position: usize,
    can_write: bool,
}

/// The row as it was seen last.
#[derive(Debug)]
struct Row {
    rowid: i64,
    stored: Stored,
    is_text: bool,
    /// Where the value begins in the row.
    start: u64,
    length: u64,
}

/// What a row is recognised by.
#[derive(Debug)]
enum Stored {
    /// Its bytes.
    Inline(Box<[u8]>),
    /// Its extents, and where their pieces are.
    Large(PageRef, RefCell<Option<OverflowParts>>),
    /// As `Inline`; the column was added later, and this is what it reads as.
    Missing(Box<[u8]>, Box<[u8]>),
}

impl BlobHandle {
    /// The length of the value, which stays as it is.
    pub fn len(&self) -> u64 {
        self.row.length
    }

    /// Whether the value has no byte.
    pub fn is_empty(&self) -> bool {
        self.row.length == 0
    }

    /// Whether it may be written.
    pub fn can_write(&self) -> bool {
        self.place.can_write
    }
}

impl Session {
    /// Opens a text or blob for reading it in pieces, and for writing if `can_write`.
    pub fn open_blob(
        &self,
        database: &str,
        table: &str,
        column: &str,
        rowid: i64,
        can_write: bool,
    ) -> Result<BlobHandle> {
        let index = self.database_named(&Name::new(database))?;
        let (below, head) = self.database(index)?;
        if can_write {
            below.check_writable(head)?;
        }
        self.reading(|sources, schemas| {
            let found = find(schemas, index, table)?;
            let at = found.column_index(column).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("no such column: \"{column}\""))
            })?;
            let found_column = &found.columns[at];
            if found_column.is_virtual() {
                let message = format!("cannot open virtual column: {}", found_column.name);
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            if can_write && found_column.generated.is_some() {
                let message = format!("cannot write generated column: {}", found_column.name);
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            if found.rowid_alias() == Some(at) {
                return Err(of_type("integer"));
            }
            let place = Place {
                database: index,
                head,
                table: found.name.clone(),
                column: found_column.name.clone(),
                tree: found.tree,
                position: found_column.position,
                can_write,
            };
            let row = read_row(transaction_of(sources, index)?, &place, found_column, rowid)?;
            Ok(BlobHandle { place, row })
        })
    }

    /// Moves a handle to the same column of another row, as it is now.
    pub fn reopen_blob(&self, handle: &mut BlobHandle, rowid: i64) -> Result<()> {
        let place = &handle.place;
        self.check_branch(place)?;
        let row = self.reading(|sources, schemas| {
            let (_, column) = column_of(schemas, place)?;
            read_row(transaction_of(sources, place.database)?, place, column, rowid)
        })?;
        handle.row = row;
        Ok(())
    }

    /// Reads from `offset` on until `buffer` is full or the value ends; says how much that was.
    pub fn read_blob(&self, handle: &BlobHandle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.check_branch(&handle.place)?;
        self.reading(|sources, schemas| {
            column_of(schemas, &handle.place)?;
            let transaction = transaction_of(sources, handle.place.database)?.borrow();
            check_same(&transaction, handle)?;
            read_piece(&transaction, &handle.row, offset, buffer)
        })
    }

    /// Writes `bytes` over those from `offset` on; the value does not become longer.
    pub fn write_blob(&self, handle: &mut BlobHandle, offset: u64, bytes: &[u8]) -> Result<()> {
        if !handle.place.can_write {
            let message = "the blob was opened for reading only";
            return Err(Error::new(ErrorKind::ReadOnly, message));
        }
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > handle.row.length) {
            let message = format!(
                "{} bytes at {offset} do not fit a blob of {} bytes",
                bytes.len(),
                handle.row.length
            );
            return Err(Error::new(ErrorKind::Range, message)
                .with_hint("the size of a blob stays: UPDATE it with zeroblob(N) first"));
        }
        self.check_branch(&handle.place)?;
        let place = &handle.place;
        let row = self.changing(place.database, |sources, schemas| {
            let (table, column) = column_of(&schemas, place)?;
            let mut value = vec![0; usize::try_from(handle.row.length).unwrap_or(usize::MAX)];
            {
                let transaction = transaction_of(&sources, place.database)?.borrow();
                check_same(&transaction, handle)?;
                read_piece(&transaction, &handle.row, 0, &mut value)?;
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            // It fits: the end was compared with the length.
            let from = offset as usize;
            value[from..from + bytes.len()].copy_from_slice(bytes);
            let value = if handle.row.is_text {
                Value::Text(Arc::from(value))
            } else {
                Value::Blob(Arc::from(value))
            };
            self.replace(table, place, handle.row.rowid, value, &sources, &schemas)?;
            let transaction = transaction_of(&sources, place.database)?;
            let row = read_row(transaction, place, column, handle.row.rowid)?;
            if row.is_text != handle.row.is_text || row.length != handle.row.length {
                let message = "the column would turn the text into a value of another type";
                return Err(Error::new(ErrorKind::Mismatch, message));
            }
            Ok(Some(row))
        })?;
        if let Some(row) = row {
            handle.row = row;
        }
        Ok(())
    }

    /// A handle is of the branch that it was opened on.
    fn check_branch(&self, place: &Place) -> Result<()> {
        let (_, head) = self.database(place.database)?;
        if head == place.head { Ok(()) } else { Err(expired("another branch is worked on")) }
    }

    /// Replaces the value as an UPDATE does, but fires no trigger.
    fn replace(
        &self,
        table: &Table,
        place: &Place,
        rowid: i64,
        value: Value,
        sources: &Sources,
        schemas: &[Arc<Schema>],
    ) -> Result<()> {
        let Some(key) = table.rowid_name().map(quoted) else {
            let message = "all names of the rowid are taken by columns";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let sql = format!(
            "UPDATE {}.{} SET {} = ?1 WHERE {key} = ?2",
            quoted(&self.database_name(place.database)),
            quoted(&place.table),
            quoted(&place.column)
        );
        let (statement, _) = parse_statement(&sql)?;
        let internal = || Error::new(ErrorKind::Internal, "the change of a blob is no UPDATE");
        let statement = statement.ok_or_else(internal)?;
        let versions = Versions::default();
        let mut plan = self.with_environment_at(schemas, sources, Some(&versions), |around| {
            modify_statement(&mut Binder::new(around, Arc::from(sql.as_str())), &statement)
        })?;
        if !plan.forget_triggers() {
            return Err(internal());
        }
        let settings = self.settings();
        let state = RunState::default();
        let context = Context {
            parameters: Parameters::Values(&[value, Value::Integer(rowid)]),
            session: self,
            collations: &self.collations,
            sources: crate::execute::Sources::Shared(sources),
            schemas,
            versions: &versions,
            interrupt: &self.interrupt,
            settings: &settings,
            counters: &self.counters,
            run: &state,
            compiler: self,
        };
        self.keeping_whole(|| {
            let mut frame = Frame::new(plan.layout);
            plan.run(&mut frame, Outer { context: &context, scope: None }).map(drop)
        })
    }
}

/// The table called so, if its rows can be opened.
fn find<'a>(schemas: &'a [Arc<Schema>], index: DatabaseIndex, name: &str) -> Result<&'a Table> {
    let schema = schemas.get(usize::from(index.0));
    let Some(table) = schema.and_then(|schema| schema.table(name)) else {
        let is_view = schema.is_some_and(|schema| schema.view(name).is_some());
        let (kind, what) = if is_view {
            (ErrorKind::Invalid, "cannot open view")
        } else {
            (ErrorKind::NotFound, "no such table")
        };
        return Err(Error::new(kind, format!("{what}: {name}")));
    };
    match table.kind {
        TableKind::Rowid { .. } => Ok(table),
        TableKind::WithoutRowid => {
            let message = format!("cannot open table without rowid: {name}");
            Err(Error::new(ErrorKind::Invalid, message))
        }
        TableKind::System(_) => {
            let message = format!("cannot open a table of the engine: {name}");
            Err(Error::new(ErrorKind::Invalid, message))
        }
    }
}

/// The column that a handle was opened on, if it is still what it was.
fn column_of<'a>(schemas: &'a [Arc<Schema>], place: &Place) -> Result<(&'a Table, &'a Column)> {
    let found = find(schemas, place.database, &place.table).ok().and_then(|table| {
        let column = &table.columns[table.column_index(&place.column)?];
        let is_same = table.tree == place.tree && column.position == place.position;
        is_same.then_some((table, column))
    });
    found.ok_or_else(|| expired("its table was changed"))
}

fn transaction_of(
    sources: &[Option<SharedTransaction>],
    index: DatabaseIndex,
) -> Result<&SharedTransaction> {
    let source = sources.get(usize::from(index.0)).and_then(Option::as_ref);
    source.ok_or_else(|| Error::new(ErrorKind::Internal, "a blob's database has no transaction"))
}

/// Reads where the value is, but not the value where it is large.
fn read_row(
    transaction: &SharedTransaction,
    place: &Place,
    column: &Column,
    rowid: i64,
) -> Result<Row> {
    let transaction = transaction.borrow();
    let inner = transaction.inner()?;
    let stored = inner.get_with(place.tree, &rowid_key(rowid), |found| match found {
        None => Err(Error::new(ErrorKind::NotFound, format!("no such rowid: {rowid}"))),
        Some(Found::Inline(bytes)) => Ok(Stored::Inline(bytes.into())),
        Some(Found::Large(page)) => Ok(Stored::Large(page, RefCell::default())),
        Some(Found::Subtree(..)) => {
            Err(Error::new(ErrorKind::Corrupt, "a tree stands where a row should"))
        }
    })??;
    let span = match &stored {
        Stored::Inline(bytes) | Stored::Missing(bytes, _) => {
            RowView::new(bytes)?.span(column.position)?
        }
        Stored::Large(page, parts) => {
            let mut head = vec![0; page.rows.min(HEAD_BYTES_MAX) as usize];
            let mut reader = inner.pager().open_overflow(page)?;
            let count = reader.read_at(0, &mut head)?;
            *parts.borrow_mut() = Some(reader.park());
            RowView::new(&head[..count])?.span(column.position)?
        }
    };
    let Some(span) = span else { return missing(stored, column, rowid) };
    let is_text = match span.kind {
        ColumnKind::Text => true,
        ColumnKind::Blob => false,
        ColumnKind::Null => return Err(of_type("null")),
        ColumnKind::Integer => return Err(of_type("integer")),
        ColumnKind::Real => return Err(of_type("real")),
    };
    let whole = match &stored {
        Stored::Inline(bytes) | Stored::Missing(bytes, _) => bytes.len() as u64,
        Stored::Large(page, _) => page.rows,
    };
    if span.range.end as u64 > whole {
        return Err(Error::new(ErrorKind::Corrupt, "a column lies behind the end of its row"));
    }
    let (start, length) = (span.range.start as u64, span.range.len() as u64);
    Ok(Row { rowid, stored, is_text, start, length })
}

/// A row that is older than the column.
fn missing(stored: Stored, column: &Column, rowid: i64) -> Result<Row> {
    let (value, is_text) = match column.missing.as_ref() {
        ValueRef::Text(bytes) => (bytes, true),
        ValueRef::Blob(bytes) => (bytes, false),
        ValueRef::Null => return Err(of_type("null")),
        ValueRef::Integer(_) => return Err(of_type("integer")),
        ValueRef::Real(_) => return Err(of_type("real")),
    };
    let Stored::Inline(bytes) = stored else {
        let message = "the row is older than the column, and too long to be read whole";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("UPDATE the column of that row first"));
    };
    let length = value.len() as u64;
    Ok(Row { rowid, stored: Stored::Missing(bytes, value.into()), is_text, start: 0, length })
}

/// Whether the row is the one that the handle has seen.
fn check_same(transaction: &Transaction, handle: &BlobHandle) -> Result<()> {
    let row = &handle.row;
    let key = rowid_key(row.rowid);
    let look = |found: Option<Found<'_>>| match (found, &row.stored) {
        (None, _) => Err(expired("its row is gone")),
        (Some(Found::Inline(now)), Stored::Inline(known) | Stored::Missing(known, _))
            if *now == **known =>
        {
            Ok(())
        }
        (Some(Found::Large(now)), Stored::Large(known, _)) if now == *known => Ok(()),
        _ => Err(expired("its row was changed")),
    };
    transaction.inner()?.get_with(handle.place.tree, &key, look)?
}

/// Reads a part of the value.
fn read_piece(
    transaction: &Transaction,
    row: &Row,
    offset: u64,
    buffer: &mut [u8],
) -> Result<usize> {
    let left = row.length.saturating_sub(offset);
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
    let buffer = &mut buffer[..count];
    if count == 0 {
        return Ok(0);
    }
    let from = row.start + offset;
    match &row.stored {
        Stored::Inline(bytes) | Stored::Missing(_, bytes) => {
            let from = from as usize;
            let piece = bytes.get(from..from + count).unwrap_or(&[]);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
        Stored::Large(page, parts) => {
            let pager = transaction.inner()?.pager();
            let mut reader = match parts.take() {
                Some(parts) => pager.resume_overflow(parts),
                None => pager.open_overflow(page)?,
            };
            let read = reader.read_at(from, buffer)?;
            parts.replace(Some(reader.park()));
            Ok(read)
        }
    }
}

#[cold]
fn expired(why: &str) -> Error {
    Error::new(ErrorKind::State, format!("the blob has expired: {why}"))
        .with_hint("open it again, or move it with reopen")
}

#[cold]
fn of_type(kind: &str) -> Error {
    Error::new(ErrorKind::Mismatch, format!("cannot open value of type {kind}"))
}
