//! The rows of a whole table that a change is about.
//!
//! A change that no index helps looks at every row, and the batch gear does that several times as
//! fast as one row after the other. So where the table is large, the rowids of what is meant are
//! found in batches first, and then the cursor goes from one to the next. Nothing can tell the
//! difference: the cursor shows the table as it was when the statement began in either case, and
//! where a row cannot be looked at, or there is no room for the rowids, the rows are found one by
//! one after all, so that those before it are changed first.
//! Neighbours: `update` and `delete` change what is found here, `direct` in its stored form.

use pandodb_ds::record::key::rowid_key;

use crate::bind::Binder;
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer, SlotRow, Weight};
use crate::plan::{AccessPath, Node, choose_gears};
use crate::scalar::SlotId;

/// The rows that a change is about, one after the other in a slot.
pub(super) struct FoundRows<'p> {
    input: &'p Node,
    target: SlotId,
    /// Where they were found in batches.
    rowids: Option<std::vec::IntoIter<i64>>,
    weight: Weight,
}

/// Lets the rows of a change be found in batches, if that finds all of them by a look at the whole
/// table.
pub(super) fn find_in_batches(
    binder: &mut Binder<'_>,
    input: &mut Node,
    table: &Table,
    target: SlotId,
) {
    if table.has_rowid() && scans_table(input) {
        choose_gears(binder, input, &super::bind::key_outputs(table, target), true);
    }
}

/// Whether a node looks at the rows of a table in the order of its keys.
pub(super) fn scans_table(node: &Node) -> bool {
    match node {
        Node::Scan(scan) => matches!(scan.path, AccessPath::Full),
        Node::Filter(filter) => scans_table(&filter.input),
        _ => false,
    }
}

impl<'p> FoundRows<'p> {
    /// Opens `input`, which leaves its rows in `target`; what is changed before the next row is
    /// asked for does not change which rows come.
    pub(super) fn open(
        input: &'p Node,
        target: SlotId,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Self> {
        let mut found = Self { input, target, rowids: None, weight: Weight::default() };
        input.open(frame, outer)?;
        let Node::Batch(batch) = input else { return Ok(found) };
        if !batch.is_in_batches(frame) {
            return Ok(found);
        }
        match found.find(frame, outer) {
            Ok(rowids) => found.rowids = Some(rowids.into_iter()),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(_) => {
                found.input = &batch.input;
                found.weight = Weight::default();
            }
        }
        // From here on the slot has the table's cursor.
        batch.input.open(frame, outer)?;
        Ok(found)
    }

    /// The rowids of all rows.
    fn find(&mut self, frame: &mut Frame, outer: Outer<'_>) -> Result<Vec<i64>> {
        let mut rowids = Vec::new();
        while self.input.next(frame, outer)? {
            rowids.push(frame.slot(self.target).rowid());
            self.weight.add(size_of::<i64>(), outer.context)?;
        }
        Ok(rowids)
    }

    /// Stands on no row any more, where there is no other: who stands on a page has it copied when
    /// it changes. No row is asked for from then on.
    pub(super) fn leave(&self, frame: &mut Frame) {
        frame.slot_mut(self.target).clear();
        for state in &mut frame.states {
            state.clear();
        }
    }

    /// Moves to the next row; whether there is one.
    pub(super) fn next(&mut self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let Some(rowids) = &mut self.rowids else { return self.input.next(frame, outer) };
        let Some(rowid) = rowids.next() else { return Ok(false) };
        outer.context.tick()?;
        let slot = frame.slot_mut(self.target);
        slot.is_null = false;
        if let SlotRow::Cursor(row) = &mut slot.row
            && row.cursor.seek_exact(&rowid_key(rowid))?
        {
            row.rowid = rowid;
            return Ok(true);
        }
        let message = format!("the row {rowid} was found and is not in its table");
        Err(Error::new(ErrorKind::Internal, message))
    }
}
