//! The batch gear: subtrees of a plan that run over column vectors instead of single rows.
//!
//! Scans, filters, joins, groups, sorts and windows over many rows spend their time on what is
//! done once for each row: moving, finding columns, walking expressions. Here they do it once
//! for about a thousand rows. A [`Program`] is a second form of a subtree of the plan: its
//! operators stand beside the nodes they replace and hold compiled expressions; what they cannot
//! do is left to the row gear, below them (a node whose rows are gathered into batches), beside
//! them (an expression that is evaluated row by row) and above them (slots show the rows of a
//! batch).
//! Whether the subtree runs in this gear is decided when it is opened, by the real counts of the
//! tables: for a few rows the row gear is faster. Results are the same in both, bit by bit.
//!
//! | folder | what |
//! |---|---|
//! | `vectors` | values of a column, rows, rows not yet decoded |
//! | `compute` | expressions over vectors |
//! | `compilation` | plan nodes to programs |
//! | `program` | operators and their states, the way in and out of the gear |
//! | `operators` | scans, joins, loops that seek, groups, sorts, windows; files |
//! | `parallel` | scans, groups and sorts on several processors |
//!
//! Neighbours: `plan::gear` chooses subtrees, `operators` is the row gear.

mod compilation;
mod compute;
mod operators;
mod parallel;
mod program;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod set_tests;
#[cfg(test)]
mod tests;
mod vectors;

use super::{Frame, Outer};
use compilation::{compile, places, portable, search_compile};
use compute::{arithmetic, comparison, expression, like, logic, substring};
use operators::{
    aggregate, calls, distinct, filter, groups, join, merge, partition, scan, search, search_rows,
    sort, source, window,
};
use parallel::{exchange, helper, shares, sorting};
use vectors::{batch, keys, leaves, row, vector};

pub use compile::compile;
pub(crate) use compile::runs_in_batches;
pub(crate) use exchange::{Helpers, processors};
pub use places::{Places, node_places};
pub use program::{BatchState, Program};
pub use row::BatchRow;

/// What an operator runs in.
pub(crate) struct Run<'a> {
    /// The block's frame.
    pub(crate) frame: &'a mut Frame,
    /// What lies around.
    pub(crate) outer: Outer<'a>,
    /// The program that runs.
    pub(crate) program: &'a Program,
}
