//! Programs: the operators of the batch gear, their states, and the way in and out of it.
//!
//! An operator is called with the plan's node that it stands for, which says what is to be done;
//! the operator itself holds only what was compiled. States are a tree of the same shape, made
//! at each opening. Neighbours: `compile` makes programs, each operator has a file.

use pandodb_ds::sync::Arc;

use super::batch::Batch;
use super::exchange::Exchange;
use super::expression::Shown;
use super::places::Places;
use super::row::SlotMap;
use super::{
    Run, aggregate, distinct, filter, join, scan, search, search_compile, search_rows, sort,
    source, window,
};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer};
use crate::plan::{BatchNode, Node};
use crate::scalar::SlotId;

/// A compiled subtree.
#[derive(Debug)]
pub struct Program {
    pub(super) root: Operator,
    /// How many columns its batches have places for.
    pub(super) width: usize,
    /// What slots show of a batch.
    pub(super) maps: Vec<(SlotId, Arc<SlotMap>)>,
    /// Columns that are read of the result, and their slots.
    pub(super) shown: Vec<usize>,
    pub(super) shown_slots: Vec<SlotId>,
    /// Whether rows come out before all have gone in.
    pub(super) is_streaming: bool,
}

/// An operator.
#[derive(Debug)]
pub(super) enum Operator {
    /// Rows that the row gear makes.
    Source(source::Source),
    Scan(scan::TableScan),
    Filter(Box<filter::BatchFilter>),
    Project(Box<filter::BatchProject>),
    Join(Box<join::BatchJoin>),
    Search(Box<search::BatchSearch>),
    Aggregate(Box<aggregate::BatchAggregate>),
    Distinct(Box<distinct::BatchDistinct>),
    Sort(Box<sort::BatchSort>),
    Window(Box<window::BatchWindow>),
}

/// What an operator remembers.
#[derive(Debug)]
pub(super) enum State {
    Source(source::SourceState),
    Scan(Box<scan::ScanState>),
    /// Several threads run the operator and those below it.
    Exchange(Box<Exchange>),
    /// That of the input.
    Input(Box<State>),
    Join(Box<join::JoinState>),
    Search(Box<search::SearchState>),
    Aggregate(Box<aggregate::AggregateState>),
    Distinct(Box<distinct::DistinctState>),
    Sort(Box<sort::SortState>),
    Window(Box<window::WindowState>),
}

impl Operator {
    /// Starts anew.
    pub(super) fn open(&self, node: &Node, run: &mut Run<'_>) -> Result<State> {
        Ok(match (self, node) {
            (Self::Source(_), _) => State::Source(source::SourceState::default()),
            (Self::Scan(scan), Node::Scan(node)) => State::Scan(Box::new(scan.open(node, run)?)),
            (Self::Filter(filter), Node::Filter(node)) => {
                State::Input(Box::new(filter.input.open(&node.input, run)?))
            }
            (Self::Project(project), Node::Project(node)) => {
                State::Input(Box::new(project.input.open(&node.input, run)?))
            }
            (Self::Join(join), Node::HashJoin(node)) => {
                State::Join(Box::new(join.open(node, run)?))
            }
            (Self::Search(search), Node::NestedLoop(node)) => {
                State::Search(Box::new(search.open(node, run)?))
            }
            (Self::Aggregate(aggregate), Node::Aggregate(node)) => {
                State::Aggregate(Box::new(aggregate.open(node, run)?))
            }
            (Self::Distinct(distinct), Node::Distinct(node)) => {
                State::Distinct(Box::new(distinct.open(node, run)?))
            }
            (Self::Sort(sort), Node::Sort(node)) => State::Sort(Box::new(sort.open(node, run)?)),
            (Self::Window(window), Node::Window(node)) => {
                State::Window(Box::new(window.open(node, run)?))
            }
            _ => return Err(mismatch()),
        })
    }

