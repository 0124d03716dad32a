//! Values and their stored forms: rows, order-preserving keys, numbers, collations.

mod value;

pub use value::{Value, ValueRef};
