//! Kept rows by number: in memory, and in a file from where the statement keeps too much.
//!
//! Joins, windows and materializations read kept rows again by number, in any order. What was
//! kept before the statement passed its soft limit stays in memory; every later row goes to a
//! file, of which only where each row ends is kept. Rows that are read one after the other are
//! read in large blocks, others each by itself. Rows that are read once, in their order, form a
//! queue, which keeps nothing of those in its file. Neighbours: `materialize` has the row, `memory`
//! the limits and files.

use std::collections::VecDeque;

use pandodb_ds::record::row::{RowView, encode_values};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use super::materialize::KeptRow;
use crate::catalog::Table;
use crate::error::Result;
use crate::execute::files::rows::is_worth_a_file;
use crate::execute::memory::{SpillFile, SpillReader, Weight};
use crate::execute::{Context, Kept};

const NULL: u8 = 0;
const RECORD: u8 = 1;
const VALUES: u8 = 2;

/// Rows to bytes and back. Tables are known by number, because a row only names its own.
#[derive(Debug, Default)]
pub(super) struct RowCodec {
    tables: Vec<Arc<Table>>,
}

/// Rows by number.
#[derive(Debug, Default)]
pub(super) struct RowStore {
    /// The first rows.
    rows: Vec<KeptRow>,
    weight: Weight,
    /// The others.
    file: Option<Box<StoredRows>>,
}

/// Rows that are read once, in the order in which they came: the first in memory, the others in a
/// file.
#[derive(Debug, Default)]
pub(super) struct RowQueue {
    rows: VecDeque<KeptRow>,
    weight: Weight,
    codec: RowCodec,
    /// Made when the queue keeps too much, but not for a few rows; then read.
    written: Option<SpillFile>,
    read: Option<SpillReader>,
    bytes: Vec<u8>,
}

/// Rows by number in a file.
#[derive(Debug)]
pub(super) struct StoredRows {
    file: SpillFile,
    codec: RowCodec,
    /// Where each ends.
    ends: Vec<u64>,
    /// Two parts of the file, for who follows two rows through it; the one that was asked last.
    blocks: [Block; 2],
    recent: usize,
    bytes: Vec<u8>,
}

/// A part of a file, and where it begins.
#[derive(Debug, Default)]
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl RowCodec {
    /// Appends the bytes of a row.
    pub(super) fn encode(&mut self, row: &KeptRow, bytes: &mut Vec<u8>) -> Result<()> {
        for kept in &row.0 {
            match kept {
                Kept::Null => bytes.push(NULL),
                Kept::Record { table, rowid, bytes: record } => {
                    bytes.push(RECORD);
                    bytes.extend_from_slice(&self.number_of(table).to_le_bytes());
                    bytes.extend_from_slice(&rowid.to_le_bytes());
                    push_part(record, bytes);
                }
                Kept::Values { rowid, values } => {
                    bytes.push(VALUES);
                    bytes.extend_from_slice(&rowid.to_le_bytes());
                    let mut record = Vec::new();
                    encode_values(values, &mut record)?;
                    push_part(&record, bytes);
                }
            }
        }
        Ok(())
    }

    fn number_of(&mut self, table: &Arc<Table>) -> u64 {
        let known = self.tables.iter().position(|known| Arc::ptr_eq(known, table));
        let number = known.unwrap_or_else(|| {
            self.tables.push(Arc::clone(table));
            self.tables.len() - 1
        });
        number as u64
    }

    /// The row that was made to these bytes.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<KeptRow> {
        let mut row = KeptRow::default();
        let mut rest = bytes;
        while let Some(kind) = rest.split_off_first() {
            row.0.push(match *kind {
                NULL => Kept::Null,
                RECORD => {
                    let number = usize::try_from(take_word(&mut rest)?).ok();
                    let table = number.and_then(|number| self.tables.get(number));
                    let table = table.cloned().ok_or_else(changed)?;
                    let rowid = take_word(&mut rest)? as i64;
                    Kept::Record { table, rowid, bytes: Arc::from(take_part(&mut rest)?) }
                }
                VALUES => {
                    let rowid = take_word(&mut rest)? as i64;
                    let record = RowView::new(take_part(&mut rest)?)?;
                    let values: std::result::Result<Vec<Value>, _> =
                        record.columns().map(|value| value.map(ValueRef::to_owned)).collect();
                    Kept::Values { rowid, values: values? }
                }
                _ => return Err(changed().into()),
            });
        }
        Ok(row)
    }
}

pub(super) fn push_part(part: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

pub(in crate::execute) fn take_word(rest: &mut &[u8]) -> Result<u64> {
    let word = rest.split_off(..8).ok_or_else(changed)?;
    let mut bytes = [0; 8];
    bytes.copy_from_slice(word);
    Ok(u64::from_le_bytes(bytes))
}

pub(in crate::execute) fn take_part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = usize::try_from(take_word(rest)?).ok();
    Ok(length.and_then(|length| rest.split_off(..length)).ok_or_else(changed)?)
}