    /// The next rows, at least one; none at the end.
    pub(super) fn next(
        &self,
        node: &Node,
        state: &mut State,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        match (self, node, state) {
            (operator, node, State::Exchange(exchange)) => exchange.next(operator, node, run),
            (Self::Source(source), node, State::Source(state)) => source.next(node, state, run),
            (Self::Scan(scan), _, State::Scan(state)) => scan.next(state, run),
            (Self::Filter(filter), Node::Filter(node), State::Input(state)) => {
                filter.next(node, state, run)
            }
            (Self::Project(project), Node::Project(node), State::Input(state)) => {
                project.next(node, state, run)
            }
            (Self::Join(join), Node::HashJoin(node), State::Join(state)) => {
                join.next(node, state, run)
            }
            (Self::Search(search), Node::NestedLoop(node), State::Search(state)) => {
                let table = search_compile::sought_table(&node.right);
                let (scan, _) = table.ok_or_else(mismatch)?;
                search.next((node, scan), state, run)
            }
            (Self::Aggregate(aggregate), Node::Aggregate(node), State::Aggregate(state)) => {
                aggregate.next(node, state, run)
            }
            (Self::Distinct(distinct), Node::Distinct(node), State::Distinct(state)) => {
                distinct.next(node, state, run)
            }
            (Self::Sort(sort), Node::Sort(node), State::Sort(state)) => sort.next(node, state, run),
            (Self::Window(window), Node::Window(node), State::Window(state)) => {
                window.next(node, state, run)
            }
            _ => Err(mismatch()),
        }
    }
}

/// What several threads look at of a right side.
#[derive(Debug)]
pub(super) enum Side {
    /// That of a join, which was read.
    Rows(Arc<join::RightSide>),
    /// That of a loop, in which they seek.
    Finder(Arc<search_rows::LentFinder>),
}

/// An operator whose rows several threads may make.
pub(super) struct Place<'p, 's> {
    pub(super) operator: &'p Operator,
    pub(super) node: &'p Node,
    pub(super) state: &'s mut State,
}

impl Operator {
    /// Whether helpers can run it: a scan, and what needs no session above it: a search has a
    /// snapshot of its own in each.
    fn is_portable(&self) -> bool {
        match self {
            Self::Scan(_) => true,
            Self::Filter(filter) => filter.portable.is_some() && filter.input.is_portable(),
            Self::Project(project) => project.portable.is_some() && project.input.is_portable(),
            Self::Join(join) => join.portable.is_some() && join.left.is_portable(),
            Self::Search(search) => search.portable.is_some() && search.left.is_portable(),
            _ => false,
        }
    }

    /// Finds what helpers ask for that run it; whether that is all known.
    fn find_asked(&self, run: &Run<'_>) -> bool {
        let (asked, input) = match self {
            Self::Filter(filter) => (&filter.portable, &filter.input),
            Self::Project(project) => (&project.portable, &project.input),
            Self::Join(join) => (&join.portable, &join.left),
            Self::Search(search) => (&search.portable, &search.left),
            _ => return true,
        };
        asked.as_ref().is_some_and(|asked| asked.find(run)) && input.find_asked(run)
    }

