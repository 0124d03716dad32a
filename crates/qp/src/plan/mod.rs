//! Plans: how a statement is run.
//!
//! A plan is immutable and shared by all executions of a prepared statement; what an execution
//! changes is in its frame (see `execute`), which the plan only sizes. A query block is a
//! [`SelectPlan`]: a tree of [`Node`]s that puts rows into slots, and the expressions that read
//! the result from them. Nothing above a node needs to know how the node came by its row.
//!
//! Neighbours: `bind` says what a statement means, the files here choose how it is run
//! (`access` the way into each table, `join` their order), `execute` runs it, `explain` shows it.

mod access;
mod cost;
mod count;
mod estimate;
mod explain;
mod gear;
mod group;
mod hidden;
mod join;
mod needs;
mod node;
mod order;
mod ordered;
mod push;
mod rewrite;
mod rules;
mod select;
mod sift;
mod walk;

use pandodb_ds::sync::Arc;

pub(crate) use explain::node_address;
pub use explain::{TreeLine, explain_node, explain_query_plan, explain_tree};
pub(crate) use gear::choose_gears;
pub use node::*;
pub(crate) use push::{Later, LaterCompound, OrderAsked, Ordered};
pub use rules::Rules;
pub(crate) use select::{QueryParts, finish_select};

use crate::scalar::{ColumnPlace, Scalar};

/// A query block ready to run.
#[derive(Debug)]
pub struct SelectPlan {
    /// What makes the rows.
    pub root: Node,
    /// What is read of each.
    pub outputs: Vec<Scalar>,
    /// What the results are called.
    pub columns: Vec<OutputColumn>,
    /// What a frame for it holds.
    pub layout: Layout,
    /// Columns of the frames around it that it reads; depth 0 is the frame it is called in.
    pub outer: Vec<ColumnPlace>,
    /// About how many rows there are.
    pub rows: f64,
}

/// A column of a result.
#[derive(Clone, Debug, Default)]
pub struct OutputColumn {
    /// Its name.
    pub name: Box<str>,
    /// Its name in a view of this, where that may be another.
    pub in_view: Option<Box<str>>,
    /// Its name in a query that reads this in FROM, where that may be another.
    pub in_query: Option<Box<str>>,
    /// The declared type of the table's column that it is.
    pub declared_type: Option<Box<str>>,
}

/// How many of everything a frame has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Rows.
    pub slots: u32,
    /// States of operators.
    pub states: u32,
    /// States of subqueries.
    pub subqueries: u32,
    /// Memories of calls.
    pub caches: u32,
    /// The greatest height of an expression: what is computed inside of it takes stack.
    pub height: u32,
}

/// A plan that several parts of a statement share.
pub type SharedPlan = Arc<SelectPlan>;
