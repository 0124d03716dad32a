//! The right rows of a loop over a search: found by key, read into vectors.
//!
//! Neighbours: `search` says what is sought, `operators::scan` does the same for single rows.

use pandodb_ds::record::key::{
    decode_column, prefix_successor, push_column, rowid_key, skip_column,
};
use pandodb_ds::record::row::{RowView, project_row};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree;

use crate::catalog::Index;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::Run;
use crate::execute::batch::expression::Column;
use crate::execute::batch::vector::Vector;
use crate::execute::operators::{exact_rowid, sought};
use crate::execute::row::index_rowid;
use crate::plan::{AccessPath, IndexEqual, IndexPath, Scan};
use crate::scalar::ROWID;
use crate::store::Cursor;
use crate::types::{Datum, apply_affinity};

/// Whether there is a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute::batch) enum Place {
    Found,
    Nowhere,
}

/// Cursors that look for rows by key.
#[derive(Debug)]
pub(in crate::execute::batch) struct Finder {
    /// The table's cursor; none where the index has all that is read.
    table: Option<Cursor>,
    index: Option<Cursor>,
    /// The key of what is looked for; entries of an index begin with it.
    key: Vec<u8>,
    rowid: i64,
    reads: Arc<Reads>,
    scratch: Vec<u8>,
}

/// What threads make finders of their own of, as long as the first one is there.
#[derive(Debug)]
pub(in crate::execute::batch) struct LentFinder {
    table: Option<tree::Cursor>,
    index: Option<tree::Cursor>,
    reads: Arc<Reads>,
}

impl LentFinder {
    /// A finder of its own.
    pub(in crate::execute::batch) fn finder(&self) -> Finder {
        Finder {
            table: self.table.clone().map(Cursor::of_lent),
            index: self.index.clone().map(Cursor::of_lent),
            key: Vec::new(),
            rowid: 0,
            reads: Arc::clone(&self.reads),
            scratch: Vec::new(),
        }
    }
}

/// What is read of a row.
#[derive(Debug)]
struct Reads {
    /// Positions in the stored row, ascending, and the vectors that they go to.
    positions: Vec<usize>,
    vectors: Vec<usize>,
    /// What the table's old rows do not have.
    missing: Vec<Value>,
    /// The vectors that rowids go to.
    rowids: Vec<usize>,
    /// Parts of the index, ascending, and the vectors that they go to.
    parts: Vec<(usize, usize)>,
    /// The direction of each column of the index.
    directions: Vec<bool>,
}

impl Finder {
    pub(in crate::execute::batch) fn open(
        scan: &Scan,
        columns: &[(usize, u16)],
        run: &Run<'_>,
    ) -> Result<Self> {
        let context = run.outer.context;
        let index = match &scan.path {
            AccessPath::Index(IndexPath { index: Some(index), covering, .. }) => {
                Some((index, *covering))
            }
            _ => None,
        };
        let is_covering = index.is_some_and(|(_, covering)| covering);
        let table =
            if is_covering { None } else { Some(context.cursor(scan.source, scan.table.tree)?) };
        let reads = match index {
            Some((index, true)) => Reads::of_index(scan, index, columns)?,
            _ => Reads::of_table(scan, columns),
        };
        let index = match index {
            Some((index, _)) => Some(context.cursor(scan.source, index.tree)?),
            None => None,
        };
        let reads = Arc::new(reads);
        Ok(Self { table, index, key: Vec::new(), rowid: 0, reads, scratch: Vec::new() })
    }

    /// What other threads find rows with; none where the transaction notes what it reads.
    pub(in crate::execute::batch) fn lend(&self) -> Option<LentFinder> {
        let lend = |cursor: &Option<Cursor>| match cursor {
            Some(cursor) => cursor.lend().map(Some),
            None => Some(None),
        };
        let (table, index) = (lend(&self.table)?, lend(&self.index)?);
        Some(LentFinder { table, index, reads: Arc::clone(&self.reads) })
    }

    /// Goes to the first row for the keys of left row `row`.
    pub(in crate::execute::batch) fn seek(
        &mut self,
        scan: &Scan,
        keys: &[Column],
        row: usize,
    ) -> Result<Place> {
        let found = match (&scan.path, keys) {
            (AccessPath::Index(path), keys) => self.seek_index(path, keys, row)?,
            (_, [key]) => match (exact_rowid(key.get(row)), &mut self.table) {
                (Some(rowid), Some(table)) => {
                    self.rowid = rowid;
                    table.seek_exact(&rowid_key(rowid))?
                }
                _ => false,
            },
            _ => return Err(lost()),
        };
        Ok(if found { Place::Found } else { Place::Nowhere })
    }

