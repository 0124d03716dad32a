//! Expressions over whole columns.
//!
//! Neighbours: `vectors` are what they read and make, `compile` makes them.

pub(super) mod arithmetic;
pub(super) mod comparison;
pub(super) mod expression;
pub(super) mod like;
pub(super) mod logic;
pub(super) mod substring;
