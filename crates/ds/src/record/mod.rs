//! Values and their stored forms: rows, order-preserving keys, numbers, collations.

pub mod number;
mod value;

pub use value::{Value, ValueRef};
