//! Rows that come in the order of the first terms of ORDER BY.
//!
//! Those that agree in these terms, a *piece*, are sorted by the others and given out before the
//! next ones are read: a LIMIT ends the reading, and one piece is kept at a time. A piece is told
//! from the next by the bytes that the first terms have in the keys. Neighbours: `sort` has the
//! sorter with its files.

use super::{First, SortState};
use crate::error::Result;
use crate::execute::key::sort_key;
use crate::execute::operators::materialize::KeptRow;
use crate::execute::operators::{OperatorState, not_open};
use crate::execute::{Frame, Outer, Slot};
use crate::plan::Sort;

/// Where a sort of pieces is.
#[derive(Debug, Default)]
pub struct PiecesState {
    /// The piece that is given out.
    piece: Option<SortState>,
    /// The input's rows while rows of a piece are shown in their place: it goes on from them.
    input_rows: Vec<Slot>,
    /// What the first terms have in the keys of the piece.
    led: Vec<u8>,
    /// The key of the row that was read last.
    key: Vec<u8>,
    /// Whether that row is the first of the next piece.
    has_row: bool,
    /// How many rows are wanted behind those pieces that were read; none where all are.
    wanted: Option<usize>,
    is_over: bool,
}

impl Sort {
    pub(super) fn open_pieces(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let wanted = self.wanted(frame, outer)?;
        self.input.open(frame, outer)?;
        let is_over = wanted == Some(0);
        let state = PiecesState { wanted, is_over, ..PiecesState::default() };
        *frame.state_mut(self.state) = OperatorState::Pieces(Box::new(state));
        Ok(())
    }

    pub(super) fn next_of_pieces(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let OperatorState::Pieces(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.next_in_pieces(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Pieces(state);
        found
    }

    fn next_in_pieces(
        &self,
        state: &mut PiecesState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        loop {
            if let Some(piece) = &mut state.piece
                && let Some(row) = piece.next()?
            {
                row.put_back(&self.slots, frame);
                return Ok(true);
            }
            // What the piece took is given back before the next one comes.
            state.piece = None;
            if state.is_over {
                return Ok(false);
            }
            self.read_piece(state, frame, outer)?;
        }
    }

    /// Reads and sorts the next piece.
    fn read_piece(
        &self,
        state: &mut PiecesState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        for (slot, row) in self.slots.iter().zip(state.input_rows.drain(..)) {
            *frame.slot_mut(*slot) = row;
        }
        let (first_terms, others) = self.keys.split_at(self.sorted);
        let mut first = First::new(state.wanted);
        let mut rows: usize = 0;
        loop {
            if !std::mem::take(&mut state.has_row) {
                if !self.input.next(frame, outer)? {
                    state.is_over = true;
                    break;
                }
                state.key.clear();
                let scope = frame.scope(outer);
                sort_key(first_terms, &scope, &mut state.key)?;
                let is_next = state.key != state.led;
                if is_next {
                    state.led.clone_from(&state.key);
                }
                sort_key(others, &scope, &mut state.key)?;
                if is_next && rows > 0 {
                    state.has_row = true;
                    break;
                }
            }
            rows += 1;
            if first.wants(&state.key) {
                let row = KeptRow::of(&self.slots, frame)?;
                first.push(state.key.clone(), row, outer.context)?;
            }
        }
        let slots = self.slots.iter();
        state.input_rows = slots.map(|slot| std::mem::take(frame.slot_mut(*slot))).collect();
        state.piece = Some(first.finish(outer.context)?);
        if let Some(wanted) = &mut state.wanted {
            *wanted = wanted.saturating_sub(rows);
            state.is_over |= *wanted == 0;
        }
        Ok(())
    }
}
