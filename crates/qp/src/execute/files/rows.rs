//! Rows of values that are read in the order in which they came, by any number of readers.
//!
//! The first rows are in memory, those behind them in a file once the statement keeps too much. A
//! text or blob whose bytes are those of the row before is there once, in memory and in the file:
//! all rows of a window may have one long result. Neighbours: `operators::materialize` shares the
//! rows of common tables so, `operators::window` keeps its results.

use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use crate::error::Result;
use crate::execute::Context;
use crate::execute::memory::{SpillFile, Weight};
use crate::execute::operators::take_part;

/// How many bytes are in memory at least before there is a file: a window with countless small
/// partitions would make one for each of them. Where next to nothing may be kept it is less.
const KEPT_BYTES_MIN: u64 = 16 << 10;

/// Whether what is kept is worth a file, once the statement keeps too much.
pub(in crate::execute) fn is_worth_a_file(kept: &Weight, context: &Context<'_>) -> bool {
    kept.bytes() as u64 >= KEPT_BYTES_MIN.min(context.settings.memory_soft_bytes / 4)
}

/// What stands before a row in the file: how long it is. Then there are signs, one for each value,
/// and the values.
const LENGTH_BYTES: u64 = 8;

/// The sign of a value that stands there itself; others are those of the row before.
const OWN: u8 = 0;

/// Rows in their order.
#[derive(Debug, Default)]
pub(in crate::execute) struct ValueRows {
    /// The first rows.
    rows: Vec<Vec<Value>>,
    weight: Weight,
    file: Option<Box<FiledRows>>,
}

/// The rows behind those in memory.
#[derive(Debug)]
struct FiledRows {
    file: SpillFile,
    /// Where the last of them ends.
    end: u64,
    /// The last of them.
    last: Vec<Value>,
    bytes: Vec<u8>,
}

/// Where a reader is.
#[derive(Debug, Default)]
pub(in crate::execute) struct ValueReader {
    /// How many rows in memory it has seen.
    next: usize,
    /// A part of the file, where it ends, and how much of it was read.
    block: Vec<u8>,
    block_end: u64,
    at: usize,
    /// The last row of the file that was read.
    last: Vec<Value>,
    /// Holds the memory of the block on the statement's account.
    weight: Weight,
}

/// Whether a value has the very bytes of the one before it.
fn is_as_before(value: &Value, before: Option<&Value>) -> bool {
    match (value, before) {
        (Value::Text(bytes), Some(Value::Text(known)))
        | (Value::Blob(bytes), Some(Value::Blob(known))) => Arc::ptr_eq(bytes, known),
        _ => false,
    }
}

#[cold]
fn changed() -> pandodb_ds::Error {
    pandodb_ds::Error::corrupt("a temporary file was changed")
}

impl ValueRows {
    /// Appends a row.
    pub(in crate::execute) fn push(
        &mut self,
        row: Vec<Value>,
        context: &Context<'_>,
    ) -> Result<()> {
        if let Some(file) = &mut self.file {
            return file.push(row);
        }
        let before = self.rows.last().map_or(&[][..], Vec::as_slice);
        let texts = row.iter().enumerate().map(|(place, value)| match value {
            _ if is_as_before(value, before.get(place)) => 0,
            Value::Text(bytes) | Value::Blob(bytes) => bytes.len() + size_of::<[usize; 2]>(),
            _ => 0,
        });
        let bytes = size_of::<Vec<Value>>() + size_of_val(row.as_slice()) + texts.sum::<usize>();
        let is_too_much = self.weight.add(bytes, context)?;
        self.rows.push(row);
        if is_too_much && is_worth_a_file(&self.weight, context) {
            let file = SpillFile::create(context)?;
            let (last, bytes) = (Vec::new(), Vec::new());
            self.file = Some(Box::new(FiledRows { file, end: 0, last, bytes }));
        }
        Ok(())
    }

    /// All rows have come.
    pub(in crate::execute) fn finish(&mut self) -> Result<()> {
        let Some(filed) = &mut self.file else { return Ok(()) };
        (filed.last, filed.bytes) = (Vec::new(), Vec::new());
        filed.file.seal()
    }

