//! Values of columns, rows of them, and the rows that are not decoded yet.
//!
//! Neighbours: `compute` works on these.

pub(super) mod batch;
pub(super) mod keys;
pub(super) mod leaves;
pub(super) mod row;
pub(super) mod vector;
