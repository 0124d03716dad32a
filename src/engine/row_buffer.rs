//! One row, in memory that is used again for the next.
//!
//! The engine computes the values of a row once and lends them only while it does; this keeps
//! them until the next row. Texts and blobs go into one buffer, so that after the first rows
//! nothing is allocated any more. Neighbours: `session` fills it, `row` reads it.

use crate::value::ValueRef;

/// A value, with texts and blobs as places in the buffer.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(usize, usize),
    Blob(usize, usize),
}

/// The values of one row.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    cells: Vec<Cell>,
    bytes: Vec<u8>,
}

impl RowBuffer {
    /// Forgets the row but keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.bytes.clear();
    }

    /// Adds the next value.
    pub(crate) fn push(&mut self, value: ValueRef<'_>) {
        let cell = match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(bytes) => {
                let (start, end) = self.keep(bytes);
                Cell::Text(start, end)
            }
            ValueRef::Blob(bytes) => {
                let (start, end) = self.keep(bytes);
                Cell::Blob(start, end)
            }
        };
        self.cells.push(cell);
    }

    fn keep(&mut self, bytes: &[u8]) -> (usize, usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        (start, self.bytes.len())
    }

    /// A value; NULL where there is none.
    pub(crate) fn get(&self, at: usize) -> ValueRef<'_> {
        match self.cells.get(at) {
            None | Some(Cell::Null) => ValueRef::Null,
            Some(Cell::Integer(number)) => ValueRef::Integer(*number),
            Some(Cell::Real(number)) => ValueRef::Real(*number),
            Some(Cell::Text(start, end)) => ValueRef::Text(&self.bytes[*start..*end]),
            Some(Cell::Blob(start, end)) => ValueRef::Blob(&self.bytes[*start..*end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_went_in() {
        let values = [
            ValueRef::Text(b"oak"),
            ValueRef::Null,
            ValueRef::Blob(b""),
            ValueRef::Integer(-1),
            ValueRef::Real(0.5),
            ValueRef::Text(b"\xff"),
        ];
        let mut buffer = RowBuffer::default();
        for _ in 0..2 {
            buffer.clear();
            for value in &values {
                buffer.push(*value);
            }
            for (at, value) in values.iter().enumerate() {
                assert_eq!(buffer.get(at), *value);
            }
            assert_eq!(buffer.get(values.len()), ValueRef::Null);
        }
    }
}
