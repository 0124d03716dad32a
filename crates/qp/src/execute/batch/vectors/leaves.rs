//! Rows that are still in their leaves: where each is, and how its columns are decoded.
//!
//! A scan notes for each row which page holds it and where; the pages are held, so that a column
//! can be decoded after predicates on other columns have thrown most rows away. All rows of a
//! batch are decoded column by column or, where several columns are wanted, row by row in one
//! pass over each row's head. Neighbours: `scan` fills these, `pandodb_ds::record::row` is the
//! form of a row.

use pandodb_ds::page::{Body, Node};
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::row::{Projector, RowBytes};
use pandodb_ds::sync::Arc;

use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::vector::{Sink, Vector};
use crate::scalar::ROWID;

/// A page that is held, or a large value that was read.
#[derive(Debug)]
pub(in crate::execute::batch) enum Page {
    Leaf(Arc<Node>),
    Large(Vec<u8>),
}

/// What the columns of a table are to a program.
#[derive(Debug)]
pub(in crate::execute::batch) struct TableColumns {
    pub(in crate::execute::batch) table: Arc<Table>,
    /// By the program's numbers: the position in the row, [`ROWID`], or none of this table.
    pub(in crate::execute::batch) positions: Vec<Option<u16>>,
}

/// Rows in their leaves.
#[derive(Clone, Debug)]
pub(in crate::execute::batch) struct LeafRows {
    pub(in crate::execute::batch) columns: Arc<TableColumns>,
    pub(in crate::execute::batch) pages: Arc<Vec<Page>>,
    /// Where the rows are in their pages.
    pub(in crate::execute::batch) spots: Vec<RowBytes>,
    /// How many of the rows are in each page.
    pub(in crate::execute::batch) counts: Vec<u32>,
}

impl LeafRows {
    /// Only these rows, whose numbers ascend.
    pub(in crate::execute::batch) fn pick(&self, rows: &[u32]) -> Self {
        let spots = rows.iter().map(|row| self.spots[*row as usize]).collect();
        let mut counts = Vec::with_capacity(self.counts.len());
        let (mut end, mut rest) = (0, rows);
        for count in &self.counts {
            end += count;
            let (here, behind) = rest.split_at(rest.partition_point(|row| *row < end));
            counts.push(here.len() as u32);
            rest = behind;
        }
        Self { columns: self.columns.clone(), pages: self.pages.clone(), spots, counts }
    }

    fn position(&self, number: usize) -> Result<usize> {
        match self.columns.positions.get(number) {
            Some(Some(position)) if *position != ROWID => Ok(usize::from(*position)),
            _ => Err(Error::new(ErrorKind::Internal, "a batch has no such column in its leaves")),
        }
    }

    /// Reads these columns, which ascend, into vectors.
    fn read(&self, positions: &[usize], vectors: &mut [Vector]) -> Result<()> {
        let table = &self.columns.table;
        let missing: Vec<ValueRef<'_>> =
            positions.iter().map(|position| table.missing_value(*position).as_ref()).collect();
        let mut projector = Projector::new(positions);
        let mut sink = Sink { vectors, missing: &missing };
        let mut rest = self.spots.as_slice();
        for (page, count) in self.pages.iter().zip(&self.counts) {
            let Some((spots, behind)) = rest.split_at_checked(*count as usize) else { break };
            rest = behind;
            let bytes = match page {
                Page::Leaf(node) => match node.body() {
                    Body::Leaf(leaf) => leaf.page_bytes(),
                    Body::Inner(_) => return Err(lost()),
                },
                Page::Large(bytes) => bytes,
            };
            projector.read(bytes, spots, &mut sink)?;
        }
        Ok(())
    }

    /// Column `number` of all rows.
    pub(in crate::execute::batch) fn decode(&self, number: usize) -> Result<Vector> {
        let mut vector = Vector::with_capacity(self.spots.len());
        self.read(&[self.position(number)?], std::slice::from_mut(&mut vector))?;
        Ok(vector)
    }

    /// Several columns of all rows.
    pub(in crate::execute::batch) fn decode_many(&self, numbers: &[usize]) -> Result<Vec<Vector>> {
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(numbers.len());
        for (place, number) in numbers.iter().enumerate() {
            order.push((self.position(*number)?, place));
        }
        order.sort_unstable();
        let positions: Vec<usize> = order.iter().map(|(position, _)| *position).collect();
        let mut read: Vec<Vector> =
            numbers.iter().map(|_| Vector::with_capacity(self.spots.len())).collect();
        self.read(&positions, &mut read)?;
        let mut vectors: Vec<Vector> = numbers.iter().map(|_| Vector::default()).collect();
        for ((_, place), vector) in order.iter().zip(read) {
            vectors[*place] = vector;
        }
        Ok(vectors)
    }
}

#[cold]
fn lost() -> Error {
    Error::new(ErrorKind::Internal, "a batch lost a page")
}

// Neighbours: `scan`, `batch`.
