//! `pandodb-qp`: SQL, from text to rows.
//!
//! This crate opens no files and holds no locks: it reads and writes trees through the crates
//! below it. It is an internal crate of PandoDB; the only interface with promises is the
//! package `pandodb`.

// Bounds, errors, places in text.
pub mod error;
pub mod limits;
pub mod span;

// From text to a tree.
pub mod ast;
pub mod parse;

// What SQL computes with.
pub mod function;

pub use error::{Constraint, Error, ErrorKind, Result};
pub use span::Span;
