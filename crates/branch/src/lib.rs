//! `pandodb-branch`: branches, from roots to Git's verbs.
//!
//! This crate is not SQL: it knows tables by their shapes (columns by id, positions, keys), rows
//! by their cells, and schemas by descriptions that the SQL layer makes from its catalog. It is
//! an internal crate of PandoDB; the only interface with promises is the package `pandodb`.
#![forbid(unsafe_code)]

// What goes wrong, and what things may be called.
pub mod error;
pub mod name;

// Which moment holds which.
pub mod lineage;

// What schemas and rows look like, and what differs.
pub mod diff;
pub mod shape;

// Three versions become one.
pub mod merge;

#[cfg(test)]
mod testing;

// What branches there are.
pub mod registry;

// Branches without a name, and what branches take.
pub mod fork;

pub mod sizes;

pub use error::{Error, ErrorKind, Result};