    /// The state over a part of the table, with the right sides of joins and loops.
    pub(super) fn part_state<'s>(
        &self,
        scan: scan::ScanState,
        sides: &mut impl Iterator<Item = &'s Side>,
    ) -> State {
        match self {
            Self::Filter(filter) => State::Input(Box::new(filter.input.part_state(scan, sides))),
            Self::Project(project) => State::Input(Box::new(project.input.part_state(scan, sides))),
            Self::Join(join) => {
                let side = match sides.next() {
                    Some(Side::Rows(side)) => Some(Arc::clone(side)),
                    _ => None,
                };
                let left = join.left.part_state(scan, sides);
                State::Join(Box::new(join::JoinState::over(left, side)))
            }
            Self::Search(search) => {
                let lent = match sides.next() {
                    Some(Side::Finder(lent)) => Some(&**lent),
                    _ => None,
                };
                let left = search.left.part_state(scan, sides);
                State::Search(Box::new(search::SearchState::over(left, lent)))
            }
            _ => State::Scan(Box::new(scan)),
        }
    }

    /// Reads the right sides of joins, and opens those of loops.
    fn prepare(&self, node: &Node, state: &mut State, run: &mut Run<'_>) -> Result<()> {
        match (self, node, state) {
            (Self::Filter(filter), Node::Filter(node), State::Input(state)) => {
                filter.input.prepare(&node.input, state, run)
            }
            (Self::Project(project), Node::Project(node), State::Input(state)) => {
                project.input.prepare(&node.input, state, run)
            }
            (Self::Join(join), Node::HashJoin(node), State::Join(state)) => {
                join.prepare(node, state, run)?;
                join.left.prepare(&node.left, &mut state.left, run)
            }
            (Self::Search(search), Node::NestedLoop(node), State::Search(state)) => {
                let table = search_compile::sought_table(&node.right);
                let (scan, _) = table.ok_or_else(mismatch)?;
                search.prepare(scan, state, run)?;
                search.left.prepare(&node.left, &mut state.left, run)
            }
            _ => Ok(()),
        }
    }

    /// The operator below this one, or itself, whose rows several threads should make; of joins
    /// the right side is read first.
    pub(super) fn divisible<'p, 's>(
        &'p self,
        node: &'p Node,
        state: &'s mut State,
        run: &mut Run<'_>,
    ) -> Result<Option<Place<'p, 's>>> {
        if self.is_portable() {
            self.prepare(node, state, run)?;
            let is_large = state.scanned_rows() >= run.outer.context.settings.parallel_rows_min;
            let is_ready = is_large && self.find_asked(run);
            return Ok(is_ready.then_some(Place { operator: self, node, state }));
        }
        match (self, node, state) {
            (Self::Filter(filter), Node::Filter(node), State::Input(state)) => {
                filter.input.divisible(&node.input, state, run)
            }
            (Self::Project(project), Node::Project(node), State::Input(state)) => {
                project.input.divisible(&node.input, state, run)
            }
            (Self::Distinct(distinct), Node::Distinct(node), State::Distinct(state)) => {
                distinct.input.divisible(&node.input, &mut state.input, run)
            }
            (Self::Search(search), Node::NestedLoop(node), State::Search(state)) => {
                search.left.divisible(&node.left, &mut state.left, run)
            }
            (Self::Join(join), Node::HashJoin(node), State::Join(state)) => {
                join.prepare(node, state, run)?;
                join.left.divisible(&node.left, &mut state.left, run)
            }
            _ => Ok(None),
        }
    }
}

impl Place<'_, '_> {
    /// The rows in parts of as many as `size` says for all of them.
    pub(super) fn divide(&self, size: impl FnOnce(u64) -> u64) -> Result<Option<scan::Divided>> {
        let mut state = &*self.state;
        let mut sides = Vec::new();
        loop {
            match state {
                State::Input(input) => state = input,
                State::Join(join) => {
                    sides.extend(join.side.clone().map(Side::Rows));
                    state = &join.left;
                }
                State::Search(search) => {
                    let Some(lent) = &search.lent else { return Ok(None) };
                    sides.push(Side::Finder(Arc::clone(lent)));
                    state = &search.left;
                }
                State::Scan(scan) => {
                    let mut divided = scan.divide(size)?;
                    divided.sides = sides;
                    return Ok(Some(divided));
                }
                _ => return Ok(None),
            }
        }
    }
}

impl State {
    /// How many rows the table has that is read first of all, with what is sought for them.
    fn scanned_rows(&self) -> u64 {
        match self {
            Self::Scan(scan) => scan.rows,
            Self::Input(input) => input.scanned_rows(),
            Self::Join(join) => join.left.scanned_rows(),
            Self::Search(search) => search.work_rows(State::scanned_rows),
            _ => 0,
        }
    }

    /// How many rows the tables below have.
    fn table_rows(&self) -> u64 {
        match self {
            Self::Source(_) => 0,
            Self::Scan(scan) => scan.rows,
            Self::Exchange(exchange) => exchange.rows(),
            Self::Input(input) => input.table_rows(),
            Self::Join(join) => join.table_rows(State::table_rows),
            Self::Search(search) => search.table_rows(State::table_rows),
            Self::Aggregate(aggregate) => aggregate.input.table_rows(),
            Self::Distinct(distinct) => distinct.input.table_rows(),
            Self::Sort(sort) => sort.input.table_rows(),
            Self::Window(window) => window.input.table_rows(),
        }
    }
}

#[cold]
pub(super) fn mismatch() -> Error {
    Error::new(ErrorKind::Internal, "an operator of the batch gear stands for another node")
}

/// Where a subtree that may run in either gear is.
#[derive(Debug)]
pub enum BatchState {
    /// It runs in the row gear.
    Rows,
    /// It runs in batches.
    Batches(Box<Running>),
}

