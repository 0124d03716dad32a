//! What each operator took: for EXPLAIN ANALYZE, which runs the statement.
//!
//! Operators are known by where they are in memory, which does not change while a statement
//! runs. Times and pages are those of an operator with everything below it. Neighbours:
//! `operators` passes through here where a statement is measured.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_ds::vfs::Clock;
use rustc_hash::FxHashMap;

use super::{Frame, Outer};
use crate::error::Result;
use crate::plan::{Node, node_address};

/// What an operator took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// How often it was opened.
    pub opened: u64,
    /// Rows that it gave.
    pub rows: u64,
    /// Time, with what is below it.
    pub time: Duration,
    /// Pages that had to be read from the file, with what is below it.
    pub pages: u64,
    /// Bytes that it wrote to temporary files itself.
    pub spilled: u64,
}

/// What all operators of a statement took.
#[derive(Debug)]
pub struct Profile {
    clock: Arc<dyn Clock>,
    pager: Arc<Pager>,
    /// The operator whose measured call is about to run.
    entered: Cell<usize>,
    /// The innermost operator that runs.
    running: Cell<usize>,
    figures: RefCell<FxHashMap<usize, Figures>>,
    spilled: RefCell<FxHashMap<usize, Arc<AtomicU64>>>,
}

impl Profile {
    /// Nothing yet.
    pub fn new(clock: Arc<dyn Clock>, pager: Arc<Pager>) -> Self {
        Self {
            clock,
            pager,
            entered: Cell::new(0),
            running: Cell::new(0),
            figures: RefCell::default(),
            spilled: RefCell::default(),
        }
    }

    /// What an operator took.
    pub fn figures(&self, node: usize) -> Option<Figures> {
        let mut figures = self.figures.borrow().get(&node).copied()?;
        let spilled = self.spilled.borrow();
        figures.spilled = spilled.get(&node).map_or(0, |bytes| bytes.load(Ordering::Relaxed));
        Some(figures)
    }

    /// Where the bytes are counted that the running operator writes to temporary files.
    pub(super) fn spilled(&self) -> Arc<AtomicU64> {
        Arc::clone(self.spilled.borrow_mut().entry(self.running.get()).or_default())
    }

    /// Whether a call of the operator has not begun to be measured.
    #[inline]
    pub(super) fn begins(&self, node: &Node) -> bool {
        self.entered.replace(0) != node_address(node)
    }

    fn measured<T>(
        &self,
        node: &Node,
        work: impl FnOnce() -> Result<T>,
        note: impl FnOnce(&mut Figures, &T),
    ) -> Result<T> {
        let address = node_address(node);
        let (start, pages) = (self.clock.monotonic(), self.pager.pages_read());
        self.entered.set(address);
        let around = self.running.replace(address);
        let result = work();
        self.running.set(around);
        let mut figures = self.figures.borrow_mut();
        let own = figures.entry(address).or_default();
        own.time += self.clock.monotonic().saturating_sub(start);
        own.pages += self.pager.pages_read().saturating_sub(pages);
        if let Ok(value) = &result {
            note(own, value);
        }
        result
    }

    /// Opens an operator.
    pub(super) fn open(&self, node: &Node, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        self.measured(node, || node.open(frame, outer), |own, ()| own.opened += 1)
    }

    /// Moves an operator.
    pub(super) fn next(&self, node: &Node, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        self.measured(node, || node.next(frame, outer), |own, found| own.rows += u64::from(*found))
    }
}
