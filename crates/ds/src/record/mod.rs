//! Values and their stored forms: rows, order-preserving keys, numbers, collations.

pub mod collation;
pub mod key;
pub mod number;
pub mod row;
mod value;
pub mod varint;

pub use collation::Collation;
pub use value::{Value, ValueRef};
