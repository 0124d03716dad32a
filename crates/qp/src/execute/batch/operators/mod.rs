//! What a program is made of: reading, choosing, joining, grouping and ordering batches.
//!
//! Neighbours: `program` calls these, `vectors` and `compute` are what they work with.

pub(super) mod aggregate;
pub(super) mod calls;
pub(super) mod distinct;
pub(super) mod filter;
pub(super) mod groups;
pub(super) mod join;
pub(super) mod merge;
pub(super) mod partition;
pub(super) mod scan;
pub(super) mod search;
pub(super) mod search_rows;
pub(super) mod sort;
pub(super) mod source;
pub(super) mod window;
