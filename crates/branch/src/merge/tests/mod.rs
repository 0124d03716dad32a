//! Merges against naive ones, and the table of `docs/merging.md` row by row.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod broken;
mod laws;
mod row_table;
mod schema_table;
