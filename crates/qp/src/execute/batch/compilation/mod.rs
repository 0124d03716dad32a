//! From the nodes of a plan to programs.
//!
//! Neighbours: `program` runs what this makes.

pub(super) mod compile;
pub(super) mod expressions;
pub(super) mod places;
pub(super) mod portable;
pub(super) mod search_compile;
