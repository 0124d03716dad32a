//! Frames: what a running query block changes; scopes: how expressions see frames.
//!
//! Neighbours: `row` (slots), `operators` (states), `subquery` (blocks inside).

use std::cell::RefCell;

use super::operators::OperatorState;
use super::{Context, Slot, SubqueryState};
use crate::function::Cache;
use crate::plan::Layout;
use crate::scalar::{SlotId, StateId};

/// The state of an operator.
pub type State = OperatorState;

/// What a running query block changes.
#[derive(Debug, Default)]
pub struct Frame {
    /// Current rows.
    pub slots: Vec<Slot>,
    /// States of operators.
    pub states: Vec<State>,
    /// States of subqueries.
    pub(crate) subqueries: Vec<RefCell<SubqueryState>>,
    /// Memories of calls.
    pub caches: Vec<RefCell<Cache>>,
    /// Memory for the stored form of one row; what is in it means nothing.
    pub(crate) room: Vec<u8>,
}

/// What lies around a query block: the statement, and the frames of the blocks around it.
#[derive(Clone, Copy)]
pub struct Outer<'a> {
    /// The statement's surroundings.
    pub context: &'a Context<'a>,
    /// The block around, if there is one.
    pub scope: Option<&'a Scope<'a>>,
}

/// What an expression sees: its block's frame and what lies around.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The block's own frame.
    pub frame: &'a Frame,
    /// What lies around it.
    pub outer: Outer<'a>,
}

impl Frame {
    /// A frame for a plan of that layout.
    pub fn new(layout: Layout) -> Self {
        let mut frame = Self::default();
        frame.fit(layout);
        frame
    }

    /// Makes room for what the layout asks for.
    #[inline]
    pub fn fit(&mut self, layout: Layout) {
        let is_fit = self.slots.len() == layout.slots as usize
            && self.states.len() == layout.states as usize
            && self.subqueries.len() == layout.subqueries as usize
            && self.caches.len() == layout.caches as usize;
        if is_fit {
            return;
        }
        self.slots.resize_with(layout.slots as usize, Slot::default);
        self.states.resize_with(layout.states as usize, State::default);
        self.subqueries.resize_with(layout.subqueries as usize, RefCell::default);
        self.caches.resize_with(layout.caches as usize, RefCell::default);
    }

    /// The slot `id`.
    #[inline]
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[usize::from(id.0)]
    }

    /// The slot `id`.
    #[inline]
    pub fn slot_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.slots[usize::from(id.0)]
    }

    /// The state `id`.
    #[inline]
    pub fn state_mut(&mut self, id: StateId) -> &mut State {
        &mut self.states[usize::from(id.0)]
    }

    /// What an expression of this block sees.
    #[inline]
    pub fn scope<'a>(&'a self, outer: Outer<'a>) -> Scope<'a> {
        Scope { frame: self, outer }
    }

    /// Forgets what subqueries found.
    pub fn clear_subqueries(&mut self) {
        for subquery in &mut self.subqueries {
            subquery.get_mut().clear();
        }
    }

    /// As [`clear_subqueries`](Self::clear_subqueries), of those from a number on.
    pub fn clear_subqueries_from(&mut self, first: u32) {
        for subquery in self.subqueries.iter_mut().skip(first as usize) {
            subquery.get_mut().clear();
        }
    }

    /// As [`clear`](Self::clear), but for what subqueries know that does not depend on any row.
    pub(super) fn close(&mut self) {
        for slot in &mut self.slots {
            slot.clear();
        }
        for state in &mut self.states {
            state.clear();
        }
        self.close_subqueries();
    }

    /// Forgets all rows and states, and with them every hold on storage; memory that the next run
    /// needs in the same place stays.
    #[inline]
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.clear();
        }
        for state in &mut self.states {
            state.clear();
        }
        for subquery in &mut self.subqueries {
            subquery.get_mut().clear();
        }
    }
}

impl<'a> Scope<'a> {
    /// The frame `depth` levels out.
    #[inline]
    pub fn frame_at(&self, depth: u8) -> &'a Frame {
        let mut scope = *self;
        for _ in 0..depth {
            match scope.outer.scope {
                Some(outer) => scope = *outer,
                None => break,
            }
        }
        scope.frame
    }
}
