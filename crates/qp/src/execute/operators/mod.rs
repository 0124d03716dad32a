//! The operators: how each node of a plan opens and moves to its next row.
//!
//! `open` starts a node anew (an inner side of a loop is opened for each outer row), `next`
//! moves it; while it returns true, the node's slots hold a row. What a node remembers is its
//! entry in the frame's states. Neighbours: one file for each family of nodes.

mod aggregate;
mod compound;
mod distinct;
mod fresh;
mod join;
mod kept;
mod limit;
mod lookup;
mod materialize;
mod project;
mod ranges;
mod recursive;
mod scan;
mod sort;
mod source;
mod window;

pub(super) use aggregate::{CallSets, CallState, group_of};
pub(super) use kept::{take_part, take_word};
pub(super) use limit::bounds as limit_bounds;
pub(in crate::execute) use materialize::SharedRows;
pub(super) use materialize::{KeptRow, values_bytes};
pub(super) use ranges::{rowid_range, sought};
pub(super) use scan::exact_rowid;
pub(super) use sort::Sorter;
pub(super) use window::{Moving, RowFrame, Steps};

use super::{Frame, Outer};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{BatchNode, Node};
use crate::scalar::{Scalar, StateId};

/// What an operator remembers.
#[derive(Debug, Default)]
pub enum OperatorState {
    /// Not opened.
    #[default]
    None,
    /// Whether the one row was given out.
    Once(bool),
    /// The next of a list.
    Position(usize),
    /// A scan.
    Scan(Box<scan::ScanState>),
    /// Rows of a table-valued function.
    Function(source::FunctionState),
    /// Rows that come from no table, and what stands behind each.
    Given(crate::execute::GivenRows, [pandodb_ds::record::Value; 2], i64),
    /// A nested loop.
    Loop(join::LoopState),
    /// A hash join.
    Hash(Box<join::HashState>),
    /// Rows by a key.
    Lookup(Box<lookup::LookupState>),
    /// Kept rows of a materialization.
    Rows(Box<materialize::RowsState>),
    /// Rows in their order.
    Sorted(Box<sort::SortState>),
    /// Rows in a part of their order, of which some are put into all of it.
    Pieces(Box<sort::PiecesState>),
    /// Rows of values that several readers share.
    Shared(Box<materialize::SharedState>),
    /// Groups.
    Aggregate(Box<aggregate::AggregateState>),
    /// Rows that were there.
    Seen(Box<distinct::SeenState>),
    /// Rows left to skip and to give.
    Limit(limit::LimitState),
    /// A compound.
    Compound(Box<compound::CompoundState>),
    /// A recursive table.
    Recursive(Box<recursive::RecursiveState>),
    /// A window.
    Window(Box<window::WindowState>),
    /// A window over rows that come in order.
    Stream(Box<window::StreamState>),
    /// A subtree that may run in batches.
    Batch(super::batch::BatchState),
}

impl OperatorState {
    /// Forgets everything, and with it every hold on storage.
    #[inline]
    pub(crate) fn clear(&mut self) {
        match self {
            // These hold nothing, and who opens anew sets them.
            Self::None | Self::Once(_) | Self::Position(_) => {}
            // Quick reads have one of these; the next run has it, too.
            Self::Scan(scan) => scan.clear(),
            other => *other = Self::None,
        }
    }
}

impl BatchNode {
    /// Whether it was opened in the batch gear.
    pub(crate) fn is_in_batches(&self, frame: &mut Frame) -> bool {
        let state = frame.state_mut(self.state);
        matches!(state, OperatorState::Batch(super::batch::BatchState::Batches(_)))
    }
}

