//! The eight tables and 22 questions of TPC-H, for whoever compares databases.
//!
//! It is only text, which any database that speaks SQLite's dialect takes. Neighbours:
//! `generate` makes the data from a seed, `queries` has the questions; `tests/differential`
//! compares results, `benches/peers` times.

mod generate;
mod queries;

pub use generate::{Generator, SCHEMA};
pub use queries::QUERIES;
