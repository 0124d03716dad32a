//! The row that a statement lends: numbers as they are, texts and blobs as places.
//!
//! Most results are columns of one stored row. Those are decoded in one pass over its record, and
//! their texts stay where they are, in the page on which the cursor stands: a text that is asked
//! for is a slice of it, and one that is not asked for is never touched. What was computed, or
//! comes from anywhere else, is copied into a buffer that the next row uses again. So the row is
//! complete, with all its errors, when the step to it returns, and nothing is allocated for it
//! after the first rows. Neighbours: `session::statement` fills and lends it, `row` has the slots.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::row::project_row;

use super::Scope;
use crate::error::Result;
use crate::scalar::{ROWID, Scalar, SlotId};

/// Which outputs are read straight from a stored row, and which are evaluated.
#[derive(Debug, Default)]
pub struct Projection {
    /// The slot of the stored row.
    slot: Option<SlotId>,
    /// The positions that are read of it, ascending.
    positions: Box<[usize]>,
    /// The outputs that they are.
    targets: Box<[usize]>,
    /// The outputs that are its rowid.
    rowids: Box<[usize]>,
    /// The other outputs.
    computed: Box<[usize]>,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, Default)]
enum Cell {
    #[default]
    Null,
    Integer(i64),
    Real(f64),
    /// A text in the buffer.
    Text(Place),
    /// A blob in the buffer.
    Blob(Place),
    /// A text in the stored row.
    StoredText(Place),
    /// A blob in the stored row.
    StoredBlob(Place),
}

/// Where bytes are.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    end: usize,
}

/// Memory for a row, used again for the next.
#[derive(Debug, Default)]
pub struct RowCells {
    cells: Vec<Cell>,
    bytes: Vec<u8>,
    /// Whether texts may be in a stored row.
    has_stored: bool,
}

/// The current row of a statement.
#[derive(Clone, Copy, Debug, Default)]
pub struct LentRow<'r> {
    cells: &'r [Cell],
    bytes: &'r [u8],
    stored: &'r [u8],
}

impl Projection {
    /// Sorts the outputs of a query.
    pub fn of(outputs: &[Scalar]) -> Self {
        let own = |output: &Scalar| match output {
            Scalar::Column(place) if place.depth == 0 => Some((place.slot, place.column)),
            _ => None,
        };
        let Some((slot, _)) = outputs.iter().find_map(own) else { return Self::default() };
        let (mut columns, mut rowids, mut computed) = (Vec::new(), Vec::new(), Vec::new());
        for (target, output) in outputs.iter().enumerate() {
            match own(output).filter(|(found, _)| *found == slot) {
                Some((_, ROWID)) => rowids.push(target),
                Some((_, column)) => columns.push((usize::from(column), target)),
                None => computed.push(target),
            }
        }
        columns.sort_unstable();
        // A column that is there twice is read from the row once.
        let mut last = None;
        columns.retain(|&(position, target)| {
            let is_new = last.replace(position) != Some(position);
            if !is_new {
                computed.push(target);
            }
            is_new
        });
        let (positions, targets): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Self {
            slot: Some(slot),
            positions: positions.into_boxed_slice(),
            targets: targets.into_boxed_slice(),
            rowids: rowids.into_boxed_slice(),
            computed: computed.into_boxed_slice(),
        }
    }

    /// The slot whose stored row is lent.
    pub fn slot(&self) -> Option<SlotId> {
        self.slot
    }
}