    fn seek_index(&mut self, path: &IndexPath, keys: &[Column], row: usize) -> Result<bool> {
        let (Some(index), Some(cursor)) = (&path.index, &mut self.index) else {
            return Err(lost());
        };
        self.key.clear();
        for ((equal, column), key) in path.equals.iter().zip(&index.columns).zip(keys) {
            let IndexEqual::Value { is, affinity, .. } = equal else { return Err(lost()) };
            let value = apply_affinity(Datum::Ref(key.get(row)), sought(*affinity));
            if value.is_null() && !is {
                return Ok(false);
            }
            push_column(value.as_ref(), column.order(), &mut self.key)?;
        }
        if cursor.is_noted() {
            cursor.limit(&self.key, prefix_successor(&self.key).as_deref());
        }
        if !(cursor.seek(&self.key)? && cursor.key().starts_with(&self.key)) {
            return Ok(false);
        }
        self.arrive()
    }

    /// Goes to the next row for the same keys.
    pub(in crate::execute::batch) fn next(&mut self) -> Result<bool> {
        let Some(cursor) = &mut self.index else { return Ok(false) };
        if !(cursor.next()? && cursor.key().starts_with(&self.key)) {
            return Ok(false);
        }
        self.arrive()
    }

    /// Goes from an index entry to its row.
    fn arrive(&mut self) -> Result<bool> {
        let Some(cursor) = &self.index else { return Err(lost()) };
        let before = self.rowid;
        self.rowid = index_rowid(cursor.key())?;
        if let Some(table) = &mut self.table
            && !is_behind(table, before, self.rowid)?
            && !table.seek_exact(&rowid_key(self.rowid))?
        {
            let message = "an index leads to a row that is not there";
            return Err(pandodb_ds::Error::corrupt(message).into());
        }
        Ok(true)
    }

    /// Reads the row into vectors.
    pub(in crate::execute::batch) fn read(&mut self, into: &mut [Vector]) -> Result<()> {
        let Self { table, index, rowid, reads, scratch, .. } = self;
        for place in &reads.rowids {
            into[*place].push_integer(*rowid);
        }
        if let Some(table) = table {
            if reads.positions.is_empty() {
                return Ok(());
            }
            return Ok(project_row(table.value()?, &reads.positions, |place, value| {
                let missing = || reads.missing[place].as_ref();
                into[reads.vectors[place]].push(value.unwrap_or_else(missing));
            })?);
        }
        let Some(index) = index else { return Err(lost()) };
        if reads.parts.is_empty() {
            return Ok(());
        }
        let exact = index.value()?;
        if !exact.is_empty() {
            let view = RowView::new(exact)?;
            for (part, place) in &reads.parts {
                into[*place].push(view.column(*part)?.unwrap_or(ValueRef::Null));
            }
            return Ok(());
        }
        let mut key = index.key();
        let mut parts = reads.parts.iter().peekable();
        for (place, descending) in reads.directions.iter().enumerate() {
            let len = match parts.next_if(|(part, _)| *part == place) {
                Some((_, vector)) => {
                    let (value, len) = decode_column(key, *descending, false, scratch)?;
                    into[*vector].push(value);
                    len
                }
                None => skip_column(key, *descending)?,
            };
            if parts.peek().is_none() {
                break;
            }
            key = key.get(len..).unwrap_or(&[]);
        }
        Ok(())
    }
}

/// Whether a cursor that stood at a row goes to the next one, where that is what is wanted: rows
/// that were put in together often are neighbours.
fn is_behind(table: &mut Cursor, row: i64, wanted: i64) -> Result<bool> {
    let is_next = row.checked_add(1) == Some(wanted) && !table.is_noted();
    Ok(is_next
        && table.key() == rowid_key(row)
        && table.next()?
        && table.key() == rowid_key(wanted))
}

impl Reads {
    fn new() -> Self {
        Self {
            positions: Vec::new(),
            vectors: Vec::new(),
            missing: Vec::new(),
            rowids: Vec::new(),
            parts: Vec::new(),
            directions: Vec::new(),
        }
    }

    /// Columns of the stored row.
    fn of_table(scan: &Scan, columns: &[(usize, u16)]) -> Self {
        let mut reads = Self::new();
        let mut stored = Vec::new();
        for (place, (_, column)) in columns.iter().enumerate() {
            if *column == ROWID {
                reads.rowids.push(place);
            } else {
                stored.push((usize::from(*column), place));
            }
        }
        stored.sort_unstable();
        for (position, place) in stored {
            reads.positions.push(position);
            reads.vectors.push(place);
            reads.missing.push(scan.table.missing_value(position).clone());
        }
        reads
    }

    /// Columns that are all in the index.
    fn of_index(scan: &Scan, index: &Index, columns: &[(usize, u16)]) -> Result<Self> {
        let mut reads = Self::new();
        reads.directions = index.orders().map(|order| order.descending).collect();
        for (place, (_, column)) in columns.iter().enumerate() {
            if *column == ROWID {
                reads.rowids.push(place);
                continue;
            }
            let part = index.columns.iter().position(|part| {
                let position = part.column().map(|it| scan.table.columns[it].position);
                position == Some(usize::from(*column))
            });
            reads.parts.push((part.ok_or_else(lost)?, place));
        }
        reads.parts.sort_unstable();
        Ok(reads)
    }
}

#[cold]
fn lost() -> Error {
    Error::new(ErrorKind::Internal, "a search in batches stands for another way into a table")
}

// Neighbours: `search`.