#[cold]
fn changed() -> pandodb_ds::Error {
    pandodb_ds::Error::corrupt("a temporary file was changed")
}

impl RowStore {
    /// Keeps a row under the next number.
    pub(super) fn push(&mut self, row: KeptRow, context: &Context<'_>) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.push(&row)?;
            return self.weight.add(size_of::<u64>(), context).map(drop);
        }
        let is_too_much = self.weight.add(row.memory_bytes(), context)?;
        self.rows.push(row);
        if is_too_much {
            self.file = Some(Box::new(StoredRows::create(context)?));
        }
        Ok(())
    }

    /// Says that something else is kept beside the rows.
    pub(super) fn weigh_also(&mut self, bytes: usize, context: &Context<'_>) -> Result<()> {
        self.weight.add(bytes, context).map(drop)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.file.as_ref().map_or(0, |file| file.ends.len())
    }

    /// The row under a number; `None` behind the last.
    #[inline]
    pub(super) fn get(&mut self, number: usize) -> Result<Option<KeptRow>> {
        if let Some(row) = self.rows.get(number) {
            return Ok(Some(row.clone()));
        }
        match &mut self.file {
            Some(file) => file.get(number - self.rows.len()),
            None => Ok(None),
        }
    }
}

impl RowQueue {
    /// Appends a row.
    pub(super) fn push(&mut self, row: KeptRow, context: &Context<'_>) -> Result<()> {
        if let Some(file) = &mut self.written {
            self.bytes.clear();
            self.codec.encode(&row, &mut self.bytes)?;
            return file.write(&[&self.bytes]);
        }
        let is_too_much = self.weight.add(row.memory_bytes(), context)?;
        self.rows.push_back(row);
        if is_too_much && is_worth_a_file(&self.weight, context) {
            self.written = Some(SpillFile::create(context)?);
        }
        Ok(())
    }

    /// All rows have come.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.read = self.written.take().map(SpillFile::into_reader).transpose()?;
        Ok(())
    }

    /// Whether rows wait in a file, which is read when all have come.
    pub(super) fn is_filed(&self) -> bool {
        self.written.is_some()
    }

    /// The first row, as long as none was taken.
    pub(super) fn first(&self) -> Option<&KeptRow> {
        self.rows.front()
    }

    /// Takes the next row.
    pub(super) fn pop(&mut self, context: &Context<'_>) -> Result<Option<KeptRow>> {
        if let Some(row) = self.rows.pop_front() {
            self.weight.change(-(row.memory_bytes() as isize), context)?;
            return Ok(Some(row));
        }
        let Some(reader) = &mut self.read else { return Ok(None) };
        if !reader.read(&mut self.bytes)? {
            self.read = None;
            return Ok(None);
        }
        self.codec.decode(&self.bytes).map(Some)
    }
}

impl StoredRows {
    pub(super) fn create(context: &Context<'_>) -> Result<Self> {
        Ok(Self {
            file: SpillFile::create(context)?,
            codec: RowCodec::default(),
            ends: Vec::new(),
            blocks: <[Block; 2]>::default(),
            recent: 0,
            bytes: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, row: &KeptRow) -> Result<()> {
        self.bytes.clear();
        self.codec.encode(row, &mut self.bytes)?;
        let end = self.file.append(&self.bytes)?;
        self.ends.push(end);
        Ok(())
    }

    pub(super) fn get(&mut self, number: usize) -> Result<Option<KeptRow>> {
        let Some(&end) = self.ends.get(number) else { return Ok(None) };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = start.copied().unwrap_or(0);
        let holds = |block: &Block| block.start <= start && end <= block.end();
        self.recent = match self.blocks.iter().position(holds) {
            Some(place) => place,
            None => self.read(start, end)?,
        };
        let block = &self.blocks[self.recent];
        let place = |at: u64| (at - block.start) as usize;
        let bytes = block.bytes.get(place(start)..place(end)).ok_or_else(changed)?;
        self.codec.decode(bytes).map(Some)
    }

    /// Reads a part of the file into the block that it goes on with, or by itself into the one
    /// that was asked longer ago; tells which.
    fn read(&mut self, start: u64, end: u64) -> Result<usize> {
        let goes_on = |block: &Block| (block.start..=block.end()).contains(&start) && start > 0;
        let continued = self.blocks.iter().position(goes_on);
        let place = continued.unwrap_or(1 - self.recent);
        let mut read_end = end;
        if continued.is_some() {
            let file_end = self.ends.last().copied().unwrap_or(end);
            read_end = end.max(file_end.min(start + self.file.block_bytes() as u64));
        }
        let others = self.blocks[1 - place].bytes.capacity();
        let block = &mut self.blocks[place];
        block.start = start;
        self.file.read(start..read_end, &mut block.bytes, others)?;
        Ok(place)
    }
}
