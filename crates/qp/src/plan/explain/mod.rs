//! EXPLAIN: plans as text.
//!
//! Neighbours: `query_plan` speaks as SQLite does, `tree` shows every operator with what it
//! does, `text` writes expressions with the names of the statement.

mod query_plan;
mod text;
mod tree;

pub use query_plan::{explain_node, explain_query_plan};
pub(crate) use tree::address as node_address;
pub use tree::{TreeLine, explain_tree};