    /// The next row of a reader.
    pub(in crate::execute) fn next(
        &self,
        reader: &mut ValueReader,
        context: &Context<'_>,
    ) -> Result<Option<Vec<Value>>> {
        let Some(row) = self.rows.get(reader.next) else { return self.next_filed(reader, context) };
        reader.next += 1;
        Ok(Some(row.clone()))
    }

    /// The next row of the only reader.
    pub(in crate::execute) fn take_next(
        &mut self,
        reader: &mut ValueReader,
        context: &Context<'_>,
    ) -> Result<Option<Vec<Value>>> {
        let Some(row) = self.rows.get_mut(reader.next) else {
            return self.next_filed(reader, context);
        };
        reader.next += 1;
        Ok(Some(std::mem::take(row)))
    }

    fn next_filed(
        &self,
        reader: &mut ValueReader,
        context: &Context<'_>,
    ) -> Result<Option<Vec<Value>>> {
        match &self.file {
            Some(filed) => reader.read(filed, context),
            None => Ok(None),
        }
    }
}

impl FiledRows {
    fn push(&mut self, row: Vec<Value>) -> Result<()> {
        let told: Vec<u8> = row
            .iter()
            .enumerate()
            .map(|(place, value)| u8::from(is_as_before(value, self.last.get(place))))
            .collect();
        let own: Vec<ValueRef<'_>> = row
            .iter()
            .zip(&told)
            .map(|(value, told)| if *told == OWN { value.as_ref() } else { ValueRef::Null })
            .collect();
        self.bytes.clear();
        encode_row(&own, &mut self.bytes)?;
        let length = LENGTH_BYTES + (self.bytes.len() + told.len()) as u64;
        self.file.append(&length.to_le_bytes())?;
        self.file.append(&(told.len() as u64).to_le_bytes())?;
        self.file.append(&told)?;
        self.end = self.file.append(&self.bytes)?;
        self.last = row;
        Ok(())
    }
}

impl ValueReader {
    fn read(&mut self, filed: &FiledRows, context: &Context<'_>) -> Result<Option<Vec<Value>>> {
        if self.at == self.block.len() && self.block_end == filed.end {
            return Ok(None);
        }
        self.hold(LENGTH_BYTES, filed, context)?;
        let length = self.block[self.at..].first_chunk().ok_or_else(changed)?;
        let length = u64::from_le_bytes(*length);
        self.hold(LENGTH_BYTES.saturating_add(length), filed, context)?;
        let start = self.at + LENGTH_BYTES as usize;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let end = end.ok_or_else(changed)?;
        let entry = self.block.get(start..end).ok_or_else(changed)?;
        self.last = decode(entry, &self.last)?;
        self.at = end;
        Ok(Some(self.last.clone()))
    }

    /// Sees to it that the next `count` bytes are in the block.
    fn hold(&mut self, count: u64, filed: &FiledRows, context: &Context<'_>) -> Result<()> {
        let held = (self.block.len() - self.at) as u64;
        if held >= count {
            return Ok(());
        }
        let start = self.block_end - held;
        if count > filed.end - start {
            return Err(changed().into());
        }
        let end = filed.end.min(start + count.max(filed.file.block_bytes() as u64));
        filed.file.read_sealed(start..end, &mut self.block)?;
        (self.block_end, self.at) = (end, 0);
        let grown = self.block.capacity() as isize - self.weight.bytes() as isize;
        self.weight.change(grown, context).map(drop)
    }
}

/// The row that was made to these bytes, behind a row.
fn decode(mut entry: &[u8], before: &[Value]) -> Result<Vec<Value>> {
    let told = take_part(&mut entry)?;
    let mut row = Vec::with_capacity(told.len());
    for (place, value) in RowView::new(entry)?.columns().enumerate() {
        let value = value?;
        row.push(match told.get(place) {
            Some(&OWN) => value.to_owned(),
            _ => before.get(place).cloned().ok_or_else(changed)?,
        });
    }
    Ok(row)
}

// Neighbours: `memory` has the files.