impl Node {
    /// Starts anew.
    pub fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        if let Some(profile) = &outer.context.run.profile
            && profile.begins(self)
        {
            return profile.open(self, frame, outer);
        }
        match self {
            Self::Empty => Ok(()),
            Self::Once(state) | Self::RecursiveRow(_, state) => {
                *frame.state_mut(*state) = OperatorState::Once(false);
                Ok(())
            }
            Self::Scan(scan) => scan.open(frame, outer),
            Self::Values(values) => {
                *frame.state_mut(values.state) = OperatorState::Position(0);
                Ok(())
            }
            Self::Function(function) => function.open(frame, outer),
            Self::Pragma(pragma) => pragma.open(frame, outer),
            Self::Filter(filter) => filter.input.open(frame, outer),
            Self::NestedLoop(join) => join.open(frame, outer),
            Self::HashJoin(join) => join.open(frame, outer),
            Self::Project(project) => project.input.open(frame, outer),
            Self::Materialize(materialize) => materialize.open(frame, outer),
            Self::Shared(shared) => shared.open(frame, outer),
            Self::Aggregate(aggregation) => aggregation.open(frame, outer),
            Self::Window(window) => window.open(frame, outer),
            Self::Sort(sort) => sort.open(frame, outer),
            Self::Distinct(distinct) => distinct.open(frame, outer),
            Self::Limit(limit) => limit.open(frame, outer),
            Self::Compound(compound) => compound.open(frame, outer),
            Self::Recursive(recursive) => recursive.open(frame, outer),
            Self::Lookup(lookup) => lookup.open(frame, outer),
            Self::Count(count) => {
                match frame.state_mut(count.state) {
                    OperatorState::Once(is_over) => *is_over = false,
                    other => *other = OperatorState::Once(false),
                }
                Ok(())
            }
            Self::Batch(batch) => {
                let before = match std::mem::take(frame.state_mut(batch.state)) {
                    OperatorState::Batch(before) => Some(before),
                    _ => None,
                };
                let state = batch.open(before, frame, outer)?;
                *frame.state_mut(batch.state) = OperatorState::Batch(state);
                Ok(())
            }
        }
    }

    /// Moves to the next row; whether there is one.
    pub fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        if let Some(profile) = &outer.context.run.profile
            && profile.begins(self)
        {
            return profile.next(self, frame, outer);
        }
        match self {
            Self::Empty => Ok(false),
            Self::Once(state) | Self::RecursiveRow(_, state) => {
                let state = frame.state_mut(*state);
                let is_first = matches!(state, OperatorState::Once(false));
                *state = OperatorState::Once(true);
                Ok(is_first)
            }
            Self::Scan(scan) => scan.next(frame, outer),
            Self::Values(values) => values.next(frame, outer),
            Self::Function(function) => function.next(frame, outer),
            Self::Pragma(pragma) => pragma.next(frame),
            Self::Filter(filter) => {
                while filter.input.next(frame, outer)? {
                    if all_true(&filter.predicates, frame, outer)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::NestedLoop(join) => join.next(frame, outer),
            Self::HashJoin(join) => join.next(frame, outer),
            Self::Project(project) => project.next(frame, outer),
            Self::Materialize(materialize) => materialize.next(frame, outer),
            Self::Shared(shared) => shared.next(frame, outer),
            Self::Aggregate(aggregation) => aggregation.next(frame, outer),
            Self::Window(window) => window.next(frame, outer),
            Self::Sort(sort) => sort.next(frame, outer),
            Self::Distinct(distinct) => distinct.next(frame, outer),
            Self::Limit(limit) => limit.next(frame, outer),
            Self::Compound(compound) => compound.next(frame, outer),
            Self::Recursive(recursive) => recursive.next(frame, outer),
            Self::Count(count) => count.next(frame, outer),
            Self::Lookup(lookup) => lookup.next(frame, outer),
            Self::Batch(batch) => {
                let taken = std::mem::take(frame.state_mut(batch.state));
                let OperatorState::Batch(mut state) = taken else {
                    return Err(not_open(batch.state));
                };
                let found = batch.next(&mut state, frame, outer);
                *frame.state_mut(batch.state) = OperatorState::Batch(state);
                found
            }
        }
    }
}

/// Whether all predicates are true of the current rows.
#[inline]
fn all_true(predicates: &[Scalar], frame: &Frame, outer: Outer<'_>) -> Result<bool> {
    let scope = frame.scope(outer);
    for predicate in predicates {
        if !predicate.is_true(&scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A node was moved that was not opened, or two nodes share a state.
#[cold]
fn not_open(state: StateId) -> Error {
    Error::new(ErrorKind::Internal, format!("operator state {} is not what it should be", state.0))
}

/// The state of an operator, as the variant that it must be.
macro_rules! state {
    ($frame:expr, $id:expr, $variant:ident) => {
        match $frame.state_mut($id) {
            $crate::execute::operators::OperatorState::$variant(state) => state,
            _ => return Err($crate::execute::operators::not_open($id)),
        }
    };
}
use state;
