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
//! | file | what |
//! |---|---|
//! | `vector`, `batch`, `leaves` | values of a column, rows, rows not yet decoded |
//! | `expression`, `arithmetic`, `comparison`, `logic`, `like` | computing with vectors |
//! | `compile`, `expressions`, `places` | plan nodes to programs |
//! | `program` | operators and their states, the way in and out of the gear |
//! | `scan`, `filter`, `aggregate`, `groups`, `join`, `sort`, `window`, `distinct` | operators |
//! | `search`, `search_rows`, `search_compile` | loops that seek a table by each left row |
//! | `merge`, `partition` | what does not fit into memory |
//! | `exchange`, `helper`, `portable` | scans on several processors |
//! | `row` | a row of a batch in a slot |
//!
//! Neighbours: `plan::gear` chooses subtrees, `operators` is the row gear.

mod aggregate;
mod arithmetic;
#[allow(clippy::module_inception, reason = "the thing itself beside its operators")]
mod batch;
mod calls;
mod comparison;
mod compile;
mod distinct;
mod exchange;
mod expression;
mod expressions;
mod filter;
mod groups;
mod helper;
mod join;
mod keys;
mod leaves;
mod like;
mod logic;
mod merge;
mod partition;
mod places;
mod portable;
mod program;
mod row;
mod scan;
mod search;
mod search_compile;
mod search_rows;
#[cfg(test)]
mod search_tests;
mod sort;
mod source;
mod substring;
#[cfg(test)]
mod tests;
mod vector;
mod window;

use super::{Frame, Outer};

pub use compile::compile;
pub(crate) use exchange::processors;
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