/// A program that runs.
pub struct Running {
    state: State,
    /// The rows of the batch that is shown, and which of them.
    rows: usize,
    row: usize,
    shown: Option<Shown>,
    /// Whether the operators were through with what comes before their first rows.
    has_given: bool,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Program {
    /// What a slot shows of a batch.
    pub(super) fn map_of(&self, slot: SlotId) -> Option<&Arc<SlotMap>> {
        self.maps.iter().find(|(known, _)| *known == slot).map(|(_, map)| map)
    }

    /// Calls `visit` with each part of `node` that the row gear makes, and what is read of it.
    pub(crate) fn each_source(&self, node: &mut Node, visit: &mut dyn FnMut(&mut Node, Places)) {
        each_source(&self.root, node, visit);
    }

    /// Whether rows come out before all have gone in.
    pub fn is_streaming(&self) -> bool {
        self.is_streaming
    }
}

fn each_source(operator: &Operator, node: &mut Node, visit: &mut dyn FnMut(&mut Node, Places)) {
    match (operator, node) {
        (Operator::Source(source), node) => {
            let read = source.columns.iter().map(|(_, slot, column)| (*slot, *column)).collect();
            visit(node, read);
        }
        (Operator::Filter(it), Node::Filter(node)) => {
            each_source(&it.input, &mut node.input, visit);
        }
        (Operator::Project(it), Node::Project(node)) => {
            each_source(&it.input, &mut node.input, visit);
        }
        (Operator::Join(it), Node::HashJoin(node)) => {
            each_source(&it.left, &mut node.left, visit);
            each_source(&it.right, &mut node.right, visit);
        }
        (Operator::Search(it), Node::NestedLoop(node)) => {
            each_source(&it.left, &mut node.left, visit);
        }
        (Operator::Aggregate(it), Node::Aggregate(node)) => {
            each_source(&it.input, &mut node.input, visit);
        }
        (Operator::Distinct(it), Node::Distinct(node)) => {
            each_source(&it.input, &mut node.input, visit);
        }
        (Operator::Sort(it), Node::Sort(node)) => each_source(&it.input, &mut node.input, visit),
        (Operator::Window(it), Node::Window(node)) => {
            each_source(&it.input, &mut node.input, visit);
        }
        _ => {}
    }
}

impl BatchNode {
    /// Starts anew, in the gear that the sizes of the tables ask for. The choice of the first
    /// opening stays for the others of an execution.
    pub(crate) fn open(
        &self,
        before: Option<BatchState>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<BatchState> {
        if let Some(BatchState::Rows) = before {
            self.input.open(frame, outer)?;
            return Ok(BatchState::Rows);
        }
        let mut run = Run { frame, outer, program: &self.program };
        if let Some(BatchState::Batches(running)) = before
            && let Some(shown) = running.shown
        {
            shown.end(&mut run);
        }
        let state = self.program.root.open(&self.input, &mut run)?;
        if state.table_rows() < outer.context.settings.batch_rows_min {
            drop(state);
            self.input.open(frame, outer)?;
            return Ok(BatchState::Rows);
        }
        Ok(BatchState::Batches(Box::new(Running {
            state,
            rows: 0,
            row: 0,
            shown: None,
            has_given: false,
        })))
    }

    /// Moves to the next row; whether there is one.
    pub(crate) fn next(
        &self,
        state: &mut BatchState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        let BatchState::Batches(running) = state else {
            return self.input.next(frame, outer);
        };
        running.row += 1;
        let mut run = Run { frame, outer, program: &self.program };
        if running.row >= running.rows {
            // Whoever makes the next rows finds its slots as it left them.
            if let Some(shown) = running.shown.take() {
                shown.end(&mut run);
            }
            let restart = &outer.context.run;
            let around = restart.may_restart.replace(!running.has_given);
            let found = self.program.root.next(&self.input, &mut running.state, &mut run);
            restart.may_restart.set(around);
            if found.is_err() && restart.restarts.take() && !running.has_given {
                // It has files, and the other openings are its own from now on.
                *state = BatchState::Rows;
                self.input.open(frame, outer)?;
                return self.input.next(frame, outer);
            }
            running.has_given = true;
            let Some(mut batch) = found? else {
                running.rows = 0;
                return Ok(false);
            };
            let (columns, slots) = (&self.program.shown, &self.program.shown_slots);
            running.shown = Some(Shown::new(&mut batch, columns, slots, &mut run)?);
            running.rows = batch.rows;
            running.row = 0;
        }
        if let Some(shown) = &running.shown {
            shown.turn_to(running.row, &mut run);
        }
        Ok(true)
    }
}

// Neighbours: `compile`, `row`.