impl RowCells {
    /// Takes the current row of a query.
    #[inline]
    pub fn take(
        &mut self,
        projection: &Projection,
        outputs: &[Scalar],
        scope: &Scope<'_>,
    ) -> Result<()> {
        self.bytes.clear();
        if self.cells.len() != outputs.len() {
            self.cells.clear();
            self.cells.resize(outputs.len(), Cell::Null);
        }
        let slot = projection.slot.map(|slot| scope.frame.slot(slot));
        let row = slot.map_or(Ok(None), |slot| slot.stored_row())?;
        self.has_stored = row.is_some();
        let Some(row) = row else {
            return self.compute(0..outputs.len(), outputs, scope);
        };
        let (cells, bytes) = (&mut self.cells, &mut self.bytes);
        project_row(row.bytes, &projection.positions, |at, value| {
            let target = projection.targets[at];
            cells[target] = value.map_or_else(
                || Cell::kept(row.table.missing_value(projection.positions[at]).as_ref(), bytes),
                |value| Cell::lent(value, row.bytes),
            );
        })?;
        for target in &projection.rowids {
            cells[*target] = Cell::Integer(row.rowid);
        }
        if projection.computed.is_empty() {
            return Ok(());
        }
        self.compute(projection.computed.iter().copied(), outputs, scope)
    }

    fn compute(
        &mut self,
        targets: impl Iterator<Item = usize>,
        outputs: &[Scalar],
        scope: &Scope<'_>,
    ) -> Result<()> {
        for target in targets {
            let value = outputs[target].evaluate(scope)?;
            self.cells[target] = Cell::kept(value.as_ref(), &mut self.bytes);
        }
        Ok(())
    }

    /// Whether the row is lent with the stored row that it was taken from.
    #[inline]
    pub fn has_stored(&self) -> bool {
        self.has_stored
    }

    /// Takes values.
    #[inline]
    pub fn take_values<'v>(&mut self, values: impl Iterator<Item = ValueRef<'v>>) {
        self.cells.clear();
        self.bytes.clear();
        self.has_stored = false;
        for value in values {
            self.cells.push(Cell::kept(value, &mut self.bytes));
        }
    }

    /// The row, whose stored part is `stored`.
    #[inline]
    pub fn lend<'r>(&'r self, stored: &'r [u8]) -> LentRow<'r> {
        LentRow { cells: &self.cells, bytes: &self.bytes, stored }
    }
}

impl Cell {
    /// A value that is a part of `whole`, where that has one.
    #[inline]
    fn lent(value: ValueRef<'_>, whole: &[u8]) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::StoredText(Place::within(bytes, whole)),
            ValueRef::Blob(bytes) => Self::StoredBlob(Place::within(bytes, whole)),
        }
    }

    /// A value whose bytes are put behind those of `buffer`.
    #[inline]
    fn kept(value: ValueRef<'_>, buffer: &mut Vec<u8>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(Place::behind(bytes, buffer)),
            ValueRef::Blob(bytes) => Self::Blob(Place::behind(bytes, buffer)),
        }
    }
}

impl Place {
    /// Where `part`, a part of `whole`, begins and ends in it.
    #[inline]
    fn within(part: &[u8], whole: &[u8]) -> Self {
        let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
        Self { start, end: start + part.len() }
    }

    #[inline]
    fn behind(bytes: &[u8], buffer: &mut Vec<u8>) -> Self {
        let start = buffer.len();
        buffer.extend_from_slice(bytes);
        Self { start, end: buffer.len() }
    }

    #[inline]
    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or(&[])
    }
}

impl<'r> LentRow<'r> {
    /// How many values it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// A value; NULL where there is none.
    #[inline]
    pub fn get(&self, at: usize) -> ValueRef<'r> {
        match self.cells.get(at) {
            None | Some(Cell::Null) => ValueRef::Null,
            Some(Cell::Integer(number)) => ValueRef::Integer(*number),
            Some(Cell::Real(number)) => ValueRef::Real(*number),
            Some(Cell::Text(place)) => ValueRef::Text(place.of(self.bytes)),
            Some(Cell::Blob(place)) => ValueRef::Blob(place.of(self.bytes)),
            Some(Cell::StoredText(place)) => ValueRef::Text(place.of(self.stored)),
            Some(Cell::StoredBlob(place)) => ValueRef::Blob(place.of(self.stored)),
        }
    }

    /// The values in turn.
    pub fn values(self) -> impl ExactSizeIterator<Item = ValueRef<'r>> {
        (0..self.len()).map(move |at| self.get(at))
    }
}
